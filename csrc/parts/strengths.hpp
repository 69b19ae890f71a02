// Strengths: pop and read items that each have a strength, ordered from the end at which this is done.
//
// Sums of strengths are computed in double, item by item, as torch computes them: whether the arguments of a maximum or
// a minimum are equal has to be decided as in the reference. There the derivative is that of the first argument.
#pragma once

#include <cstdint>

#include "base/vectors.hpp"

// Items in a row of memory, from the first or from the last on.
template <typename T>
struct Ordered {
    T* first;
    int64_t count, step;  // 1 or -1

    T& operator[](int64_t i) const { return first[i * step]; }
};

template <typename T>
inline Ordered<T> ordered(T* items, int64_t count, bool from_last) {
    return {from_last ? items + count - 1 : items, count, from_last ? -1 : 1};
}

// max(0, x); NaN stays NaN.
template <typename T>
inline T positive(T x) {
    return x <= T(0) ? T(0) : x;
}

// s[i] becomes max(0, s[i] - max(0, amount - the sum of the s before i)).
template <typename T>
inline void pop(Ordered<T> s, T amount) {
    double before = 0;
    for (int64_t i = 0; i < s.count; ++i) {
        const T own = s[i];
        s[i] = positive(own - positive(amount - T(before)));
        before += own;
    }
}

// Backward pass: the gradient `d` of the strengths after it becomes that of `s`, those before it; returns that of the
// amount. `through` is memory for a number of each item, here and below.
template <typename T>
inline T pop_backward(Ordered<T> s, T amount, Ordered<T> d, T* through) {
    double before = 0;
    for (int64_t i = 0; i < s.count; ++i) {
        const T wanted = amount - T(before);
        if (s[i] - positive(wanted) <= T(0)) d[i] = 0;
        through[i] = wanted <= T(0) ? T(0) : d[i];
        before += s[i];
    }
    T later = 0;
    for (int64_t i = s.count - 1; i >= 0; --i) {
        d[i] += later;
        later += through[i];
    }
    return -later;
}

// c[i] = min(s[i], max(0, 1 - the sum of the s before i))
template <typename T>
inline void read_coefficients(Ordered<T> s, Ordered<T> c) {
    double before = 0;
    for (int64_t i = 0; i < s.count; ++i) {
        const T rest = positive(T(1) - T(before));
        c[i] = s[i] <= rest ? s[i] : rest;
        before += s[i];
    }
}

// Backward pass: add to the gradient `d` of the strengths what comes from that of the coefficients, `d_c`.
template <typename T>
inline void read_coefficients_backward(Ordered<T> s, Ordered<T> d_c, Ordered<T> d, T* through) {
    double before = 0;
    for (int64_t i = 0; i < s.count; ++i) {
        const T left = T(1) - T(before);
        const bool own = s[i] <= positive(left);
        if (own) d[i] += d_c[i];
        through[i] = own || left <= T(0) ? T(0) : d_c[i];
        before += s[i];
    }
    T later = 0;
    for (int64_t i = s.count - 1; i >= 0; --i) {
        d[i] -= later;
        later += through[i];
    }
}
