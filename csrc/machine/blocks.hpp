// Blocks: compute the head parameters (the control) from the interface vector of a machine, and its gradients. A table
// describes the interface vector row by row. Every number is first clipped between two bounds.
//
// Adjacent rows with the same activation are computed as one block.
#pragma once

#include <cmath>
#include <cstring>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/vectors.hpp"

// A row of the table. A softmax is computed over groups of `group` numbers. A row of ones has no numbers in the
// interface vector, and is the last; a row of size 0 is absent. A row that belongs to heads has an equal part for each.
struct Row {
    enum Activation { identity, tanh, sigmoid, softplus, oneplus, softmax, floored_sigmoid, one };
    static constexpr const char* NAMES[] = {"identity", "tanh",    "sigmoid",         "softplus",
                                            "oneplus",  "softmax", "floored_sigmoid", "one"};

    const char* name;
    int64_t size;
    Activation activation;
    int64_t group = 1;
    int64_t first_head = 0, heads = 0;
};

// Numbers of the interface vector that belong to one head.
struct Span {
    int64_t from, size, head;
};

template <typename T>
class Blocks {
  public:
    const int64_t size, control_size;  // of the interface vector and of the control

    // `least` is the smallest value of a floored sigmoid.
    Blocks(const std::vector<Row>& rows, double clip, double least = 0)
        : size(size_of(rows, false)), control_size(size_of(rows, true)), rows(rows), blocks(blocks_of(rows, nullptr)),
          clip(T(clip)), least(T(least)), clips(this->clip < std::numeric_limits<T>::infinity()) {}

    // The same with some rows only, at the same offsets.
    Blocks only(std::initializer_list<const char*> names) const {
        Blocks some = *this;
        some.blocks = blocks_of(rows, &names);
        return some;
    }

    // The offset of a row, in the interface vector and in the control.
    int64_t at(const char* name) const {
        int64_t from = 0;
        for (const Row& row : rows) {
            if (!std::strcmp(row.name, name)) return from;
            from += row.size;
        }
        throw std::out_of_range(name);
    }

    // The numbers of each head.
    std::vector<Span> spans() const {
        std::vector<Span> all;
        int64_t from = 0;
        for (const Row& row : rows) {
            const int64_t size = row.heads ? row.size / row.heads : 0;
            for (int64_t head = 0; size && head < row.heads; ++head)
                all.push_back({from + head * size, size, row.first_head + head});
            from += row.size;
        }
        return all;
    }

    // "name:size:activation:group" of every row that is present.
    std::string text() const {
        std::string all;
        for (const Row& row : rows)
            if (row.size)
                all += (all.empty() ? "" : ",") + std::string(row.name) + ":" + std::to_string(row.size) + ":" +
                       Row::NAMES[row.activation] + ":" + std::to_string(row.group);
        return all;
    }

    void forward(const T* vector, T* control) const {
        for (const Block& block : blocks) activate(block, vector + block.from, control + block.from);
    }

    // `d` contains the gradients of the control and becomes those of the interface vector.
    void backward(const T* vector, const T* control, T* d) const {
        for (const Block& block : blocks)
            activate_backward(block, vector + block.from, control + block.from, d + block.from);
        for (int64_t i = 0; clips && i < size; ++i)
            if (vector[i] < -clip || vector[i] > clip) d[i] = 0;
    }

  private:
    struct Block {
        int64_t from, size;
        Row::Activation activation;
        int64_t group;
    };

    std::vector<Row> rows;
    std::vector<Block> blocks;
    T clip, least;
    bool clips;

    static int64_t size_of(const std::vector<Row>& rows, bool with_ones) {
        int64_t total = 0;
        for (const Row& row : rows) total += with_ones || row.activation != Row::one ? row.size : 0;
        return total;
    }

    static std::vector<Block> blocks_of(const std::vector<Row>& rows, const std::initializer_list<const char*>* names) {
        std::vector<Block> all;
        int64_t from = 0;
        for (const Row& row : rows) {
            bool wanted = row.size && !names;
            for (size_t i = 0; row.size && names && i < names->size(); ++i)
                wanted = wanted || !std::strcmp(row.name, names->begin()[i]);
            const bool joins = wanted && !all.empty() && all.back().from + all.back().size == from &&
                               all.back().activation == row.activation && all.back().group == row.group;
            if (joins)
                all.back().size += row.size;
            else if (wanted)
                all.push_back({from, row.size, row.activation, row.group});
            from += row.size;
        }
        return all;
    }

