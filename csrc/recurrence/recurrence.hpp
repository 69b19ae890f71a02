// Recurrence: what recurrence.cpp exports, whole sequences of one layer of recurrent units. All tensors are contiguous,
// of float32 or of float64 throughout.
//
// Sizes in the comments: B batch, T time, H hidden, O outputs of a network that feeds these back, F numbers that are
// fed back: H, or else O. G numbers of all gates: 4 H of an LSTM in the order i, f, g, o; 3 H of a GRU in the order r,
// z, n; else H. K numbers that are kept of the gates: 4 H of a GRU that resets late; H + O of a network that feeds its
// outputs back; else G. S parts that are normalised each by itself: 2 of a GRU, its gates r and z together and its
// candidate n; else 1.
#pragma once

#include "base/layout.hpp"

#define MEMTAPE_RECURRENCE_SIZES(FIELD)                                                                                \
    FIELD(int64_t, batch)                                                                                              \
    FIELD(int64_t, time)                                                                                               \
    FIELD(int64_t, hidden)                                                                                             \
    FIELD(int64_t, outputs)                                                                                            \
    FIELD(int64_t, kind) /* 0 LSTM, 1 GRU, 2 plain, 3 GRU that resets before the product, 4 plain, outputs fed back */ \
    FIELD(int64_t, activation) /* of the candidate, or of plain units: 0 tanh, 1 sigmoid, 2 rectifier */               \
    FIELD(int64_t, feedback)   /* of the outputs: 0 themselves, 1 softmax, 2 sigmoid, 3 one-hot the largest */         \
    FIELD(double, epsilon)     /* added to variances */                                                                \
    FIELD(int64_t, threads)                                                                                            \
    FIELD(const int64_t*, lengths) /* B, each in 0..T, or null for T everywhere */
MEMTAPE_STRUCT(memtape_recurrence_sizes, MEMTAPE_RECURRENCE_SIZES)

// Null pointers for what a network has not.
#define MEMTAPE_RECURRENCE_PARAMETERS(FIELD)                                                                    \
    FIELD(void*, weight)        /* G, F: what is fed back is multiplied with it */                              \
    FIELD(void*, gain)          /* G: the products are normalised, and scaled by this */                        \
    FIELD(void*, bias)          /* G: added to the products after that */                                       \
    FIELD(void*, peepholes)     /* 3, H: of the gates i, f and o of an LSTM */                                  \
    FIELD(void*, cell_gain)     /* H: the cell of an LSTM is normalised in its last tanh, and scaled by this */ \
    FIELD(void*, cell_bias)     /* H: added to the cell after that; there if cell_gain is */                    \
    FIELD(void*, leak)          /* H: the share of itself that a plain unit keeps */                            \
    FIELD(void*, output_weight) /* O, H */                                                                      \
    FIELD(void*, output_bias)   /* O */
MEMTAPE_STRUCT(memtape_recurrence_parameters, MEMTAPE_RECURRENCE_PARAMETERS)

// What the forward pass leaves for the backward pass, of each step.
#define MEMTAPE_RECURRENCE_KEPT(FIELD)                                           \
    FIELD(void*, cells)   /* B, T, H: the cell before the step, of an LSTM */    \
    FIELD(void*, gates)   /* B, T, K */                                          \
    FIELD(void*, normals) /* B, T, G: normalised products, if there is a gain */ \
    FIELD(void*, scales)  /* B, T, S: what they were multiplied with */
MEMTAPE_STRUCT(memtape_recurrence_kept, MEMTAPE_RECURRENCE_KEPT)

#define MEMTAPE_RECURRENCE_STATE(FIELD) \
    FIELD(void*, fed)  /* B, F */       \
    FIELD(void*, cell) /* B, H, of an LSTM */
MEMTAPE_STRUCT(memtape_recurrence_state, MEMTAPE_RECURRENCE_STATE)

// given: B, T, G, what the inputs add to the gates. ys: B, T, H, or B, T, O of a network that feeds outputs back, zero
// beyond a row's length. `last` is the state after each row's last step. `kept` may be null. Returns 0 when done and 1
// when memory ran out, as the backward pass does.
#define MEMTAPE_RECURRENCE_FORWARD                                                                             \
    const memtape_recurrence_sizes *sizes, const memtape_recurrence_parameters *parameters, const void *given, \
        const memtape_recurrence_state *first, void *ys, const memtape_recurrence_state *last,                 \
        const memtape_recurrence_kept *kept

// The gradients of everything that went in from those of everything that came out: null pointers in `d_last` and a null
// `d_ys` stand for zeros. `first` and `ys` are those of the forward pass, the cell unread.
#define MEMTAPE_RECURRENCE_BACKWARD                                                                                   \
    const memtape_recurrence_sizes *sizes, const memtape_recurrence_parameters *parameters,                           \
        const memtape_recurrence_state *first, const void *ys, const memtape_recurrence_kept *kept, const void *d_ys, \
        const memtape_recurrence_state *d_last, void *d_given, const memtape_recurrence_parameters *d_parameters,     \
        const memtape_recurrence_state *d_first

extern "C" {
const char* memtape_recurrence_layout(void);
int memtape_recurrence_forward_float32(MEMTAPE_RECURRENCE_FORWARD);
int memtape_recurrence_forward_float64(MEMTAPE_RECURRENCE_FORWARD);
int memtape_recurrence_backward_float32(MEMTAPE_RECURRENCE_BACKWARD);
int memtape_recurrence_backward_float64(MEMTAPE_RECURRENCE_BACKWARD);
}
