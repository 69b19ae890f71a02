// Recurrence: the exports of recurrence.cpp, which runs one layer of recurrent units over whole sequences. All tensors
// are contiguous and have the same dtype, float32 or float64.
//
// Sizes in the comments: B batch, T time, H hidden, O outputs of a network with output feedback, F the feedback: H or
// O. G all gates: 4 H for an LSTM in the order i, f, g, o; 3 H for a GRU in the order r, z, n; else H. K the saved
// numbers of the gates: 4 H for a GRU with the reset after the product; H + O with output feedback; else G. S the parts
// that are normalised separately: 2 for a GRU, its gates r and z together and its candidate n; else 1.
#pragma once

#include "base/layout.hpp"

#define MEMTAPE_RECURRENCE_SIZES(FIELD)                                                                              \
    FIELD(int64_t, batch)                                                                                            \
    FIELD(int64_t, time)                                                                                             \
    FIELD(int64_t, hidden)                                                                                           \
    FIELD(int64_t, outputs)                                                                                          \
    FIELD(int64_t, kind) /* 0 LSTM, 1 GRU, 2 plain, 3 GRU with reset before the product, 4 plain, output feedback */ \
    FIELD(int64_t, activation) /* of the candidate, or of plain units: 0 tanh, 1 sigmoid, 2 ReLU */                  \
    FIELD(int64_t, feedback)   /* of the outputs: 0 identity, 1 softmax, 2 sigmoid, 3 one-hot argmax */              \
    FIELD(double, epsilon)     /* added to variances */                                                              \
    FIELD(int64_t, threads)                                                                                          \
    FIELD(const int64_t*, lengths) /* B, each in 0..T, or null for T everywhere */
MEMTAPE_STRUCT(memtape_recurrence_sizes, MEMTAPE_RECURRENCE_SIZES)

// Null pointers for absent parameters.
#define MEMTAPE_RECURRENCE_PARAMETERS(FIELD)                                                          \
    FIELD(void*, weight)        /* G, F: recurrent weights */                                         \
    FIELD(void*, gain)          /* G: scale of the normalised products */                             \
    FIELD(void*, bias)          /* G: added to the normalised products */                             \
    FIELD(void*, peepholes)     /* 3, H: for the gates i, f and o of an LSTM */                       \
    FIELD(void*, cell_gain)     /* H: scale of the normalised memory cell of an LSTM */               \
    FIELD(void*, cell_bias)     /* H: added to the normalised memory cell; present if cell_gain is */ \
    FIELD(void*, leak)          /* H: the fraction of its value that a plain unit keeps */            \
    FIELD(void*, output_weight) /* O, H */                                                            \
    FIELD(void*, output_bias)   /* O */
MEMTAPE_STRUCT(memtape_recurrence_parameters, MEMTAPE_RECURRENCE_PARAMETERS)

// The data of each step saved for the backward pass.
#define MEMTAPE_RECURRENCE_KEPT(FIELD)                                           \
    FIELD(void*, cells)   /* B, T, H: memory cell of an LSTM before the step */  \
    FIELD(void*, gates)   /* B, T, K */                                          \
    FIELD(void*, normals) /* B, T, G: normalised products, if there is a gain */ \
    FIELD(void*, scales)  /* B, T, S: scales of the normalisation */
MEMTAPE_STRUCT(memtape_recurrence_kept, MEMTAPE_RECURRENCE_KEPT)

#define MEMTAPE_RECURRENCE_STATE(FIELD) \
    FIELD(void*, fed)  /* B, F */       \
    FIELD(void*, cell) /* B, H, for an LSTM */
MEMTAPE_STRUCT(memtape_recurrence_state, MEMTAPE_RECURRENCE_STATE)

// given: B, T, G, the contribution of the inputs to the gates. ys: B, T, H, or B, T, O with output feedback, zero
// beyond a row's length. `last` is the state after each row's last step. `kept` may be null. Returns 0 on success and 1
// if the memory is exhausted, as the backward pass does.
#define MEMTAPE_RECURRENCE_FORWARD                                                                             \
    const memtape_recurrence_sizes *sizes, const memtape_recurrence_parameters *parameters, const void *given, \
        const memtape_recurrence_state *first, void *ys, const memtape_recurrence_state *last,                 \
        const memtape_recurrence_kept *kept

// Computes the gradients of all inputs from those of all outputs. Null pointers in `d_last` and a null `d_ys` represent
// zeros. `first` and `ys` are those of the forward pass; the cell is not read.
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
