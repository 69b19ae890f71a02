// Recurrent network with a strength stack, queue or deque: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and E ends at which items are pushed (2 for a deque, else 1), N
// items of an end, W width, R = E * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_STRENGTH_STACK_SIZES(FIELD)                                                         \
    FIELD(memtape_machine_sizes, machine)                                                           \
    FIELD(int64_t, ends)                                                                            \
    FIELD(int64_t, items) /* of an end; the oldest of them are room for those to come, and zeros */ \
    FIELD(int64_t, width)                                                                           \
    FIELD(int64_t, access) /* 0 stack, 1 queue, 2 deque */
MEMTAPE_STRUCT(memtape_strength_stack_sizes, MEMTAPE_STRENGTH_STACK_SIZES)

// The items that were pushed at each end, the top first, and there the latest first.
#define MEMTAPE_STRENGTH_STACK_STATE(FIELD)  \
    FIELD(void*, values)    /* B, E, N, W */ \
    FIELD(void*, strengths) /* B, E, N */    \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_strength_stack_state, MEMTAPE_STRENGTH_STACK_STATE)

MEMTAPE_DECLARE_MACHINE(strength_stack)

// The rows are those of memtape/memory/strength_stack.py, with a value, a push and a pop of each end.
template <typename T>
struct StrengthStackInterface : Blocks<T> {
    const int64_t values = this->at("values"), push = this->at("push"), pop = this->at("pop");

    explicit StrengthStackInterface(const memtape_strength_stack_sizes& s)
        : Blocks<T>(table(s), std::numeric_limits<double>::infinity()) {}

    static std::vector<Row> table(const memtape_strength_stack_sizes& s) {
        return {{"values", s.ends * s.width, Row::tanh}, {"push", s.ends, Row::sigmoid}, {"pop", s.ends, Row::sigmoid}};
    }
};
