// Interface: from the raw numbers of the last matrix product to what every head of a Turing machine is told, and back.
//
// The blocks are those of memtape/memory/turing.py and content.py: keys | strengths | gates | kernel | exponents |
// erase | add, read heads first; by content alone there are no gates, kernel and exponents.
#pragma once

#include "parts/addressing.hpp"
#include "machine/blocks.hpp"

template <typename T>
class Interface {
  public:
    const int64_t heads, writes, width, offsets;
    const bool location, squash;
    const Raw<T> raw_numbers;
    const int64_t strengths, gates, kernel, exponents, erase, add, size;  // where each block begins, and the end

    Interface(int64_t reads, int64_t writes, int64_t width, int64_t reach, bool location, bool squash, double clip)
        : heads(reads + writes), writes(writes), width(width), offsets(2 * reach + 1), location(location),
          squash(squash), raw_numbers(clip), strengths(heads * width), gates(strengths + heads),
          kernel(gates + (location ? heads : 0)), exponents(kernel + (location ? heads * offsets : 0)),
          erase(exponents + (location ? heads : 0)), add(erase + writes * width), size(add + writes * width) {}

    Told<T> told(T* control, int64_t head) const {
        return {control + head * width, control + strengths + head, control + gates + head,
                control + kernel + head * offsets, control + exponents + head};
    }

    void forward(const T* raw, T* control) const {
        squashed(raw, control, 0, strengths);
        raw_numbers.softpluses(raw, control, strengths, gates);
        if (location) {
            raw_numbers.sigmoids(raw, control, gates, kernel);
            raw_numbers.distributions(raw, control, kernel, exponents, offsets);
            raw_numbers.softpluses(raw, control, exponents, erase, 1);
        }
        what_is_written(raw, control);
    }

    // The part that says what is written.
    void what_is_written(const T* raw, T* control) const {
        raw_numbers.sigmoids(raw, control, erase, add);
        squashed(raw, control, add, size);
    }

    // `d` holds the gradients of the control and becomes those of the raw numbers.
    void backward(const T* raw, const T* control, T* d) const {
        if (squash) {
            raw_numbers.tangents_backward(control, d, 0, strengths);
            raw_numbers.tangents_backward(control, d, add, size);
        }
        raw_numbers.softpluses_backward(raw, d, strengths, gates);
        if (location) {
            raw_numbers.sigmoids_backward(control, d, gates, kernel);
            raw_numbers.distributions_backward(control, d, kernel, exponents, offsets);
            raw_numbers.softpluses_backward(raw, d, exponents, erase);
        }
        raw_numbers.sigmoids_backward(control, d, erase, add);
        raw_numbers.clipped_backward(raw, d, size);
    }

  private:
    void squashed(const T* raw, T* control, int64_t from, int64_t to) const {
        if (squash)
            raw_numbers.tangents(raw, control, from, to);
        else
            raw_numbers.identities(raw, control, from, to);
    }
};
