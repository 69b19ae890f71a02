// Controller: what one layer of a recurrent controller does once its matrix products are there, forwards and backwards.
//
// `sums` is the layer's product with its recurrent inputs, `given` what was added from outside (the projected input, or
// the biases), both one block of `size` for each gate. Gates are kept activated for the way back.
#pragma once

#include "vectors.hpp"

enum class Controller : int64_t { lstm = 0, gru = 1, rnn = 2, feedforward = 3 };

inline int64_t gates_of(Controller kind) { return kind == Controller::lstm || kind == Controller::gru ? 4 : 1; }

inline bool sees_itself(Controller kind) { return kind != Controller::feedforward; }

// c = f c' + i g, h = o tanh c, with gates in the order i, f, g, o.
template <typename T>
void lstm_forward(int64_t size, const T* sums, const T* given, T* cell, T* hidden, T* gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        auto raw = [&](int64_t gate) {
            return load(sums + gate * size + j, count) + load(given + gate * size + j, count);
        };
        const Vector<T> write = sigmoid<T>(raw(0)), keep = sigmoid<T>(raw(1)),
                        candidate = hyperbolic_tangent<T>(raw(2)), show = sigmoid<T>(raw(3));
        const Vector<T> now = keep * load(cell + j, count) + write * candidate;
        store(gates + j, write, count);
        store(gates + size + j, keep, count);
        store(gates + 2 * size + j, candidate, count);
        store(gates + 3 * size + j, show, count);
        store(cell + j, now, count);
        store(hidden + j, show * hyperbolic_tangent<T>(now), count);
    });
}

// Turn d_cell from the gradient of c into that of c', and give the gradients of the raw gates.
template <typename T>
void lstm_backward(int64_t size, const T* gates, const T* before, const T* cell, const T* d_hidden, T* d_cell,
                   T* d_gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> write = load(gates + j, count), keep = load(gates + size + j, count);
        const Vector<T> candidate = load(gates + 2 * size + j, count), show = load(gates + 3 * size + j, count);
        const Vector<T> squashed = hyperbolic_tangent<T>(load(cell + j, count)), d = load(d_hidden + j, count);
        const Vector<T> d_now = load(d_cell + j, count) + d * show * (T(1) - squashed * squashed);
        store(d_gates + j, d_now * candidate * write * (T(1) - write), count);
        store(d_gates + size + j, d_now * load(before + j, count) * keep * (T(1) - keep), count);
        store(d_gates + 2 * size + j, d_now * write * (T(1) - candidate * candidate), count);
        store(d_gates + 3 * size + j, d * squashed * show * (T(1) - show), count);
        store(d_cell + j, d_now * keep, count);
    });
}

// h = (1 - z) n + z h', n = tanh(n_x + r n_h), with blocks in the order r, z, n_x, n_h.
template <typename T>
void gru_forward(int64_t size, const T* sums, const T* given, T* hidden, T* gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        auto raw = [&](int64_t gate) {
            return load(sums + gate * size + j, count) + load(given + gate * size + j, count);
        };
        const Vector<T> reset = sigmoid<T>(raw(0)), update = sigmoid<T>(raw(1)), own = raw(3);
        const Vector<T> candidate = hyperbolic_tangent<T>(raw(2) + reset * own);
        store(gates + j, reset, count);
        store(gates + size + j, update, count);
        store(gates + 2 * size + j, candidate, count);
        store(gates + 3 * size + j, own, count);
        store(hidden + j, (T(1) - update) * candidate + update * load(hidden + j, count), count);
    });
}

// Give the gradients of the raw blocks, and what of the gradient of h goes straight to h'.
template <typename T>
void gru_backward(int64_t size, const T* gates, const T* before, const T* d_hidden, T* d_before, T* d_gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> reset = load(gates + j, count), update = load(gates + size + j, count);
        const Vector<T> candidate = load(gates + 2 * size + j, count), own = load(gates + 3 * size + j, count);
        const Vector<T> d = load(d_hidden + j, count);
        const Vector<T> d_candidate = d * (T(1) - update) * (T(1) - candidate * candidate);
        store(d_gates + j, d_candidate * own * reset * (T(1) - reset), count);
        store(d_gates + size + j, d * (load(before + j, count) - candidate) * update * (T(1) - update), count);
        store(d_gates + 2 * size + j, d_candidate, count);
        store(d_gates + 3 * size + j, d_candidate * reset, count);
        store(d_before + j, d * update, count);
    });
}

// h = tanh(...), for the plain recurrent and the feed-forward controller.
template <typename T>
void plain_forward(int64_t size, const T* sums, const T* given, T* hidden, T* gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> now = hyperbolic_tangent<T>(load(sums + j, count) + load(given + j, count));
        store(hidden + j, now, count);
        store(gates + j, now, count);
    });
}

template <typename T>
void plain_backward(int64_t size, const T* gates, const T* d_hidden, T* d_gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> now = load(gates + j, count);
        store(d_gates + j, load(d_hidden + j, count) * (T(1) - now * now), count);
    });
}
