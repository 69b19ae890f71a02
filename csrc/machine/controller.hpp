// Controller: one layer of a recurrent network after its matrix products, forward and backward.
//
// `gates` contains one block of `size` numbers for each gate; they are replaced by their activations, which are saved
// for the backward pass.
#pragma once

#include "base/normalisation.hpp"

enum class Controller : int64_t { lstm = 0, gru = 1, rnn = 2, feedforward = 3 };

inline int64_t gates_of(Controller kind) { return kind == Controller::lstm || kind == Controller::gru ? 4 : 1; }

inline bool sees_itself(Controller kind) { return kind != Controller::feedforward; }

enum class Activation : int64_t { tangent = 0, sigmoid = 1, rectifier = 2 };

template <typename T>
inline Vector<T> activated(Activation kind, Vector<T> x) {
    switch (kind) {
        case Activation::tangent: return hyperbolic_tangent<T>(x);
        case Activation::sigmoid: return sigmoid<T>(x);
        default: return x < T(0) ? Vector<T>{} : x;
    }
}

// The derivative of an activation at output y.
template <typename T>
inline Vector<T> slope(Activation kind, Vector<T> y) {
    switch (kind) {
        case Activation::tangent: return T(1) - y * y;
        case Activation::sigmoid: return y * (T(1) - y);
        default: return y > T(0) ? all(T(1)) : Vector<T>{};
    }
}

// The other parameters of an LSTM, or their gradients, which are added to; null pointers for absent ones.
template <typename T>
struct Extras {
    T* peepholes = nullptr;                // blocks of the input, the forget and the output gate
    T *gain = nullptr, *offset = nullptr;  // of the normalised cell
};

// c = f c' + i g, h = o tanh c, with gates in the order i, f, g, o.
template <typename T>
void lstm_forward(int64_t size, T* gates, T* cell, T* hidden, Activation candidate_by = Activation::tangent,
                  const Extras<T>& extras = {}, T epsilon = 0) {
    const T* peepholes = extras.peepholes;
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> before = load(cell + j, count);
        Vector<T> write = load(gates + j, count), keep = load(gates + size + j, count);
        if (peepholes) {
            write += load(peepholes + j, count) * before;
            keep += load(peepholes + size + j, count) * before;
        }
        write = sigmoid<T>(write);
        keep = sigmoid<T>(keep);
        const Vector<T> candidate = activated<T>(candidate_by, load(gates + 2 * size + j, count));
        const Vector<T> now = keep * before + write * candidate;
        Vector<T> show = load(gates + 3 * size + j, count);
        if (peepholes) show += load(peepholes + 2 * size + j, count) * now;
        show = sigmoid<T>(show);
        store(gates + j, write, count);
        store(gates + size + j, keep, count);
        store(gates + 2 * size + j, candidate, count);
        store(gates + 3 * size + j, show, count);
        store(cell + j, now, count);
        store(hidden + j, extras.gain ? now : show * hyperbolic_tangent<T>(now), count);
    });
    if (!extras.gain) return;
    normalise(size, hidden, epsilon, hidden, [&](Vector<T> normal, int64_t j, int64_t count) {
        const Vector<T> shown = normal * load(extras.gain + j, count) + load(extras.offset + j, count);
        return load(gates + 3 * size + j, count) * hyperbolic_tangent<T>(shown);
    });
}

