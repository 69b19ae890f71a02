// Softmax, forward and backward, of arrays that are padded to whole registers.
#pragma once

#include <algorithm>

#include "base/vectors.hpp"

// x becomes softmax(x); numbers from `count` on, up to `length`, become 0.
template <typename T>
inline void softmax(int64_t count, int64_t length, T* x) {
    std::fill(x + count, x + length, -std::numeric_limits<T>::max());
    Vector<T> most = load(x);
    for (int64_t i = LANES<T>; i < length; i += LANES<T>) most = larger<T>(load(x + i), most);
    const T top = largest<T>(most);
    Vector<T> totals = {};
    for (int64_t i = 0; i < length; i += LANES<T>) {
        const Vector<T> e = exp_of_negative<T>(load(x + i) - top);
        totals += e;
        store(x + i, e);
    }
    const T scale = T(1) / sum<T>(totals);
    for (int64_t i = 0; i < length; i += LANES<T>) store(x + i, load(x + i) * scale);
    std::fill(x + count, x + length, T(0));
}

// d becomes y (d - sum(y d)), the gradient before the softmax with output y.
template <typename T>
inline void softmax_backward(int64_t length, const T* y, T* d) {
    Vector<T> totals = {};
    for (int64_t i = 0; i < length; i += LANES<T>) totals += load(y + i) * load(d + i);
    const T total = sum<T>(totals);
    for (int64_t i = 0; i < length; i += LANES<T>) store(d + i, load(y + i) * (load(d + i) - total));
}
