// Interface: from the raw numbers of the last matrix product to what every head of a Differentiable Neural Computer is
// told, and back.
//
// The blocks are those of memtape/memory/dnc_interface.py, in the order of the paper.
#pragma once

#include "addressing.hpp"
#include "raw.hpp"

template <typename T>
class DNCInterface {
  public:
    const int64_t width, modes;  // modes of a read head
    const bool squash;
    const T least_strength;
    const Raw<T> raw_numbers;
    // Where each block begins, and the end.
    const int64_t read_strengths, write_keys, write_strengths, erase, add, free_gates, allocation_gates, write_gates,
        read_modes, size;

    DNCInterface(int64_t reads, int64_t writes, int64_t width, bool oneplus, bool squash, double clip)
        : width(width), modes(1 + 2 * writes), squash(squash), least_strength(oneplus ? 1 : 0), raw_numbers(clip),
          read_strengths(reads * width), write_keys(read_strengths + reads), write_strengths(write_keys + writes * width),
          erase(write_strengths + writes), add(erase + writes * width), free_gates(add + writes * width),
          allocation_gates(free_gates + reads), write_gates(allocation_gates + writes),
          read_modes(write_gates + writes), size(read_modes + reads * modes) {}

    Told<T> reader(T* control, int64_t head) const { return told(control, head, 0, read_strengths); }

    Told<T> writer(T* control, int64_t head) const { return told(control, head, write_keys, write_strengths); }

    void forward(const T* raw, T* control) const {
        squashed(raw, control, 0, read_strengths);
        raw_numbers.softpluses(raw, control, read_strengths, write_keys, least_strength);
        squashed(raw, control, write_keys, write_strengths);
        raw_numbers.softpluses(raw, control, write_strengths, erase, least_strength);
        what_is_written(raw, control);
        raw_numbers.sigmoids(raw, control, allocation_gates, read_modes);
        raw_numbers.distributions(raw, control, read_modes, size, modes);
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
        raw_numbers.distributions_backward(control, d, read_modes, size, modes);
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
