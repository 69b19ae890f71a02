// Normalisation: layer normalisation of an array (Ba et al. 2016), forward and backward.
#pragma once

#include <cmath>

#include "base/vectors.hpp"

// `normal` becomes (x - mean) / sqrt(variance + epsilon), and x, which may be the same array, `scaled` of that; returns
// the factor 1 / sqrt(variance + epsilon).
template <typename T, typename Scaled>
inline T normalise(int64_t size, T* x, T epsilon, T* normal, Scaled scaled) {
    const T mean = total<T>(size, [&](int64_t i, int64_t some) { return load(x + i, some); }) / T(size);
    const T squares = total<T>(size, [&](int64_t i, int64_t some) {
        const Vector<T> apart = load(x + i, some) - mean;
        return apart * apart;
    });
    const T scale = T(1) / std::sqrt(squares / T(size) + epsilon);
    by_register<T>(size, [&](int64_t i, int64_t some) {
        const Vector<T> now = (load(x + i, some) - mean) * scale;
        store(normal + i, now, some);
        store(x + i, scaled(now, i, some), some);
    });
    return scale;
}

// Backward pass of gain * normal, where normal was computed from x: d becomes the gradient of x, and that of the gain
// is added to.
template <typename T>
inline void normalise_backward(int64_t size, const T* normal, T scale, const T* gain, T* d, T* d_gain) {
    auto d_normal = [&](int64_t i, int64_t some) { return load(d + i, some) * load(gain + i, some); };
    const T mean = total<T>(size, d_normal) / T(size);
    const T along =
        total<T>(size, [&](int64_t i, int64_t some) { return d_normal(i, some) * load(normal + i, some); }) / T(size);
    by_register<T>(size, [&](int64_t i, int64_t some) {
        const Vector<T> value = load(normal + i, some);
        store(d_gain + i, load(d_gain + i, some) + load(d + i, some) * value, some);
        store(d + i, (d_normal(i, some) - mean - value * along) * scale, some);
    });
}
