// Sharpening: weights raised to a power, as softmax(exponent log(w + epsilon)), forward and backward.
#pragma once

#include "base/softmax.hpp"

// Numbers of `weights` from `count` on are 0, and those of `sharp` become 0.
template <typename T>
inline void sharpen(int64_t count, int64_t slots, T exponent, T epsilon, const T* weights, T* sharp) {
    for (int64_t i = 0; i < slots; i += LANES<T>)
        store(sharp + i, exponent * logarithm<T>(load(weights + i) + epsilon));
    softmax(count, slots, sharp);
}

// `d` contains the gradient of `sharp` and becomes that of the weights; returns that of the exponent.
template <typename T>
inline T sharpen_backward(int64_t slots, T exponent, T epsilon, const T* weights, const T* sharp, T* d) {
    softmax_backward(slots, sharp, d);
    Vector<T> d_exponent = {};
    for (int64_t i = 0; i < slots; i += LANES<T>) {
        const Vector<T> raised = load(weights + i) + epsilon, own = load(d + i);
        d_exponent += own * logarithm<T>(raised);
        store(d + i, own * exponent / raised);
    }
    return sum<T>(d_exponent);
}
