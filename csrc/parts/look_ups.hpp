// Look-ups: content addressing of a Differentiable Neural Computer, with masks of the columns (Csordas & Schmidhuber
// 2019) or without, forward and backward.
//
// A masked look-up compares the masked key with the masked tape.
#pragma once

#include "parts/addressing.hpp"

template <typename T>
class LookUps {
  public:
    LookUps(const Kinds& kinds, bool masked)
        : kinds(kinds), masked(masked), lookup(kinds), through(masked ? kinds.width * kinds.slots : 0),
          d_through(through.size()), d_tape(through.size()), key(kinds.width), d_key(kinds.width) {}

    // Prepare a tape for the heads.
    void prepare(const T* memory) {
        tape = memory;
        if (!masked) lookup.prepare(memory);
    }

    // The weights of a head; they are valid until the next call.
    const T* find(const HeadParameters<T>& parameters, const T* mask) {
        if (!masked) return lookup.find(parameters);
        for (int64_t f = 0; f < kinds.width; ++f) {
            key[f] = parameters.key[f] * mask[f];
            for (int64_t i = 0; i < kinds.slots; i += LANES<T>)
                store(&through[f * kinds.slots + i], mask[f] * load(tape + f * kinds.slots + i));
        }
        lookup.prepare(through.data());
        return lookup.find(of_key(parameters, key));
    }

    // Backward pass of the last `find`.
    void find_backward(int64_t head, const HeadParameters<T>& parameters, const T* mask, const T* d_found,
                       const HeadParameters<T>& d_parameters, T* d_mask) {
        if (!masked) return lookup.find_backward(head, parameters, d_found, d_parameters);
        lookup.find_backward(0, of_key(parameters, key), d_found, of_key(d_parameters, d_key));
        clear(d_through.data(), d_through.size());
        lookup.add_tape_gradient(d_through.data());
        for (int64_t f = 0; f < kinds.width; ++f) {
            Vector<T> along = {};
            for (int64_t i = f * kinds.slots; i < (f + 1) * kinds.slots; i += LANES<T>) {
                const Vector<T> d = load(&d_through[i]);
                along += d * load(tape + i);
                store(&d_tape[i], load(&d_tape[i]) + d * mask[f]);
            }
            d_mask[f] = sum<T>(along) + d_key[f] * parameters.key[f];
            d_parameters.key[f] = d_key[f] * mask[f];
        }
    }

    // Add the gradients through all heads to that of the tape.
    void add_tape_gradient(T* d_memory) {
        if (!masked) return lookup.add_tape_gradient(d_memory);
        gather<T>(d_tape.data(), d_tape.size(), d_memory);
        clear(d_tape.data(), d_tape.size());
    }

  private:
    const Kinds kinds;
    const bool masked;
    Lookup<T> lookup;
    const T* tape = nullptr;
    Array<T> through, d_through, d_tape, key, d_key;

    static HeadParameters<T> of_key(HeadParameters<T> parameters, Array<T>& key) {
        parameters.key = key.data();
        return parameters;
    }
};
