/* Turing machine: the plain C interface of turing_machine.cpp. All tensors are contiguous, of float32 or of float64 throughout.
 *
 * Sizes in the comments: B batch, T time, H hidden, L layers, G numbers of all gates of a layer, N slots (P: padded to whole
 * registers), W width, heads = reads + writes, read heads first, F inputs of the first layer (the reads, then what the layer
 * was), U those of an upper layer, Z raw numbers of the interface, S = ceil(T / memtape_turing_segment()).
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, time, hidden, layers, slots, width, reads, writes, reach;
    int64_t controller; /* 0 LSTM, 1 GRU, 2 plain recurrent, 3 feed-forward */
    int64_t location;   /* 1: blend, step and sharpen; 0: by content alone */
    int64_t cosine;     /* 1: cosine, 0: dot product */
    int64_t read_first, squash;
    int64_t threads;
    double clip;            /* infinity for none */
    const int64_t* lengths; /* B, each in 0..T, or null for T everywhere */
} memtape_turing_sizes;

typedef struct {
    /* parameters */
    const void *first_weight;     /* G, F */
    const void *upper_weights;    /* L-1, G, U */
    const void *upper_biases;     /* L-1, G */
    const void *interface_weight; /* Z, H */
    const void *interface_bias;   /* Z */
    /* the state before the first step */
    const void *memory;  /* B, N, W */
    const void *weights; /* B, heads, N */
    const void *reads;   /* B, reads * W */
    const void *hidden;  /* L, B, H */
    const void *cell;    /* L, B, H, of an LSTM */
    /* the first layer's projected inputs come in (B, T, G); with keeping, the gates of all layers go out (L, B, T, G) */
    void *gates;
    /* what the outputs see, and the state after each row's last step */
    void *seen; /* B, T, H + reads * W; zero beyond a row's end */
    void *last_memory, *last_weights, *last_reads, *last_hidden, *last_cell;
    /* kept for the way back; all null for none */
    void *first_inputs; /* B, T, F */
    void *upper_inputs; /* L-1, B, T, U */
    void *cells;        /* L, B, T, H, of an LSTM */
    void *raw;          /* B, T, Z */
    void *all_weights;  /* B, T + 1, heads, P */
    void *tapes;        /* B, S, W, P */
} memtape_turing_tensors;

typedef struct {
    const void *seen, *last_memory, *last_weights, *last_reads, *last_hidden, *last_cell;
    void *gates; /* L, B, T, G */
    void *raw;   /* B, T, Z */
    void *memory, *weights, *reads, *hidden, *cell;
} memtape_turing_gradients;

/* Each returns 0 when done and 1 when memory ran out. */
int memtape_turing_forward_float32(const memtape_turing_sizes*, const memtape_turing_tensors*);
int memtape_turing_forward_float64(const memtape_turing_sizes*, const memtape_turing_tensors*);
int memtape_turing_backward_float32(const memtape_turing_sizes*, const memtape_turing_tensors*, const memtape_turing_gradients*);
int memtape_turing_backward_float64(const memtape_turing_sizes*, const memtape_turing_tensors*, const memtape_turing_gradients*);

int64_t memtape_turing_segment(void);
int64_t memtape_register_bytes(void);

#ifdef __cplusplus
}
#endif
