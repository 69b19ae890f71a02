/* Recurrence: the plain C interface of recurrence.cpp. All tensors are contiguous, of float32 or of float64 throughout.
 *
 * Sizes in the comments: B batch, T time, H hidden, O outputs of a network that feeds these back, F numbers that are
 * fed back: H, or else O. G numbers of all gates: 4 H of an LSTM in the order i, f, g, o; 3 H of a GRU in the order r,
 * z, n; else H. K numbers that are kept of the gates: 4 H of a GRU that resets late; H + O of a network that feeds its
 * outputs back; else G. S parts that are normalised each by itself: 2 of a GRU, its gates r and z together and its
 * candidate n; else 1.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, time, hidden, outputs;
    int64_t kind; /* 0 LSTM, 1 GRU, 2 plain, 3 GRU that resets before the product, 4 plain that feeds outputs back */
    int64_t activation; /* of the candidate, or of plain units: 0 tanh, 1 sigmoid, 2 rectifier */
    int64_t feedback;   /* of the outputs: 0 themselves, 1 their softmax, 2 their sigmoid, 3 one-hot the largest */
    int64_t threads;
    double epsilon;         /* added to variances */
    const int64_t* lengths; /* B, each in 0..T, or null for T everywhere */
} memtape_recurrence_sizes;

/* Null pointers for what a network has not. */
typedef struct {
    void* weight;        /* G, F: what is fed back is multiplied with it */
    void* gain;          /* G: the products are normalised, and scaled by this */
    void* bias;          /* G: added to the products after that */
    void* peepholes;     /* 3, H: of the gates i, f and o of an LSTM */
    void* cell_gain;     /* H: the cell of an LSTM is normalised within its last tanh, and scaled by this */
    void* cell_bias;     /* H: added to the cell after that; there if cell_gain is */
    void* leak;          /* H: the share of itself that a plain unit keeps */
    void* output_weight; /* O, H */
    void* output_bias;   /* O */
} memtape_recurrence_parameters;

/* What the way forward leaves for the way back, of each step. */
typedef struct {
    void* cells;   /* B, T, H: the cell before the step, of an LSTM */
    void* gates;   /* B, T, K */
    void* normals; /* B, T, G: normalised products, if there is a gain */
    void* scales;  /* B, T, S: what they were multiplied with */
} memtape_recurrence_kept;

typedef struct {
    void* fed;  /* B, F */
    void* cell; /* B, H, of an LSTM */
} memtape_recurrence_state;

/* given: B, T, G, what the inputs add to the gates. ys: B, T, H, or B, T, O of a network that feeds outputs back, zero
 * beyond a row's length. `last` is the state after each row's last step. `kept` may be null. Returns 0 when done and 1
 * when memory ran out, as the way back does. */
int memtape_recurrence_forward_float32(const memtape_recurrence_sizes* sizes,
                                       const memtape_recurrence_parameters* parameters, const void* given,
                                       const memtape_recurrence_state* first, void* ys,
                                       const memtape_recurrence_state* last, const memtape_recurrence_kept* kept);
int memtape_recurrence_forward_float64(const memtape_recurrence_sizes* sizes,
                                       const memtape_recurrence_parameters* parameters, const void* given,
                                       const memtape_recurrence_state* first, void* ys,
                                       const memtape_recurrence_state* last, const memtape_recurrence_kept* kept);

/* The gradients of everything that went in from those of everything that came out: null pointers in `d_last` and a null
 * `d_ys` stand for zeros. `first` and `ys` are those of the way forward, the cell unread. */
int memtape_recurrence_backward_float32(const memtape_recurrence_sizes* sizes,
                                        const memtape_recurrence_parameters* parameters,
                                        const memtape_recurrence_state* first, const void* ys,
                                        const memtape_recurrence_kept* kept, const void* d_ys,
                                        const memtape_recurrence_state* d_last, void* d_given,
                                        const memtape_recurrence_parameters* d_parameters,
                                        const memtape_recurrence_state* d_first);
int memtape_recurrence_backward_float64(const memtape_recurrence_sizes* sizes,
                                        const memtape_recurrence_parameters* parameters,
                                        const memtape_recurrence_state* first, const void* ys,
                                        const memtape_recurrence_kept* kept, const void* d_ys,
                                        const memtape_recurrence_state* d_last, void* d_given,
                                        const memtape_recurrence_parameters* d_parameters,
                                        const memtape_recurrence_state* d_first);

#ifdef __cplusplus
}
#endif
