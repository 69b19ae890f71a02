// Recurrent network with superposition stacks: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and N cells of a stack, W width, R = stacks * visible * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_STACKRNN_SIZES(FIELD)                                                            \
    FIELD(memtape_machine_sizes, machine)                                                        \
    FIELD(int64_t, stacks)                                                                       \
    FIELD(int64_t, depth) /* cells of a stack; the deepest of them are room for those to come */ \
    FIELD(int64_t, width)                                                                        \
    FIELD(int64_t, visible)         /* top cells that are read */                                \
    FIELD(int64_t, no_op)           /* 1: there is a third action */                             \
    FIELD(int64_t, joint_actions)   /* 1: one softmax for the actions of all stacks */           \
    FIELD(int64_t, push_activation) /* 0 linear, 1 sigmoid, 2 tanh */                            \
    FIELD(double, empty)            /* value of an empty cell */
MEMTAPE_STRUCT(memtape_stackrnn_sizes, MEMTAPE_STACKRNN_SIZES)

// The cells are differences to the value of an empty cell.
#define MEMTAPE_STACKRNN_STATE(FIELD)         \
    FIELD(void*, cells) /* B, stacks, N, W */ \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_stackrnn_state, MEMTAPE_STACKRNN_STATE)

MEMTAPE_DECLARE_MACHINE(stackrnn)

// The rows are those of memtape/memory/superposition_stack.py; actions are push, pop and no-op.
template <typename T>
struct StackRNNInterface : Blocks<T> {
    const int64_t actions = this->at("actions"), pushed = this->at("pushed");

    explicit StackRNNInterface(const memtape_stackrnn_sizes& s)
        : Blocks<T>(table(s), std::numeric_limits<double>::infinity()) {}

    static std::vector<Row> table(const memtape_stackrnn_sizes& s) {
        constexpr Row::Activation PUSHED[] = {Row::identity, Row::sigmoid, Row::tanh};
        const int64_t actions = s.no_op ? 3 : 2;
        return {{"actions", s.stacks * actions, Row::softmax, s.joint_actions ? s.stacks * actions : actions},
                {"pushed", s.stacks * s.width, PUSHED[s.push_activation]}};
    }
};
