/* Turing machine: the plain C interface of turing_machine.cpp. All tensors are contiguous, of float32 or of float64
 * throughout.
 *
 * Sizes in the comments: those of machine.h, and N slots, W width, R = reads * W, heads = reads + writes (read heads
 * first).
 */
#pragma once

#include "machine/abi.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    memtape_machine_sizes machine;
    int64_t slots, width, reads, writes, reach;
    int64_t location; /* 1: blend, step and sharpen; 0: by content alone */
    int64_t cosine;   /* 1: cosine, 0: dot product */
    int64_t read_first, squash;
    double clip; /* infinity for none */
} memtape_turing_sizes;

typedef struct {
    void* memory;  /* B, N, W */
    void* weights; /* B, heads, N */
    memtape_machine_state machine;
} memtape_turing_state;

/* How many numbers have to be kept for the way back. */
int64_t memtape_turing_kept_float32(const memtape_turing_sizes* sizes);
int64_t memtape_turing_kept_float64(const memtape_turing_sizes* sizes);

/* xs: B, T, X. ys: B, T, Y, zero beyond a row's length. `last` is the state after each row's last step. `kept` may be
 * null. Returns 0 when done and 1 when memory ran out, as the way back does. */
int memtape_turing_forward_float32(const memtape_turing_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_turing_state* first, void* ys,
                                   const memtape_turing_state* last, void* kept);
int memtape_turing_forward_float64(const memtape_turing_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_turing_state* first, void* ys,
                                   const memtape_turing_state* last, void* kept);

/* The gradients of everything that went in from those of everything that came out: a null pointer in `d_last`, and a
 * null `d_ys`, stand for zeros; a null `d_xs` is not wanted. `parameters` are those of the way forward, the biases
 * unread. */
int memtape_turing_backward_float32(const memtape_turing_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_turing_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_turing_state* d_first);
int memtape_turing_backward_float64(const memtape_turing_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_turing_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_turing_state* d_first);

#ifdef __cplusplus
}
#endif
