// Raw: what heads are told, made of the raw numbers of a matrix product, which are first held between two bounds, and
// the way back. Every block is a range of an array of raw numbers, of the control made of them, or of the gradients of
// that.
#pragma once

#include <algorithm>
#include <cmath>

#include "base/vectors.hpp"

template <typename T>
class Raw {
  public:
    explicit Raw(double clip) : clip(T(clip)) {}

    void identities(const T* raw, T* control, int64_t from, int64_t to) const {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            store(control + from + i, clipped(load(raw + from + i, count)), count);
        });
    }

    void tangents(const T* raw, T* control, int64_t from, int64_t to) const {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            store(control + from + i, hyperbolic_tangent<T>(clipped(load(raw + from + i, count))), count);
        });
    }

    void sigmoids(const T* raw, T* control, int64_t from, int64_t to) const {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            store(control + from + i, sigmoid<T>(clipped(load(raw + from + i, count))), count);
        });
    }

    // least + log(1 + e^x)
    void softpluses(const T* raw, T* control, int64_t from, int64_t to, T least = 0) const {
        for (int64_t i = from; i < to; ++i) control[i] = least + softplus(clipped(raw[i]));
    }

    // Softmaxes of `size` numbers each.
    void distributions(const T* raw, T* control, int64_t from, int64_t to, int64_t size) const {
        for (; from < to; from += size) {
            const T* x = raw + from;
            T* s = control + from;
            T most = clipped(x[0]), total = 0;
            for (int64_t j = 1; j < size; ++j) most = std::max(most, clipped(x[j]));
            for (int64_t j = 0; j < size; ++j) total += s[j] = std::exp(clipped(x[j]) - most);
            for (int64_t j = 0; j < size; ++j) s[j] /= total;
        }
    }

    // From here on `d` holds the gradients of the control, and gets those of what was clipped.
    static void tangents_backward(const T* control, T* d, int64_t from, int64_t to) {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            const Vector<T> y = load(control + from + i, count);
            store(d + from + i, load(d + from + i, count) * (T(1) - y * y), count);
        });
    }

    static void sigmoids_backward(const T* control, T* d, int64_t from, int64_t to) {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            const Vector<T> y = load(control + from + i, count);
            store(d + from + i, load(d + from + i, count) * y * (T(1) - y), count);
        });
    }

    void softpluses_backward(const T* raw, T* d, int64_t from, int64_t to) const {
        for (int64_t i = from; i < to; ++i) d[i] *= softplus_slope(clipped(raw[i]));
    }

    static void distributions_backward(const T* control, T* d, int64_t from, int64_t to, int64_t size) {
        for (; from < to; from += size) {
            const T* s = control + from;
            T* ds = d + from;
            T total = 0;
            for (int64_t j = 0; j < size; ++j) total += s[j] * ds[j];
            for (int64_t j = 0; j < size; ++j) ds[j] = s[j] * (ds[j] - total);
        }
    }

    // Last of all, the gradients of the raw numbers.
    void clipped_backward(const T* raw, T* d, int64_t size) const {
        for (int64_t i = 0; i < size; ++i)
            if (raw[i] < -clip || raw[i] > clip) d[i] = 0;
    }

  private:
    const T clip;

    T clipped(T x) const { return x > clip ? clip : x < -clip ? -clip : x; }

    Vector<T> clipped(Vector<T> x) const {
        const Vector<T> below = x > clip ? all(clip) : x;
        return below < -clip ? all(-clip) : below;
    }

    static constexpr T linear_from = 20;  // torch's softplus is the identity from here on

    static T softplus(T x) { return x > linear_from ? x : std::log1p(std::exp(x)); }

    static T softplus_slope(T x) { return x > linear_from ? T(1) : T(1) / (T(1) + std::exp(-x)); }
};
