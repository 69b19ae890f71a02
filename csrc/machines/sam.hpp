/* Sparse machine: the plain C interface of sparse_machine.cpp, a controller with a Sparse Access Memory, whose
 * heads may follow links. All tensors are contiguous, of float32 or of float64 throughout.
 *
 * Sizes in the comments: those of machine.h, and N slots, W width, R = heads * W.
 */
#pragma once

#include "machine/abi.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    memtape_machine_sizes machine;
    int64_t slots, width, heads;
    int64_t nearest;       /* slots that a head reads in a step */
    int64_t first_nearest; /* the most slots that a head has read before the first step */
    int64_t links;         /* length of a slot's list of links; 0 for none */
    int64_t few;           /* of more slots than these, once written to, a part is looked through; 0 for never */
    int64_t squash;
    int64_t strengths; /* 0 none, 1 softplus, 2 1 + softplus */
    int64_t empty;     /* 1: the first memory is zero throughout */
    int64_t unread;    /* 1: so are the first read weights */
    int64_t unused;    /* 1: so is the first usage */
    int64_t unlinked;  /* 1: so are the first links */
    double threshold;
    double clip;        /* infinity for none */
    const void* memory; /* B, N, W, on the way back: the memory after the last step */
    void* rolled_back;  /* the same, or null: gets the memory before the first step */
} memtape_sparse_sizes;

/* Of each slot the strongest links, to slots that were written before it and after it, and where was written last:
 * numbers of slots, of whatever weighs 0 nobody's, with weights. No gradient. */
typedef struct {
    void *before_places, *before_weights; /* B, N, links */
    void *after_places, *after_weights;   /* B, N, links */
    void *last_places, *last_weights;     /* B, links */
} memtape_link_lists;

typedef struct {
    void* memory;       /* B, N, W */
    void* read_weights; /* B, heads, N */
    void* usage;        /* B, N: the step of the last access, whole numbers; no gradient */
    memtape_link_lists links;
    memtape_machine_state machine;
} memtape_sparse_state;

/* How many numbers have to be kept for the way back. */
int64_t memtape_sparse_kept_float32(const memtape_sparse_sizes* sizes);
int64_t memtape_sparse_kept_float64(const memtape_sparse_sizes* sizes);

/* xs: B, T, X. ys: B, T, Y, zero beyond a row's length. Memory, read weights, usage and links are changed in place:
 * `last` holds those before the first step and gets those after each row's last; of `first` they are not looked at.
 * `kept` may be null. Returns 0 when done and 1 when memory ran out, as the way back does. */
int memtape_sparse_forward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept);
int memtape_sparse_forward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept);

/* The gradients of everything that went in from those of everything that came out: a null pointer in `d_last`, and a
 * null `d_ys`, stand for zeros; a null `d_xs`, and memory and read weights of `d_first` that are null, are not wanted.
 * `parameters` are those of the way forward, the biases unread. */
int memtape_sparse_backward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first);
int memtape_sparse_backward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first);

#ifdef __cplusplus
}
#endif
