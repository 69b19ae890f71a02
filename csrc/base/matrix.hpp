// Matrix: products of a few rows of activations with matrices of parameters, and the gradients of such matrices.
//
// Every result is one chain of multiply-adds in a fixed order, so that its bits do not depend on how many rows are
// computed together.
#pragma once

#include <algorithm>

#include "base/vectors.hpp"

constexpr int PANEL = 3;                            // adjacent registers of results
constexpr int MOST_ROWS = REGISTERS == 32 ? 8 : 4;  // rows of results in registers at once
constexpr int64_t DEPTH = 128;                      // factors of a sum at once, of a panel that stays in the L1 cache
constexpr int64_t AHEAD = 16;                       // lines of a panel that are fetched before their use
template <typename T>
constexpr int PANEL_WIDTH = PANEL * LANES<T>;
template <typename T>
constexpr int64_t whole_panels(int64_t count) {
    return (count + PANEL_WIDTH<T> - 1) / PANEL_WIDTH<T> * PANEL_WIDTH<T>;
}

// Stride of the rows in an array that is read for several rows at once: never a multiple of a large power of two, which
// would map all rows to the same few cache lines.
template <typename T>
constexpr int64_t apart(int64_t count) {
    return padded<T>(count) + LANES<T>;
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
        : inputs(inputs), panels(whole_panels<T>(outputs) / width), columns((outputs + LANES<T> - 1) / LANES<T>),
          data(panels * inputs * width) {}

    // Load the numbers of a block, block[i * input_stride + o * output_stride], for its inputs i and outputs o.
    void place(int64_t first_input, int64_t block_inputs, int64_t input_stride, int64_t first_output,
               int64_t block_outputs, int64_t output_stride, const T* block) {
        for (int64_t first = 0, end; first < block_outputs; first = end) {
            const int64_t panel = (first_output + first) / width, column = (first_output + first) % width;
            end = std::min(block_outputs, first + width - column);
            T* to = &data[(panel * inputs + first_input) * width + column];
            if (output_stride == 1)
                for (int64_t i = 0; i < block_inputs; ++i)
                    std::copy(block + i * input_stride + first, block + i * input_stride + end, to + i * width);
            else
                transpose(block_inputs, input_stride, end - first, output_stride, block + first * output_stride, to);
        }
    }

    int64_t padded_outputs() const { return panels * width; }

    // results[row] = rows[row] * matrix, each result with room for `padded_outputs`. With many rows, each part of a
    // panel is used for all of them. A caller that alternates `from_last` finds in the cache what the last product used
    // last.
    void multiply(int64_t rows, const T* from, int64_t from_stride, T* to, int64_t to_stride,
                  bool from_last = false) const {
        if (rows <= MOST_ROWS)
            return by_rows(rows, [&](int64_t row, auto count) {
                constexpr int ROWS = decltype(count)::value;
                constexpr int TOGETHER = ROWS == 1 ? 4 : MOST_ROWS / ROWS;
                in_order((panels + TOGETHER - 1) / TOGETHER, from_last, [&](int64_t group) {
                    by_columns<ROWS, TOGETHER * PANEL>(group * TOGETHER, 0, inputs, from + row * from_stride,
                                                       from_stride, to + row * to_stride, to_stride);
                });
            });
        in_order(panels, from_last, [&](int64_t panel) {
            for (int64_t input = 0; input < inputs; input += DEPTH)
                by_rows(rows, [&](int64_t row, auto count) {
                    by_columns<decltype(count)::value, PANEL>(panel, input, std::min(inputs, input + DEPTH),
                                                              from + row * from_stride, from_stride,
                                                              to + row * to_stride, to_stride);
                });
        });
    }

  private:
    static constexpr int width = PANEL_WIDTH<T>;
    const int64_t inputs, panels, columns;  // a column is a register wide; the last panel may have fewer
    Array<T> data;

    // In squares, so that the lines of both sides stay in the cache.
    static void transpose(int64_t block_inputs, int64_t input_stride, int64_t outputs, int64_t output_stride,
                          const T* from, T* to) {
        constexpr int64_t SIDE = 64;
        for (int64_t first = 0; first < block_inputs; first += SIDE)
            for (int64_t o = 0; o < outputs; ++o)
                for (int64_t i = first; i < std::min(block_inputs, first + SIDE); ++i)
                    to[i * width + o] = from[i * input_stride + o * output_stride];
    }

    template <typename Body>
    static void in_order(int64_t count, bool from_last, Body body) {
        for (int64_t i = 0; i < count; ++i) body(from_last ? count - 1 - i : i);
    }

    // The columns from a panel on, at most MOST.
    template <int ROWS, int MOST>
    void by_columns(int64_t panel, int64_t first, int64_t end, const T* from, int64_t from_stride, T* to,
                    int64_t to_stride) const {
        const int64_t left = columns - panel * PANEL;
        if (left >= MOST) return block<ROWS, MOST>(panel, first, end, from, from_stride, to, to_stride);
        if constexpr (MOST > PANEL) {
            by_columns<ROWS, MOST - PANEL>(panel, first, end, from, from_stride, to, to_stride);
            if (left > MOST - PANEL)
                by_columns<ROWS, PANEL>(panel + MOST / PANEL - 1, first, end, from, from_stride, to, to_stride);
        } else if constexpr (MOST > 1) {
            by_columns<ROWS, MOST - 1>(panel, first, end, from, from_stride, to, to_stride);
        }
    }

    // The part of the sums from input `first` up to input `end`.
    template <int ROWS, int COLUMNS>
    void block(int64_t panel, int64_t first, int64_t end, const T* from, int64_t from_stride, T* to,
               int64_t to_stride) const {
        Vector<T> sums[ROWS][COLUMNS] = {};
        to += panel * width;
        if (first)
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
                for (int c = 0; c < COLUMNS; ++c) sums[r][c] = load(to + r * to_stride + c * LANES<T>);
        const T* parameters = data.data() + panel * inputs * width;
        for (int64_t input = first; input < end; ++input) {
            Vector<T> column[COLUMNS];
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c) {
                const T* at = parameters + (c / PANEL * inputs + input) * width + c % PANEL * LANES<T>;
                __builtin_prefetch(at + AHEAD * width);
                column[c] = load(at);
            }
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
            for (int c = 0; c < COLUMNS; ++c) store(to + r * to_stride + c * LANES<T>, sums[r][c]);
    }
};