    void activate(const Block& block, const T* x, T* y) const {
        switch (block.activation) {
            case Row::identity: return each(block, x, y, [](Vector<T> v) { return v; });
            case Row::tanh: return each(block, x, y, [](Vector<T> v) { return hyperbolic_tangent<T>(v); });
            case Row::sigmoid: return each(block, x, y, [](Vector<T> v) { return sigmoid<T>(v); });
            case Row::floored_sigmoid:
                return each(block, x, y, [&](Vector<T> v) { return least + (T(1) - least) * sigmoid<T>(v); });
            case Row::softplus: return softpluses(block.size, x, y, T(0));
            case Row::oneplus: return softpluses(block.size, x, y, T(1));
            case Row::softmax:
                for (int64_t i = 0; i < block.size; i += block.group) softmax_of(block.group, x + i, y + i);
                return;
            case Row::one: std::fill(y, y + block.size, T(1));
        }
    }

    void activate_backward(const Block& block, const T* x, const T* y, T* d) const {
        switch (block.activation) {
            case Row::tanh: return each_backward(block, y, d, [](Vector<T> v) { return T(1) - v * v; });
            case Row::sigmoid: return each_backward(block, y, d, [](Vector<T> v) { return v * (T(1) - v); });
            case Row::floored_sigmoid:
                if (!(least < T(1))) return std::fill(d, d + block.size, T(0));
                return each_backward(block, y, d,
                                     [&](Vector<T> v) { return (v - least) * (T(1) - v) / (T(1) - least); });
            case Row::softplus:
            case Row::oneplus:
                for (int64_t i = 0; i < block.size; ++i) d[i] *= softplus_slope(clipped(x[i]));
                return;
            case Row::softmax:
                for (int64_t i = 0; i < block.size; i += block.group) softmax_backward_of(block.group, y + i, d + i);
                return;
            case Row::identity:
            case Row::one: return;
        }
    }

    template <typename Function>
    void each(const Block& block, const T* x, T* y, Function function) const {
        by_register<T>(block.size,
                       [&](int64_t i, int64_t count) { store(y + i, function(clipped(load(x + i, count))), count); });
    }

    template <typename Slope>
    static void each_backward(const Block& block, const T* y, T* d, Slope slope) {
        by_register<T>(block.size, [&](int64_t i, int64_t count) {
            store(d + i, load(d + i, count) * slope(load(y + i, count)), count);
        });
    }

    // lowest + log(1 + e^x)
    void softpluses(int64_t count, const T* x, T* y, T lowest) const {
        for (int64_t i = 0; i < count; ++i) {
            const T value = clipped(x[i]);
            y[i] = lowest + (value > LINEAR_FROM ? value : std::log1p(std::exp(value)));
        }
    }

    static T softplus_slope(T x) { return x > LINEAR_FROM ? T(1) : T(1) / (T(1) + std::exp(-x)); }

    void softmax_of(int64_t count, const T* x, T* y) const {
        T most = clipped(x[0]), total = 0;
        for (int64_t i = 1; i < count; ++i) most = std::max(most, clipped(x[i]));
        for (int64_t i = 0; i < count; ++i) total += y[i] = std::exp(clipped(x[i]) - most);
        for (int64_t i = 0; i < count; ++i) y[i] /= total;
    }

    static void softmax_backward_of(int64_t count, const T* y, T* d) {
        T total = 0;
        for (int64_t i = 0; i < count; ++i) total += y[i] * d[i];
        for (int64_t i = 0; i < count; ++i) d[i] = y[i] * (d[i] - total);
    }

    T clipped(T x) const { return x > clip ? clip : x < -clip ? -clip : x; }

    Vector<T> clipped(Vector<T> x) const {
        const Vector<T> below = x > clip ? all(clip) : x;
        return below < -clip ? all(-clip) : below;
    }

    static constexpr T LINEAR_FROM = 20;  // torch's softplus is the identity from here on
};
