// Weighted rows: sums of rows of numbers, each row with a weight for each of a few results, and their gradients.
//
// Lengths are rounded up to whole registers, so that rows need room for a register behind their end.
#pragma once

#include "base/vectors.hpp"

constexpr int STRIP = 4;  // adjacent registers of a result
template <typename T>
constexpr int64_t STRIP_WIDTH = STRIP * LANES<T>;

// Call body(first result, number of results as a constant) for groups of at most 4 that cover `results`.
template <typename Body>
inline void by_results(int64_t results, Body body) {
    int64_t first = 0;
    for (; first + 4 <= results; first += 4) body(first, std::integral_constant<int, 4>());
    if (results - first == 3) body(first, std::integral_constant<int, 3>());
    if (results - first == 2) body(first, std::integral_constant<int, 2>());
    if (results - first == 1) body(first, std::integral_constant<int, 1>());
}

// The sums in a strip of the rows, STRIP registers wide.
template <typename T, int RESULTS>
class StripSums {
  public:
    void add(const T* row, const T* weights) {
        Vector<T> strip[STRIP];
#pragma GCC unroll 4
        for (int i = 0; i < STRIP; ++i) strip[i] = load(row + i * LANES<T>);
#pragma GCC unroll 4
        for (int r = 0; r < RESULTS; ++r)
#pragma GCC unroll 4
            for (int i = 0; i < STRIP; ++i) sums[r][i] += weights[r] * strip[i];
    }

    void give(T* to, int64_t stride) const {
#pragma GCC unroll 4
        for (int r = 0; r < RESULTS; ++r)
#pragma GCC unroll 4
            for (int i = 0; i < STRIP; ++i) store(to + r * stride + i * LANES<T>, sums[r][i]);
    }

  private:
    Vector<T> sums[RESULTS][STRIP] = {};
};

// Backward pass of one row: d_row += sum over r of weights[r] d_results[r], d_weights[r] += row . d_results[r].
template <typename T, int RESULTS>
inline void add_backward(int64_t length, const T* row, const T* weights, const T* d_results, int64_t stride, T* d_row,
                         T* d_weights) {
    Vector<T> products[RESULTS] = {};
    for (int64_t i = 0; i < length; i += LANES<T>) {
        const Vector<T> value = load(row + i);
        Vector<T> d_value = load(d_row + i);
#pragma GCC unroll 4
        for (int r = 0; r < RESULTS; ++r) {
            const Vector<T> d = load(d_results + r * stride + i);
            d_value += weights[r] * d;
            products[r] += value * d;
        }
        store(d_row + i, d_value);
    }
#pragma GCC unroll 4
    for (int r = 0; r < RESULTS; ++r) d_weights[r] += sum<T>(products[r]);
}
