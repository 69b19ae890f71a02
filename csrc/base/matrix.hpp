// Matrix: products of a few rows of activations with matrices of parameters, and the gradients of such matrices.
//
// Every result is one chain of multiply-adds in a fixed order, so that its bits do not depend on how many rows are
// computed together.
#pragma once

#include <algorithm>

#include "base/vectors.hpp"

constexpr int PANEL = 3;                            // adjacent registers of results
constexpr int MOST_ROWS = REGISTERS == 32 ? 8 : 4;  // rows of results in registers at once
template <typename T>
constexpr int PANEL_WIDTH = PANEL * LANES<T>;
template <typename T>
constexpr int64_t whole_panels(int64_t count) {
    return (count + PANEL_WIDTH<T> - 1) / PANEL_WIDTH<T> * PANEL_WIDTH<T>;
}

// Call body(first row, number of rows as a constant) for blocks of rows that cover `rows`.
template <typename Body>
inline void by_rows(int64_t rows, Body body) {
    int64_t row = 0;
    for (; row + MOST_ROWS <= rows; row += MOST_ROWS) body(row, std::integral_constant<int, MOST_ROWS>());
    if (MOST_ROWS == 8 && row + 4 <= rows) body(row, std::integral_constant<int, 4>()), row += 4;
    if (row + 2 <= rows) body(row, std::integral_constant<int, 2>()), row += 2;
    if (row < rows) body(row, std::integral_constant<int, 1>());
}

// A matrix for products with rows, packed into panels that are read sequentially.
template <typename T>
class Packed {
  public:
    Packed(int64_t inputs, int64_t outputs)
        : inputs(inputs), panels(whole_panels<T>(outputs) / width), data(panels * inputs * width) {}

    // Load the numbers of a block, block[i * input_stride + o * output_stride], for its inputs i and outputs o.
    void place(int64_t first_input, int64_t block_inputs, int64_t input_stride, int64_t first_output,
               int64_t block_outputs, int64_t output_stride, const T* block) {
        for (int64_t first = 0, end; first < block_outputs; first = end) {
            const int64_t panel = (first_output + first) / width, column = (first_output + first) % width;
            end = std::min(block_outputs, first + width - column);
            for (int64_t i = 0; i < block_inputs; ++i) {
                T* to = &data[(panel * inputs + first_input + i) * width + column];
                for (int64_t o = first; o < end; ++o) *to++ = block[i * input_stride + o * output_stride];
            }
        }
    }

    int64_t padded_outputs() const { return panels * width; }

    // results[row] = rows[row] * matrix, each result padded to `padded_outputs`.
    void multiply(int64_t rows, const T* from, int64_t from_stride, T* to, int64_t to_stride) const {
        by_rows(rows, [&](int64_t row, auto count) {
            constexpr int ROWS = decltype(count)::value;
            constexpr int TOGETHER = ROWS == 1 ? 4 : MOST_ROWS / ROWS;
            const T* own = from + row * from_stride;
            T* result = to + row * to_stride;
            int64_t panel = 0;
            for (; panel + TOGETHER <= panels; panel += TOGETHER)
                block<ROWS, TOGETHER>(panel, own, from_stride, result, to_stride);
            for (; panel < panels; ++panel) block<ROWS, 1>(panel, own, from_stride, result, to_stride);
        });
    }

  private:
    static constexpr int width = PANEL_WIDTH<T>;
    const int64_t inputs, panels;
    Array<T> data;

    template <int ROWS, int PANELS>
    void block(int64_t panel, const T* from, int64_t from_stride, T* to, int64_t to_stride) const {
        constexpr int COLUMNS = PANELS * PANEL;
        Vector<T> sums[ROWS][COLUMNS] = {};
        const T* parameters = data.data() + panel * inputs * width;
        for (int64_t input = 0; input < inputs; ++input) {
            Vector<T> column[COLUMNS];
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c)
                column[c] = load(parameters + (c / PANEL * inputs + input) * width + c % PANEL * LANES<T>);
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; ++r) {
                const T value = from[r * from_stride + input];
#pragma GCC unroll 16
                for (int c = 0; c < COLUMNS; ++c) sums[r][c] += value * column[c];
            }
        }
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c) store(to + r * to_stride + panel * width + c * LANES<T>, sums[r][c]);
    }
};

// The gradient of a matrix (outputs x inputs) and of its bias, summed over products.
template <typename T>
class MatrixGradient {
  public:
    MatrixGradient(int64_t outputs, int64_t inputs)
        : outputs(outputs), stride(whole_panels<T>(inputs)), matrix(outputs * stride), bias(outputs) {}

    // matrix += sum over rows of d_results[row] x inputs[row]; the rows of inputs are padded to whole panels.
    void add(int64_t rows, const T* d_results, int64_t d_stride, const T* inputs, int64_t inputs_stride) {
        by_rows(outputs, [&](int64_t output, auto count) {
            for (int64_t panel = 0; panel < stride; panel += PANEL_WIDTH<T>)
                block<decltype(count)::value>(rows, d_results + output, d_stride, inputs + panel, inputs_stride,
                                              &matrix[output * stride + panel]);
        });
        for (int64_t row = 0; row < rows; ++row)
            by_register<T>(outputs, [&](int64_t i, int64_t some) {
                store(&bias[i], load(&bias[i], some) + load(d_results + row * d_stride + i, some), some);
            });
    }

    void add(const MatrixGradient& other) {
        for (size_t i = 0; i < matrix.size(); ++i) matrix[i] += other.matrix[i];
        for (size_t i = 0; i < bias.size(); ++i) bias[i] += other.bias[i];
    }

    // Store a block of columns.
    void give(int64_t first, int64_t columns, T* to) const {
        for (int64_t output = 0; output < outputs; ++output)
            std::memcpy(to + output * columns, &matrix[output * stride + first], columns * sizeof(T));
    }

    void give_bias(T* to) const { std::memcpy(to, bias.data(), outputs * sizeof(T)); }

  private:
    const int64_t outputs, stride;
    Array<T> matrix, bias;

    template <int ROWS>
    void block(int64_t rows, const T* d_results, int64_t d_stride, const T* inputs, int64_t inputs_stride, T* to) {
        Vector<T> sums[ROWS][PANEL];
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
            for (int c = 0; c < PANEL; ++c) sums[r][c] = load(to + r * stride + c * LANES<T>);
        for (int64_t row = 0; row < rows; ++row) {
            Vector<T> column[PANEL];
#pragma GCC unroll 16
            for (int c = 0; c < PANEL; ++c) column[c] = load(inputs + row * inputs_stride + c * LANES<T>);
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; ++r) {
                const T value = d_results[row * d_stride + r];
#pragma GCC unroll 16
                for (int c = 0; c < PANEL; ++c) sums[r][c] += value * column[c];
            }
        }
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
            for (int c = 0; c < PANEL; ++c) store(to + r * stride + c * LANES<T>, sums[r][c]);
    }
};
