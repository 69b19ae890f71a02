// Sparse interface: from the raw numbers of the last matrix product to what every head of a Sparse Access Memory is
// told, and back.
//
// The blocks are those of memtape/memory/sparse_access.py, with the read modes of sparse_computer.py if links are
// followed: keys | add | write gates | gates | modes | strengths, the last of which may be left out; they are 1 then.
#pragma once

#include "machine/blocks.hpp"

constexpr int64_t MODES = 3;  // backward, by content, forward

enum class Strengths : int64_t { none = 0, softplus = 1, oneplus = 2 };

template <typename T>
class SparseInterface {
  public:
    const int64_t heads, add, write_gates, gates, modes, strengths, size,
        control_size;  // where each block begins, and the ends

    SparseInterface(int64_t heads, int64_t width, bool squash, Strengths kind, bool follow, double clip)
        : heads(heads), add(heads * width), write_gates(2 * add), gates(write_gates + heads), modes(gates + heads),
          strengths(modes + (follow ? MODES * heads : 0)), size(strengths + (kind == Strengths::none ? 0 : heads)),
          control_size(strengths + heads), squash(squash), kind(kind), raw_numbers(clip) {}

    void forward(const T* raw, T* control) const {
        if (squash)
            raw_numbers.tangents(raw, control, 0, write_gates);
        else
            raw_numbers.identities(raw, control, 0, write_gates);
        raw_numbers.sigmoids(raw, control, write_gates, modes);
        raw_numbers.distributions(raw, control, modes, strengths, MODES);
        if (kind == Strengths::none)
            std::fill(control + strengths, control + control_size, T(1));
        else
            raw_numbers.softpluses(raw, control, strengths, control_size, kind == Strengths::oneplus ? T(1) : T(0));
    }

    // `d` holds the gradients of the control and becomes those of the raw numbers.
    void backward(const T* raw, const T* control, T* d) const {
        if (squash) raw_numbers.tangents_backward(control, d, 0, write_gates);
        raw_numbers.sigmoids_backward(control, d, write_gates, modes);
        raw_numbers.distributions_backward(control, d, modes, strengths, MODES);
        if (kind != Strengths::none) raw_numbers.softpluses_backward(raw, d, strengths, control_size);
        raw_numbers.clipped_backward(raw, d, size);
    }

  private:
    const bool squash;
    const Strengths kind;
    const Raw<T> raw_numbers;
};
