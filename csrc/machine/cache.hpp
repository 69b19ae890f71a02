// Cache: attention over the hidden vectors that the first layer of the controller had in the last steps.
//
// A step with a place stores the hidden vector h before it in this place of its row's cache. If it also accesses the
// memory, the layer receives sum_j w_j d_j instead of h, where d are the cached vectors, r is what was read last, and
// w = softmax_j(v . tanh(U d_j + W [h, r])).
#pragma once

#include <vector>

#include "base/matrix.hpp"
#include "base/softmax.hpp"
#include "machine/accesses.hpp"

// The steps that store a hidden vector, and those with attention.
class Cache {
  public:
    const int64_t size;   // vectors of a row
    const int64_t units;  // of the attention

    Cache(const memtape_machine_sizes& s, const Accesses& accesses)
        : size(s.cached), units(s.units), time(s.time), places(s.places), accesses(accesses) {}

    // Where a step stores the hidden vector before it; below 0 for nowhere.
    int64_t place(int64_t row, int64_t t) const { return places ? places[row * time + t] : -1; }

    bool attends(int64_t row, int64_t t) const { return place(row, t) >= 0 && accesses.at(row, t); }

    // For each place, the step that stored its vector, if step t was the last one; below 0 for an initial vector.
    void find_steps(int64_t row, int64_t t, int64_t* steps) const {
        std::fill(steps, steps + size, -1);
        for (int64_t missing = size; t >= 0 && missing; --t) {
            const int64_t at = place(row, t);
            if (at >= 0 && steps[at] < 0) steps[at] = t, --missing;
        }
    }

  private:
    const int64_t time;
    const int64_t* const places;
    const Accesses& accesses;
};

// The parameters of the attention.
template <typename T>
struct AttentionMatrices {
    const int64_t units, hidden, read_size;
    Packed<T> of_cached, of_now;  // U and W
    Packed<T> to_cached, to_now;  // the same transposed, for the backward pass
    const T* const score;         // v

    AttentionMatrices(int64_t units, int64_t hidden, int64_t read_size, const T* cached, const T* now, const T* score)
        : units(units), hidden(hidden), read_size(read_size), of_cached(hidden, units),
          of_now(hidden + read_size, units), to_cached(units, hidden), to_now(units, hidden + read_size), score(score) {
        const int64_t seen = hidden + read_size;
        of_cached.place(0, hidden, 1, 0, units, hidden, cached);
        of_now.place(0, seen, 1, 0, units, seen, now);
        to_cached.place(0, units, hidden, 0, hidden, 1, cached);
        to_now.place(0, units, seen, 0, seen, 1, now);
    }
};

// Their gradients, summed by one thread.
template <typename T>
struct AttentionGradients {
    MatrixGradient<T> cached, now;
    Array<T> score;

    AttentionGradients(int64_t units, int64_t hidden, int64_t read_size)
        : cached(units, hidden), now(units, hidden + read_size), score(units) {}

    void add(const AttentionGradients& other) {
        cached.add(other.cached);
        now.add(other.now);
        gather(other.score.data(), score.size(), score.data());
    }
};

// Attention of one row; each thread has its own.
template <typename T>
class Attention {
  public:
    const int64_t stride;  // of cached vectors

    Attention(const AttentionMatrices<T>& matrices, int64_t size)
        : stride(whole_panels<T>(matrices.hidden)), p(matrices), size(size), units(p.units),
          units_stride(p.of_now.padded_outputs()), back_stride(p.to_cached.padded_outputs()),
          seen(whole_panels<T>(p.hidden + p.read_size)), now(units_stride), active(size * units_stride),
          weights(padded<T>(size)), d_weights(padded<T>(size)), d_now(units_stride), d_active(size * units_stride),
          back(std::max(size * back_stride, p.to_now.padded_outputs())) {}

    // The hidden vector becomes the weighted sum.
    void forward(const T* reads, const T* cached, T* hidden) {
        weigh(hidden, reads, cached);
        clear(hidden, p.hidden);
        for (int64_t j = 0; j < size; ++j) add_scaled(cached + j * stride, weights[j], p.hidden, hidden);
    }

    // From the gradient of the weighted sum to that of the hidden vector; add those of all else.
    void backward(const T* hidden, const T* reads, const T* cached, T* d_hidden, T* d_reads, T* d_cached,
                  AttentionGradients<T>& d_parameters) {
        weigh(hidden, reads, cached);
        for (int64_t j = 0; j < size; ++j) {
            d_weights[j] = dot(cached + j * stride, (const T*)d_hidden, p.hidden);
            add_scaled((const T*)d_hidden, weights[j], p.hidden, d_cached + j * p.hidden);
        }
        softmax_backward<T>(padded<T>(size), weights.data(), d_weights.data());
        clear(d_now.data(), units);
        for (int64_t j = 0; j < size; ++j) {
            const T *own = &active[j * units_stride], d = d_weights[j];
            T* d_own = &d_active[j * units_stride];
            by_register<T>(units, [&](int64_t i, int64_t some) {
                const Vector<T> on = load(own + i, some);
                store(d_own + i, d * load(p.score + i, some) * (T(1) - on * on), some);
            });
            add_scaled(own, d, units, d_parameters.score.data());
            gather((const T*)d_own, units, d_now.data());
        }
        p.to_cached.multiply(size, d_active.data(), units_stride, back.data(), back_stride);
        for (int64_t j = 0; j < size; ++j) gather((const T*)&back[j * back_stride], p.hidden, d_cached + j * p.hidden);
        p.to_now.multiply(1, d_now.data(), units_stride, back.data(), back.size());
        copy((const T*)back.data(), p.hidden, d_hidden);
        gather((const T*)&back[p.hidden], p.read_size, d_reads);
        d_parameters.cached.add(size, d_active.data(), units_stride, cached, stride);
        d_parameters.now.add(1, d_now.data(), units_stride, seen.data(), seen.size());
    }

  private:
    const AttentionMatrices<T>& p;
    const int64_t size, units, units_stride, back_stride;
    Array<T> seen, now, active, weights, d_weights, d_now, d_active, back;

    // The weights of the cached vectors, and in `active` the values of tanh.
    void weigh(const T* hidden, const T* reads, const T* cached) {
        copy(reads, p.read_size, copy(hidden, p.hidden, seen.data()));
        p.of_now.multiply(1, seen.data(), seen.size(), now.data(), units_stride);
        p.of_cached.multiply(size, cached, stride, active.data(), units_stride);
        for (int64_t j = 0; j < size; ++j) {
            T* own = &active[j * units_stride];
            weights[j] = total<T>(units, [&](int64_t i, int64_t some) {
                const Vector<T> on = hyperbolic_tangent<T>(load(own + i, some) + load(&now[i], some));
                store(own + i, on, some);
                return on * load(p.score + i, some);
            });
        }
        softmax<T>(size, padded<T>(size), weights.data());
    }
};
