// Recurrent network with a nondeterministic stack: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and Q states, S symbols, N cells, P parts: 1 and the vector of a
// cell. R = Q * S or S, times the size of the vector if there is one.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_NSRNN_SIZES(FIELD)                                                            \
    FIELD(memtape_machine_sizes, machine)                                                     \
    FIELD(int64_t, symbols)                                                                   \
    FIELD(int64_t, cells) /* times that the table has; what is older is dropped */            \
    FIELD(int64_t, states)                                                                    \
    FIELD(int64_t, parts)                                                                     \
    FIELD(int64_t, normalised) /* 1: a softmax over the operations from each state and top */ \
    FIELD(int64_t, reading)    /* 0 states and symbols, 1 symbols */
MEMTAPE_STRUCT(memtape_nsrnn_sizes, MEMTAPE_NSRNN_SIZES)

// Times are ordered from the latest to the earliest.
#define MEMTAPE_NSRNN_STATE(FIELD)                      \
    FIELD(void*, table)    /* B, S, N, Q, S, P, N, Q */ \
    FIELD(void*, sources)  /* B, N, Q, S */             \
    FIELD(void*, tops)     /* B, Q, S, P */             \
    FIELD(void*, exponent) /* B */                      \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_nsrnn_state, MEMTAPE_NSRNN_STATE)

MEMTAPE_DECLARE_MACHINE(nsrnn)

// The rows are those of memtape/memory/nondeterministic_stack.py. In the control the weights of the operations replace
// their logits. They are divided by a number: all by the same, or, normalised, those from each state and top symbol.
template <typename T>
struct NSRNNInterface : Blocks<T> {
    const int64_t push = 0, replace = this->at("replace"), pop = this->at("pop"), pushed = this->at("pushed");
    const bool normalised;
    const int64_t groups;  // of operations whose weights are divided by the same number

    explicit NSRNNInterface(const memtape_nsrnn_sizes& s)
        : Blocks<T>(table(s), std::numeric_limits<double>::infinity()), normalised(s.normalised),
          groups(s.normalised ? s.states * s.symbols : 1) {}

    static std::vector<Row> table(const memtape_nsrnn_sizes& s) {
        const int64_t pairs = s.states * s.symbols;
        return {{"push", pairs * pairs, Row::identity},
                {"replace", pairs * pairs, Row::identity},
                {"pop", pairs * s.states, Row::identity},
                {"pushed", s.parts - 1, Row::sigmoid}};
    }

    // Compute the control, and return the logarithm of the divisor of weights that are not normalised.
    T forward(const T* vector, T* control) const {
        Blocks<T>::forward(vector, control);
        T most = 0;
        for (int64_t group = 0; group < groups; ++group) {
            T total = 0;
            most = largest(group, vector);
            each_block(group, [&](int64_t from, int64_t size) {
                by_register<T>(size, [&](int64_t i, int64_t count) {
                    store(control + from + i, exp_of_negative<T>(load(vector + from + i, count) - most), count);
                });
                for (int64_t i = from; i < from + size; ++i) total += control[i];
            });
            if (!normalised) return most;
            each_block(group, [&](int64_t from, int64_t size) {
                for (int64_t i = from; i < from + size; ++i) control[i] /= total;
            });
        }
        return 0;
    }

    // `d` contains the gradients of the control and becomes those of the interface vector. The largest logits, of which
    // the divisor is a function, receive its gradient in equal parts.
    void backward(const T* vector, const T* control, T d_log_divisor, T* d) const {
        for (int64_t group = 0; group < groups; ++group) {
            const T most = largest(group, vector);
            T total = 0;
            int64_t ties = 0;
            each_block(group, [&](int64_t from, int64_t size) {
                for (int64_t i = from; i < from + size; ++i) {
                    total += control[i] * d[i];
                    ties += vector[i] == most;
                }
            });
            const T d_largest = (d_log_divisor - total) / T(std::max<int64_t>(ties, 1));
            each_block(group, [&](int64_t from, int64_t size) {
                for (int64_t i = from; i < from + size; ++i)
                    d[i] = normalised ? control[i] * (d[i] - total)
                                      : control[i] * d[i] + (vector[i] == most ? d_largest : T(0));
            });
        }
        Blocks<T>::backward(vector, control, d);
    }

  private:
    // Call body(first, size) for the pushes, the replacements and the pops of a group.
    template <typename Body>
    void each_block(int64_t group, Body body) const {
        const int64_t starts[] = {push, replace, pop, pushed};
        for (int block = 0; block < 3; ++block) {
            const int64_t size = (starts[block + 1] - starts[block]) / groups;
            body(starts[block] + group * size, size);
        }
    }

    T largest(int64_t group, const T* vector) const {
        T most = -std::numeric_limits<T>::infinity();
        each_block(group, [&](int64_t from, int64_t size) {
            for (int64_t i = from; i < from + size; ++i) most = std::max(most, vector[i]);
        });
        return most;
    }
};
