/* Differentiable Neural Computer: the plain C interface of dnc.cpp. All tensors are contiguous, of float32 or of
 * float64 throughout.
 *
 * Sizes in the comments: those of machine.h, and N slots, W width, R = reads * W.
 */
#pragma once

#include "machine/abi.hpp"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    memtape_machine_sizes machine;
    int64_t slots, width, reads, writes;
    int64_t oneplus; /* 1: strengths begin at 1; 0: at 0 */
    int64_t squash;
    int64_t masked;         /* 1: heads choose which columns they compare */
    int64_t sharpen;        /* 1: read heads choose how sharply they follow links */
    int64_t deallocate;     /* 1: what is freed is erased */
    int64_t usage_gradient; /* 1: through where was written into what is used */
    double clip;            /* infinity for none */
    double mask_floor, usage_epsilon, norm_epsilon, product_epsilon;
} memtape_dnc_sizes;

typedef struct {
    void* memory;        /* B, N, W */
    void* read_weights;  /* B, reads, N */
    void* write_weights; /* B, writes, N */
    void* usage;         /* B, N */
    void* links;         /* B, writes, N, N */
    void* precedence;    /* B, writes, N */
    memtape_machine_state machine;
} memtape_dnc_state;

/* As those of turing_machine.h. */
int64_t memtape_dnc_kept_float32(const memtape_dnc_sizes* sizes);
int64_t memtape_dnc_kept_float64(const memtape_dnc_sizes* sizes);

int memtape_dnc_forward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept);
int memtape_dnc_forward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept);

int memtape_dnc_backward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first);
int memtape_dnc_backward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first);

#ifdef __cplusplus
}
#endif
