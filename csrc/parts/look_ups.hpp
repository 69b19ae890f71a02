// Look-ups: where the heads of a Differentiable Neural Computer find what is like their keys, in all columns or in what
// masks let through (Csordas & Schmidhuber 2019), forwards and backwards.
//
// A masked look-up is a look-up of the masked key in the masked tape.
#pragma once

#include "parts/addressing.hpp"

template <typename T>
class LookUps {
  public:
    LookUps(const Kinds& kinds, bool masked)
        : kinds(kinds), masked(masked), lookup(kinds), through(masked ? kinds.width * kinds.slots : 0),
          d_through(through.size()), d_tape(through.size()), key(kinds.width), d_key(kinds.width) {}

    // Look at a tape before any head asks.
    void face(const T* memory) {
        tape = memory;
        if (!masked) lookup.face(memory);
    }

    // The weights of a head; they stay until the next head asks.
    const T* find(const Told<T>& told, const T* mask) {
        if (!masked) return lookup.find(told);
        for (int64_t f = 0; f < kinds.width; ++f) {
            key[f] = told.key[f] * mask[f];
            for (int64_t i = 0; i < kinds.slots; i += LANES<T>)
                store(&through[f * kinds.slots + i], mask[f] * load(tape + f * kinds.slots + i));
        }
        lookup.face(through.data());
        return lookup.find(of_key(told, key));
    }

    // The way back through the last `find`.
    void find_backward(int64_t head, const Told<T>& told, const T* mask, const T* d_found, const Told<T>& d_told,
                       T* d_mask) {
        if (!masked) return lookup.find_backward(head, told, d_found, d_told);
        lookup.find_backward(0, of_key(told, key), d_found, of_key(d_told, d_key));
        clear(d_through.data(), d_through.size());
        lookup.settle(d_through.data());
        for (int64_t f = 0; f < kinds.width; ++f) {
            Vector<T> along = {};
            for (int64_t i = f * kinds.slots; i < (f + 1) * kinds.slots; i += LANES<T>) {
                const Vector<T> d = load(&d_through[i]);
                along += d * load(tape + i);
                store(&d_tape[i], load(&d_tape[i]) + d * mask[f]);
            }
            d_mask[f] = sum<T>(along) + d_key[f] * told.key[f];
            d_told.key[f] = d_key[f] * mask[f];
        }
    }

    // Add what all heads looked up to the gradient of the tape.
    void settle(T* d_memory) {
        if (!masked) return lookup.settle(d_memory);
        gather<T>(d_tape.data(), d_tape.size(), d_memory);
        clear(d_tape.data(), d_tape.size());
    }

  private:
    const Kinds kinds;
    const bool masked;
    Lookup<T> lookup;
    const T* tape = nullptr;
    Array<T> through, d_through, d_tape, key, d_key;

    static Told<T> of_key(Told<T> told, Array<T>& key) {
        told.key = key.data();
        return told;
    }
};