// d_cell, the gradient of c, becomes that of c'; also compute the gradients before the gates' activations. `before` is
// c'.
template <typename T>
void lstm_backward(int64_t size, const T* gates, const T* before, const T* d_hidden, T* d_cell, T* d_gates,
                   Activation candidate_by = Activation::tangent, const Extras<T>& extras = {}, T epsilon = 0,
                   const Extras<T>& d_extras = {}) {
    const T* peepholes = extras.peepholes;
    T *normal = d_gates, *d_shown = d_gates + size;
    auto remembered = [&](int64_t j, int64_t count) {
        return load(gates + size + j, count) * load(before + j, count) +
               load(gates + j, count) * load(gates + 2 * size + j, count);
    };
    if (extras.gain) {
        by_register<T>(size, [&](int64_t j, int64_t count) { store(d_shown + j, remembered(j, count), count); });
        const T scale = normalise(size, d_shown, epsilon, normal, [&](Vector<T> now, int64_t j, int64_t count) {
            const Vector<T> squashed =
                hyperbolic_tangent<T>(now * load(extras.gain + j, count) + load(extras.offset + j, count));
            const Vector<T> show = load(gates + 3 * size + j, count), d = load(d_hidden + j, count);
            store(d_gates + 3 * size + j, d * squashed * show * (T(1) - show), count);
            return d * show * (T(1) - squashed * squashed);
        });
        gather<T>(d_shown, size, d_extras.offset);
        normalise_backward<T>(size, normal, scale, extras.gain, d_shown, d_extras.gain);
    }
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> write = load(gates + j, count), keep = load(gates + size + j, count);
        const Vector<T> candidate = load(gates + 2 * size + j, count), last = load(before + j, count);
        const Vector<T> now = remembered(j, count);
        Vector<T> d_now = load(d_cell + j, count), d_show;
        if (extras.gain) {
            d_now += load(d_shown + j, count);
            d_show = load(d_gates + 3 * size + j, count);
        } else {
            const Vector<T> show = load(gates + 3 * size + j, count), d = load(d_hidden + j, count);
            const Vector<T> squashed = hyperbolic_tangent<T>(now);
            d_now += d * show * (T(1) - squashed * squashed);
            d_show = d * squashed * show * (T(1) - show);
        }
        if (peepholes) d_now += d_show * load(peepholes + 2 * size + j, count);
        const Vector<T> d_write = d_now * candidate * write * (T(1) - write);
        const Vector<T> d_keep = d_now * last * keep * (T(1) - keep);
        Vector<T> d_before = d_now * keep;
        if (peepholes) {
            d_before += d_write * load(peepholes + j, count) + d_keep * load(peepholes + size + j, count);
            const Vector<T> seen[] = {d_write * last, d_keep * last, d_show * now};
            for (int64_t gate = 0; gate < 3; ++gate) {
                T* to = d_extras.peepholes + gate * size + j;
                store(to, load(to, count) + seen[gate], count);
            }
        }
        store(d_gates + j, d_write, count);
        store(d_gates + size + j, d_keep, count);
        store(d_gates + 2 * size + j, d_now * write * slope<T>(candidate_by, candidate), count);
        store(d_gates + 3 * size + j, d_show, count);
        store(d_cell + j, d_before, count);
    });
}

// h = (1 - z) n + z h', n = tanh(n_x + r n_h), with blocks in the order r, z, n_x, n_h.
template <typename T>
void gru_forward(int64_t size, T* gates, T* hidden, Activation candidate_by = Activation::tangent) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> reset = sigmoid<T>(load(gates + j, count)), update = sigmoid<T>(load(gates + size + j, count));
        const Vector<T> raw = load(gates + 2 * size + j, count) + reset * load(gates + 3 * size + j, count);
        const Vector<T> candidate = activated<T>(candidate_by, raw);
        store(gates + j, reset, count);
        store(gates + size + j, update, count);
        store(gates + 2 * size + j, candidate, count);
        store(hidden + j, (T(1) - update) * candidate + update * load(hidden + j, count), count);
    });
}