// The gradient of a matrix (outputs x inputs) and of its bias, summed over products. It is stored panel by panel.
template <typename T>
class MatrixGradient {
  public:
    MatrixGradient(int64_t outputs, int64_t inputs)
        : outputs(outputs), panels(whole_panels<T>(inputs) / width), columns((inputs + LANES<T> - 1) / LANES<T>),
          matrix(panels * outputs * width), bias(outputs), factors(DEPTH * (outputs + MOST_ROWS)) {}

    // matrix += sum over rows of d_results[row] x inputs[row]; the rows of inputs are padded to whole panels.
    void add(int64_t rows, const T* d_results, int64_t d_stride, const T* inputs, int64_t inputs_stride) {
        for (int64_t first = 0; first < rows; first += DEPTH)
            add_some(std::min(DEPTH, rows - first), d_results + first * d_stride, d_stride,
                     inputs + first * inputs_stride, inputs_stride);
    }

    void add(const MatrixGradient& other) {
        for (size_t i = 0; i < matrix.size(); ++i) matrix[i] += other.matrix[i];
        for (size_t i = 0; i < bias.size(); ++i) bias[i] += other.bias[i];
    }

    // Store a block of columns.
    void give(int64_t first, int64_t columns, T* to) const {
        for (int64_t at = 0, end; at < columns; at = end) {
            const int64_t panel = (first + at) / width, column = (first + at) % width;
            end = std::min(columns, at + width - column);
            for (int64_t output = 0; output < outputs; ++output)
                std::memcpy(to + output * columns + at, &matrix[(panel * outputs + output) * width + column],
                            (end - at) * sizeof(T));
        }
    }

    void give_bias(T* to) const { std::memcpy(to, bias.data(), outputs * sizeof(T)); }

  private:
    static constexpr int width = PANEL_WIDTH<T>;
    const int64_t outputs, panels, columns;
    Array<T> matrix, bias;
    Array<T> factors;  // d_results, by blocks of outputs

    void add_some(int64_t rows, const T* d_results, int64_t d_stride, const T* inputs, int64_t inputs_stride) {
        by_rows(outputs, [&](int64_t output, auto count) {
            constexpr int ROWS = decltype(count)::value;
            T* to = &factors[output * rows];
            for (int64_t row = 0; row < rows; ++row)
                std::memcpy(to + row * ROWS, d_results + row * d_stride + output, ROWS * sizeof(T));
        });
        for (int64_t panel = 0; panel < panels; ++panel)
            by_rows(outputs, [&](int64_t output, auto count) {
                by_columns<decltype(count)::value, PANEL>(columns - panel * PANEL, rows, &factors[output * rows],
                                                          inputs + panel * width, inputs_stride,
                                                          &matrix[(panel * outputs + output) * width]);
            });
        for (int64_t row = 0; row < rows; ++row) gather(d_results + row * d_stride, outputs, bias.data());
    }

    // As many columns of a panel as are left.
    template <int ROWS, int COLUMNS>
    static void by_columns(int64_t left, int64_t rows, const T* factors, const T* inputs, int64_t inputs_stride,
                           T* to) {
        if constexpr (COLUMNS > 1)
            if (left < COLUMNS)
                return by_columns<ROWS, COLUMNS - 1>(left, rows, factors, inputs, inputs_stride, to);
        block<ROWS, COLUMNS>(rows, factors, inputs, inputs_stride, to);
    }

    template <int ROWS, int COLUMNS>
    static void block(int64_t rows, const T* factors, const T* inputs, int64_t inputs_stride, T* to) {
        Vector<T> sums[ROWS][COLUMNS];
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c) sums[r][c] = load(to + r * width + c * LANES<T>);
        for (int64_t row = 0; row < rows; ++row) {
            Vector<T> column[COLUMNS];
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c) column[c] = load(inputs + row * inputs_stride + c * LANES<T>);
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; ++r) {
                const T value = factors[row * ROWS + r];
#pragma GCC unroll 16
                for (int c = 0; c < COLUMNS; ++c) sums[r][c] += value * column[c];
            }
        }
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 16
            for (int c = 0; c < COLUMNS; ++c) store(to + r * width + c * LANES<T>, sums[r][c]);
    }
};
