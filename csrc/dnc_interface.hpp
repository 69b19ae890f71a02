// Interface: from the raw numbers of the last matrix product to what every head of a Differentiable Neural Computer is
// told, and back.
//
// The blocks are those of memtape/memory/dnc_interface.py, in the order of the paper.
#pragma once

#include "parts/addressing.hpp"
#include "machine/blocks.hpp"

template <typename T>
class DNCInterface {
  public:
    const int64_t width, modes;  // modes of a read head
    const bool squash;
    const T least_strength, mask_floor;
    const Raw<T> raw_numbers;
    // Where each block begins, and the end.
    const int64_t read_strengths, write_keys, write_strengths, erase, add, free_gates, allocation_gates, write_gates,
        read_modes, read_masks, write_masks, back_exponents, ahead_exponents, size;

    DNCInterface(int64_t reads, int64_t writes, int64_t width, bool oneplus, bool squash, bool masked,
                 double mask_floor, bool sharpen, double clip)
        : width(width), modes(1 + 2 * writes), squash(squash), least_strength(oneplus ? 1 : 0),
          mask_floor(T(mask_floor)), raw_numbers(clip), read_strengths(reads * width),
          write_keys(read_strengths + reads), write_strengths(write_keys + writes * width),
          erase(write_strengths + writes), add(erase + writes * width), free_gates(add + writes * width),
          allocation_gates(free_gates + reads), write_gates(allocation_gates + writes),
          read_modes(write_gates + writes), read_masks(read_modes + reads * modes),
          write_masks(read_masks + (masked ? reads * width : 0)),
          back_exponents(write_masks + (masked ? writes * width : 0)),
          ahead_exponents(back_exponents + (sharpen ? reads * writes : 0)),
          size(ahead_exponents + (sharpen ? reads * writes : 0)) {}

    Told<T> reader(T* control, int64_t head) const { return told(control, head, 0, read_strengths); }

    Told<T> writer(T* control, int64_t head) const { return told(control, head, write_keys, write_strengths); }

    // Without masks these are not read.
    T* read_mask(T* control, int64_t head) const { return control + read_masks + head * width; }

    T* write_mask(T* control, int64_t head) const { return control + write_masks + head * width; }

    // Where it is told how sharply a read head follows links in a mode.
    int64_t exponent(int64_t read, int64_t mode) const {
        const int64_t writes = modes / 2;
        return mode < writes ? back_exponents + read * writes + mode
                             : ahead_exponents + read * writes + mode - writes - 1;
    }

    void forward(const T* raw, T* control) const {
        squashed(raw, control, 0, read_strengths);
        raw_numbers.softpluses(raw, control, read_strengths, write_keys, least_strength);
        squashed(raw, control, write_keys, write_strengths);
        raw_numbers.softpluses(raw, control, write_strengths, erase, least_strength);
        what_is_written(raw, control);
        raw_numbers.sigmoids(raw, control, allocation_gates, read_modes);
        raw_numbers.distributions(raw, control, read_modes, read_masks, modes);
        raw_numbers.sigmoids(raw, control, read_masks, back_exponents);
        for (int64_t i = read_masks; i < back_exponents; ++i)
            control[i] = mask_floor + (T(1) - mask_floor) * control[i];
        raw_numbers.softpluses(raw, control, back_exponents, size, 1);
    }

    // The part that says what is written and what is freed.
    void what_is_written(const T* raw, T* control) const {
        raw_numbers.sigmoids(raw, control, erase, add);
        squashed(raw, control, add, free_gates);
        raw_numbers.sigmoids(raw, control, free_gates, allocation_gates);
    }

    // `d` holds the gradients of the control and becomes those of the raw numbers.
    void backward(const T* raw, const T* control, T* d) const {
        if (squash) {
            raw_numbers.tangents_backward(control, d, 0, read_strengths);
            raw_numbers.tangents_backward(control, d, write_keys, write_strengths);
            raw_numbers.tangents_backward(control, d, add, free_gates);
        }
        raw_numbers.softpluses_backward(raw, d, read_strengths, write_keys);
        raw_numbers.softpluses_backward(raw, d, write_strengths, erase);
        raw_numbers.sigmoids_backward(control, d, erase, add);
        raw_numbers.sigmoids_backward(control, d, free_gates, read_modes);
        raw_numbers.distributions_backward(control, d, read_modes, read_masks, modes);
        for (int64_t i = read_masks; i < back_exponents; ++i)
            d[i] *= mask_floor < T(1) ? (control[i] - mask_floor) * (T(1) - control[i]) / (T(1) - mask_floor) : T(0);
        raw_numbers.softpluses_backward(raw, d, back_exponents, size);
        raw_numbers.clipped_backward(raw, d, size);
    }

  private:
    Told<T> told(T* control, int64_t head, int64_t keys, int64_t strengths) const {
        return {control + keys + head * width, control + strengths + head, nullptr, nullptr, nullptr};
    }

    void squashed(const T* raw, T* control, int64_t from, int64_t to) const {
        if (squash)
            raw_numbers.tangents(raw, control, from, to);
        else
            raw_numbers.identities(raw, control, from, to);
    }
};