// Compute the gradients of the blocks r, z, n_x and, separately, n_h, and the direct part of the gradient of h'.
template <typename T>
void gru_backward(int64_t size, const T* gates, const T* before, const T* d_hidden, T* d_before, T* d_gates, T* d_own,
                  Activation candidate_by = Activation::tangent) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> reset = load(gates + j, count), update = load(gates + size + j, count);
        const Vector<T> candidate = load(gates + 2 * size + j, count), own = load(gates + 3 * size + j, count);
        const Vector<T> d = load(d_hidden + j, count);
        const Vector<T> d_candidate = d * (T(1) - update) * slope<T>(candidate_by, candidate);
        store(d_gates + j, d_candidate * own * reset * (T(1) - reset), count);
        store(d_gates + size + j, d * (load(before + j, count) - candidate) * update * (T(1) - update), count);
        store(d_gates + 2 * size + j, d_candidate, count);
        store(d_own + j, d_candidate * reset, count);
        store(d_before + j, d * update, count);
    });
}

// The same with the reset before the product: first r, z and r h', the factor of n's product.
template <typename T>
void early_reset_forward(int64_t size, T* gates, const T* hidden, T* reset_hidden) {
    by_register<T>(2 * size,
                   [&](int64_t j, int64_t count) { store(gates + j, sigmoid<T>(load(gates + j, count)), count); });
    by_register<T>(size, [&](int64_t j, int64_t count) {
        store(reset_hidden + j, load(gates + j, count) * load(hidden + j, count), count);
    });
}

template <typename T>
void early_reset_backward(int64_t size, const T* gates, const T* before, const T* d_reset_hidden, T* d_before,
                          T* d_gates) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> reset = load(gates + j, count), d = load(d_reset_hidden + j, count);
        store(d_gates + j, d * load(before + j, count) * reset * (T(1) - reset), count);
        store(d_before + j, load(d_before + j, count) + d * reset, count);
    });
}

// Then h = (1 - z) n + z h'.
template <typename T>
void blend_forward(int64_t size, T* gates, T* hidden, Activation candidate_by) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> update = load(gates + size + j, count);
        const Vector<T> candidate = activated<T>(candidate_by, load(gates + 2 * size + j, count));
        store(gates + 2 * size + j, candidate, count);
        store(hidden + j, (T(1) - update) * candidate + update * load(hidden + j, count), count);
    });
}

template <typename T>
void blend_backward(int64_t size, const T* gates, const T* before, const T* d_hidden, T* d_before, T* d_gates,
                    Activation candidate_by) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> update = load(gates + size + j, count), candidate = load(gates + 2 * size + j, count);
        const Vector<T> d = load(d_hidden + j, count);
        store(d_gates + size + j, d * (load(before + j, count) - candidate) * update * (T(1) - update), count);
        store(d_gates + 2 * size + j, d * (T(1) - update) * slope<T>(candidate_by, candidate), count);
        store(d_before + j, d * update, count);
    });
}

// h = v = tanh(...) or another activation; of a leaky unit h = a h' + (1 - a) v, where `leak` holds the a.
template <typename T>
void plain_forward(int64_t size, T* gates, T* hidden, Activation by = Activation::tangent, const T* leak = nullptr) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> now = activated<T>(by, load(gates + j, count));
        store(gates + j, now, count);
        if (leak) {
            const Vector<T> a = load(leak + j, count);
            store(hidden + j, a * load(hidden + j, count) + (T(1) - a) * now, count);
        } else {
            store(hidden + j, now, count);
        }
    });
}

// Compute the gradient before the activation; for leaky units also the direct part of that of h', and add to d_leak.
template <typename T>
void plain_backward(int64_t size, const T* gates, const T* d_hidden, T* d_gates, Activation by = Activation::tangent,
                    const T* leak = nullptr, const T* before = nullptr, T* d_before = nullptr, T* d_leak = nullptr) {
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const Vector<T> now = load(gates + j, count);
        Vector<T> d = load(d_hidden + j, count);
        if (leak) {
            const Vector<T> a = load(leak + j, count);
            store(d_leak + j, load(d_leak + j, count) + d * (load(before + j, count) - now), count);
            store(d_before + j, d * a, count);
            d *= T(1) - a;
        }
        store(d_gates + j, d * slope<T>(by, now), count);
    });
}
