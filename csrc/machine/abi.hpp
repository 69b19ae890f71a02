/* Machine: what the plain C interfaces of all machines, controllers that work a memory, have in common. All tensors are
 * contiguous, of float32 or of float64 throughout.
 *
 * Sizes in the comments: B batch, T time, X inputs, Y outputs, H hidden, L layers, G numbers of all gates of a layer, R
 * numbers that a step reads, Z raw numbers of the interface; U what an upper layer sees, H or, with shortcuts, X + R +
 * H; S what interface and output see of the controller, H of its last layer or, with shortcuts, L * H.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, time, inputs, outputs, hidden, layers;
    int64_t controller; /* 0 LSTM, 1 GRU, 2 plain recurrent, 3 feed-forward */
    int64_t shortcuts;  /* 1: every layer sees the input and the last reads, and is seen by interface and output */
    int64_t threads;
    const int64_t* lengths; /* B, each in 0..T, or null for T everywhere */
} memtape_machine_sizes;

typedef struct {
    void* first_weight;     /* G, X + R: the first layer, over the input and the last reads */
    void* upper_weights;    /* L-1, G, U: the other layers, over [the input, the last reads and] the layer below */
    void* own_weights;      /* L, G, H: all layers, over their own hidden vector; not of a feed-forward controller */
    void* biases;           /* L, G */
    void* interface_weight; /* Z, S */
    void* interface_bias;   /* Z */
    void* output_weight;    /* Y, S + R */
    void* output_bias;      /* Y */
} memtape_machine_parameters;

/* The state of a machine beside its memory. */
typedef struct {
    void* reads;  /* B, R */
    void* hidden; /* L, B, H */
    void* cell;   /* L, B, H, of an LSTM */
} memtape_machine_state;

#ifdef __cplusplus
}
#endif
