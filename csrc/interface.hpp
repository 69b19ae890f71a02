// Interface: from the raw numbers of the last matrix product to what every head is told, and back.
//
// The blocks are those of memtape/memory/turing.py and content.py: keys | strengths | gates | kernel | exponents |
// erase | add, read heads first; by content alone there are no gates, kernel and exponents.
#pragma once

#include "addressing.hpp"

template <typename T>
class Interface {
  public:
    const int64_t heads, writes, width, offsets;
    const bool location, squash;
    const T clip;
    const int64_t strengths, gates, kernel, exponents, erase, add, size;  // where each block begins, and the end

    Interface(int64_t reads, int64_t writes, int64_t width, int64_t reach, bool location, bool squash, double clip)
        : heads(reads + writes), writes(writes), width(width), offsets(2 * reach + 1), location(location),
          squash(squash), clip(T(clip)), strengths(heads * width), gates(strengths + heads),
          kernel(gates + (location ? heads : 0)), exponents(kernel + (location ? heads * offsets : 0)),
          erase(exponents + (location ? heads : 0)), add(erase + writes * width), size(add + writes * width) {}

    Told<T> told(T* control, int64_t head) const {
        return {control + head * width, control + strengths + head, control + gates + head,
                control + kernel + head * offsets, control + exponents + head};
    }

    void forward(const T* raw, T* control) const {
        squashed(raw, control, 0, strengths);
        for (int64_t h = 0; h < heads; ++h) control[strengths + h] = softplus(clipped(raw[strengths + h]));
        if (location) {
            sigmoids(raw, control, gates, kernel);
            for (int64_t h = 0; h < heads; ++h)
                distribution(raw + kernel + h * offsets, control + kernel + h * offsets);
            for (int64_t h = 0; h < heads; ++h) control[exponents + h] = T(1) + softplus(clipped(raw[exponents + h]));
        }
        what_is_written(raw, control);
    }

    // The part that says what is written.
    void what_is_written(const T* raw, T* control) const {
        sigmoids(raw, control, erase, add);
        squashed(raw, control, add, size);
    }

    // `d` holds the gradients of the control and becomes those of the raw numbers.
    void backward(const T* raw, const T* control, T* d) const {
        if (squash) {
            squashed_backward(control, d, 0, strengths);
            squashed_backward(control, d, add, size);
        }
        for (int64_t h = 0; h < heads; ++h) d[strengths + h] *= softplus_slope(clipped(raw[strengths + h]));
        if (location) {
            sigmoids_backward(control, d, gates, kernel);
            for (int64_t h = 0; h < heads; ++h) {
                T total = 0;
                const T* s = control + kernel + h * offsets;
                T* ds = d + kernel + h * offsets;
                for (int64_t j = 0; j < offsets; ++j) total += s[j] * ds[j];
                for (int64_t j = 0; j < offsets; ++j) ds[j] = s[j] * (ds[j] - total);
            }
            for (int64_t h = 0; h < heads; ++h) d[exponents + h] *= softplus_slope(clipped(raw[exponents + h]));
        }
        sigmoids_backward(control, d, erase, add);
        for (int64_t i = 0; i < size; ++i)
            if (raw[i] < -clip || raw[i] > clip) d[i] = 0;
    }

  private:
    T clipped(T x) const { return x > clip ? clip : x < -clip ? -clip : x; }

    Vector<T> clipped(Vector<T> x) const {
        const Vector<T> below = x > clip ? all(clip) : x;
        return below < -clip ? all(-clip) : below;
    }

    static constexpr T linear_from = 20;  // torch's softplus is the identity from here on

    static T softplus(T x) { return x > linear_from ? x : std::log1p(std::exp(x)); }

    static T softplus_slope(T x) { return x > linear_from ? T(1) : T(1) / (T(1) + std::exp(-x)); }

    void squashed(const T* raw, T* control, int64_t from, int64_t to) const {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            const Vector<T> x = clipped(load(raw + from + i, count));
            store(control + from + i, squash ? hyperbolic_tangent<T>(x) : x, count);
        });
    }

    void sigmoids(const T* raw, T* control, int64_t from, int64_t to) const {
        by_register<T>(to - from, [&](int64_t i, int64_t count) {
            store(control + from + i, sigmoid<T>(clipped(load(raw + from + i, count))), count);
        });
    }

    static void squashed_backward(const T* control, T* d, int64_t from, int64_t to) {
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

    void distribution(const T* raw, T* s) const {
        T most = clipped(raw[0]), total = 0;
        for (int64_t j = 1; j < offsets; ++j) most = std::max(most, clipped(raw[j]));
        for (int64_t j = 0; j < offsets; ++j) total += s[j] = std::exp(clipped(raw[j]) - most);
        for (int64_t j = 0; j < offsets; ++j) s[j] /= total;
    }
};
