// Normalisation: an array freed of its mean and deviation (Ba et al. 2016), forwards and backwards.
#pragma once

#include <cmath>

#include "vectors.hpp"

// x becomes (x - mean) / sqrt(variance + epsilon); returns what it was multiplied with.
template <typename T>
inline T normalise(int64_t size, T* x, T epsilon) {
    Vector<T> totals = {}, squares = {};
    by_register<T>(size, [&](int64_t i, int64_t some) { totals += load(x + i, some); });
    const T mean = sum<T>(totals) / T(size);
    by_register<T>(size, [&](int64_t i, int64_t some) {
        const Vector<T> apart = first<T>(load(x + i, some) - mean, some);
        squares += apart * apart;
        store(x + i, apart, some);
    });
    const T scale = T(1) / std::sqrt(sum<T>(squares) / T(size) + epsilon);
    by_register<T>(size, [&](int64_t i, int64_t some) { store(x + i, load(x + i, some) * scale, some); });
    return scale;
}

// The way back through gain * normal, where normal came of x: d becomes the gradient of x, and that of the gain is
// added to.
template <typename T>
inline void normalise_backward(int64_t size, const T* normal, T scale, const T* gain, T* d, T* d_gain) {
    Vector<T> totals = {}, products = {};
    by_register<T>(size, [&](int64_t i, int64_t some) {
        const Vector<T> value = load(normal + i, some), d_value = load(d + i, some);
        const Vector<T> d_normal = d_value * load(gain + i, some);
        store(d_gain + i, load(d_gain + i, some) + d_value * value, some);
        store(d + i, d_normal, some);
        totals += d_normal;
        products += d_normal * value;
    });
    const T mean = sum<T>(totals) / T(size), along = sum<T>(products) / T(size);
    by_register<T>(size, [&](int64_t i, int64_t some) {
        store(d + i, (load(d + i, some) - mean - load(normal + i, some) * along) * scale, some);
    });
}
