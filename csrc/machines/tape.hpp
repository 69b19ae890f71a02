// Tape machine: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and N cells of a tape, W width, R = tapes * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_TAPE_SIZES(FIELD)                                                             \
    FIELD(memtape_machine_sizes, machine)                                                     \
    FIELD(int64_t, tapes)                                                                     \
    FIELD(int64_t, slots)                                                                     \
    FIELD(int64_t, width)                                                                     \
    FIELD(int64_t, moves)  /* 0 jumps, values replace; 1 moves with blanks, they are added */ \
    FIELD(int64_t, values) /* their activation: 0 linear, 1 sigmoid, 2 tanh */
MEMTAPE_STRUCT(memtape_tape_sizes, MEMTAPE_TAPE_SIZES)

// Jumps have no gradient. `last` receives those of `first`.
#define MEMTAPE_TAPE_STATE(FIELD)                                                                           \
    FIELD(void*, memory)       /* B, tapes, N, W: from the cell under the head on */                        \
    FIELD(void*, head_weights) /* B, tapes, N */                                                            \
    FIELD(void*, jumps)        /* B, T: the length of a jump in each step, an integer in 0..N-1 (else 0) */ \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_tape_state, MEMTAPE_TAPE_STATE)

MEMTAPE_DECLARE_MACHINE(tape)

constexpr int64_t TAPE_ACTIONS = 5;

// The rows are those of memtape/memory/tape.py.
template <typename T>
struct TapeInterface : Blocks<T> {
    const int64_t values = this->at("values"), actions = this->at("actions");

    explicit TapeInterface(const memtape_tape_sizes& s)
        : Blocks<T>(table(s), std::numeric_limits<double>::infinity()) {}

    static std::vector<Row> table(const memtape_tape_sizes& s) {
        constexpr Row::Activation VALUES[] = {Row::identity, Row::sigmoid, Row::tanh};
        return {{"values", s.tapes * s.width, VALUES[s.values]},
                {"actions", s.tapes * TAPE_ACTIONS, Row::softmax, TAPE_ACTIONS}};
    }
};
