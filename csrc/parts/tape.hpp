// Tape: one row's memory, stored feature by feature (width x slots, slots padded to whole registers), and its
// operations.
//
// Every operation has one of three forms: a sum over features for each slot, a sum over slots for each feature, or a
// change of every number by a number of its slot and one of its feature.
#pragma once

#include "base/vectors.hpp"

// out[slot] (+)= sum over features of vector[feature] tape[feature][slot]
template <typename T, bool ADD>
inline void over_features(int64_t width, int64_t slots, const T* tape, const T* vector, T* out) {
    constexpr int BLOCK = 4;
    auto block = [&](int64_t i, auto registers) {
        constexpr int count = decltype(registers)::value;
        Vector<T> sums[count];
#pragma GCC unroll 4
        for (int b = 0; b < count; ++b) sums[b] = ADD ? load(out + i + b * LANES<T>) : Vector<T>{};
        for (int64_t f = 0; f < width; ++f)
#pragma GCC unroll 4
            for (int b = 0; b < count; ++b) sums[b] += vector[f] * load(tape + f * slots + i + b * LANES<T>);
#pragma GCC unroll 4
        for (int b = 0; b < count; ++b) store(out + i + b * LANES<T>, sums[b]);
    };
    int64_t i = 0;
    for (; i + BLOCK * LANES<T> <= slots; i += BLOCK * LANES<T>) block(i, std::integral_constant<int, BLOCK>());
    for (; i < slots; i += LANES<T>) block(i, std::integral_constant<int, 1>());
}

// out[feature] = sum over slots of weights[slot] tape[feature][slot]
template <typename T>
inline void over_slots(int64_t width, int64_t slots, const T* tape, const T* weights, T* out) {
    for (int64_t f = 0; f < width; ++f) {
        Vector<T> total = {};
        for (int64_t i = 0; i < slots; i += LANES<T>) total += load(weights + i) * load(tape + f * slots + i);
        out[f] = sum<T>(total);
    }
}

// tape[feature][slot] += sum over heads of vectors[head][feature] weights[head][slot]
template <typename T>
inline void add_outer(int64_t width, int64_t slots, int64_t heads, T* tape, const T* vectors, const T* weights) {
    for (int64_t f = 0; f < width; ++f)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            Vector<T> value = load(tape + f * slots + i);
            for (int64_t h = 0; h < heads; ++h) value += vectors[h * width + f] * load(weights + h * slots + i);
            store(tape + f * slots + i, value);
        }
}

// to = from * prod over heads of (1 - weights erase) + sum over heads of weights add; `weights` is heads x slots.
template <typename T>
inline void write_tape(int64_t width, int64_t slots, int64_t heads, const T* from, const T* weights, const T* erase,
                       const T* add, T* to) {
    for (int64_t f = 0; f < width; ++f)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            Vector<T> value = load(from + f * slots + i);
            for (int64_t h = 0; h < heads; ++h) value *= T(1) - load(weights + h * slots + i) * erase[h * width + f];
            for (int64_t h = 0; h < heads; ++h) value += load(weights + h * slots + i) * add[h * width + f];
            store(to + f * slots + i, value);
        }
}

// to = from * (1 - weights erase), one head
template <typename T>
inline void erase_tape(int64_t width, int64_t slots, const T* from, const T* weights, const T* erase, T* to) {
    for (int64_t f = 0; f < width; ++f)
        for (int64_t i = 0; i < slots; i += LANES<T>)
            store(to + f * slots + i, load(from + f * slots + i) * (T(1) - load(weights + i) * erase[f]));
}

// Backward pass of the adds of one head: d_add = d_tape weights, d_weights += add d_tape.
template <typename T>
inline void add_backward(int64_t width, int64_t slots, const T* d_tape, const T* weights, const T* add, T* d_weights,
                         T* d_add) {
    over_slots(width, slots, d_tape, weights, d_add);
    over_features<T, true>(width, slots, d_tape, add, d_weights);
}

// Backward pass of the erase of one head; `before` is the tape before the erase. d_tape becomes the gradient of
// `before`.
template <typename T>
inline void erase_backward(int64_t width, int64_t slots, const T* before, const T* weights, const T* erase, T* d_tape,
                           T* d_weights, T* d_erase) {
    for (int64_t f = 0; f < width; ++f) {
        Vector<T> total = {};
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> d = load(d_tape + f * slots + i), w = load(weights + i);
            const Vector<T> lost = load(before + f * slots + i) * d;
            total += w * lost;
            store(d_weights + i, load(d_weights + i) - lost * erase[f]);
            store(d_tape + f * slots + i, d * (T(1) - w * erase[f]));
        }
        d_erase[f] = -sum<T>(total);
    }
}

// The same for the erases of all heads, one after another; `chain` is a buffer for the tapes between them.
template <typename T>
inline void erases_backward(int64_t width, int64_t slots, int64_t heads, const T* before, const T* weights,
                            const T* erase, T* chain, T* d_tape, T* d_weights, T* d_erase) {
    const int64_t size = width * slots;
    auto erased_by = [&](int64_t h) { return h ? chain + (h - 1) * size : before; };
    for (int64_t h = 0; h + 1 < heads; ++h)
        erase_tape(width, slots, erased_by(h), weights + h * slots, erase + h * width, chain + h * size);
    for (int64_t h = heads - 1; h >= 0; --h)
        erase_backward(width, slots, erased_by(h), weights + h * slots, erase + h * width, d_tape,
                       d_weights + h * slots, d_erase + h * width);
}

// to = from * kept, of each slot
template <typename T>
inline void keep_tape(int64_t width, int64_t slots, const T* from, const T* kept, T* to) {
    for (int64_t f = 0; f < width; ++f)
        for (int64_t i = 0; i < slots; i += LANES<T>)
            store(to + f * slots + i, load(from + f * slots + i) * load(kept + i));
}

// Its backward pass; d_tape becomes the gradient of the previous tape, and the gradient of `kept` is added to d_kept.
template <typename T>
inline void keep_backward(int64_t width, int64_t slots, const T* before, const T* kept, T* d_tape, T* d_kept) {
    for (int64_t f = 0; f < width; ++f)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> d = load(d_tape + f * slots + i);
            store(d_kept + i, load(d_kept + i) + d * load(before + f * slots + i));
            store(d_tape + f * slots + i, d * load(kept + i));
        }
}

// Convert (batch row) slots x width, the layout of torch, to and from a tape.
template <typename T>
inline void to_tape(int64_t width, int64_t count, int64_t slots, const T* memory, T* tape) {
    for (int64_t f = 0; f < width; ++f) {
        for (int64_t i = 0; i < count; ++i) tape[f * slots + i] = memory[i * width + f];
        for (int64_t i = count; i < slots; ++i) tape[f * slots + i] = 0;
    }
}

template <typename T>
inline void from_tape(int64_t width, int64_t count, int64_t slots, const T* tape, T* memory) {
    for (int64_t i = 0; i < count; ++i)
        for (int64_t f = 0; f < width; ++f) memory[i * width + f] = tape[f * slots + i];
}
