// Matrix: the product of a few rows of activations with a matrix of parameters.
//
// The matrix is packed once a call into panels that a register block reads from front to back. Every output is one chain of
// multiply-adds along the inputs, so that its bits do not depend on how many rows are computed together.
#pragma once

#include "vectors.hpp"

constexpr int PANEL = 3;  // registers of outputs side by side

template <typename T> class Packed {
  public:
    int64_t inputs = 0, outputs = 0;

    // Take a matrix of shape (outputs, inputs), stored row by row.
    static Packed from_rows(const T* matrix, int64_t outputs, int64_t inputs) {
        Packed packed(inputs, outputs);
        for (int64_t o = 0; o < outputs; ++o)
            for (int64_t i = 0; i < inputs; ++i) packed.at(i, o) = matrix[o * inputs + i];
        return packed;
    }

    // Take the transpose of a matrix of shape (inputs, outputs), stored row by row.
    static Packed from_columns(const T* matrix, int64_t inputs, int64_t outputs) {
        Packed packed(inputs, outputs);
        for (int64_t i = 0; i < inputs; ++i)
            for (int64_t o = 0; o < outputs; ++o) packed.at(i, o) = matrix[i * outputs + o];
        return packed;
    }

    Packed() = default;

    int64_t padded_outputs() const { return panels() * width; }

    // results[row] = rows[row] * matrix, each result padded to `padded_outputs`.
    void multiply(int64_t rows, const T* from, int64_t from_stride, T* results, int64_t results_stride) const {
        constexpr int most = REGISTERS == 32 ? 8 : 4;
        int64_t row = 0;
        for (; row + most <= rows; row += most) panels_of<most, 1>(from + row * from_stride, from_stride, results + row * results_stride, results_stride);
        if (most == 8 && row + 4 <= rows) {
            panels_of<4, most / 4>(from + row * from_stride, from_stride, results + row * results_stride, results_stride);
            row += 4;
        }
        if (row + 2 <= rows) {
            panels_of<2, most / 2>(from + row * from_stride, from_stride, results + row * results_stride, results_stride);
            row += 2;
        }
        if (row < rows) panels_of<1, 4>(from + row * from_stride, from_stride, results + row * results_stride, results_stride);
    }

  private:
    static constexpr int width = PANEL * LANES<T>;
    Array<T> data;

    Packed(int64_t inputs, int64_t outputs) : inputs(inputs), outputs(outputs), data(panels() * inputs * width) {}

    int64_t panels() const { return (outputs + width - 1) / width; }

    T& at(int64_t input, int64_t output) { return data[(output / width * inputs + input) * width + output % width]; }

    template <int ROWS, int PANELS> void panels_of(const T* from, int64_t from_stride, T* to, int64_t to_stride) const {
        int64_t panel = 0;
        for (; panel + PANELS <= panels(); panel += PANELS) block<ROWS, PANELS>(panel, from, from_stride, to, to_stride);
        for (; panel < panels(); ++panel) block<ROWS, 1>(panel, from, from_stride, to, to_stride);
    }

    template <int ROWS, int PANELS>
    void block(int64_t panel, const T* from, int64_t from_stride, T* to, int64_t to_stride) const {
        constexpr int COLUMNS = PANELS * PANEL;
        Vector<T> sums[ROWS][COLUMNS] = {};
        const T* parameters = data.data() + panel * inputs * width;
        for (int64_t input = 0; input < inputs; ++input) {
            Vector<T> column[COLUMNS];
#pragma GCC unroll 16
            for (int p = 0; p < PANELS; ++p)
#pragma GCC unroll 16
                for (int c = 0; c < PANEL; ++c) column[p * PANEL + c] = load(parameters + (p * inputs + input) * width + c * LANES<T>);
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
