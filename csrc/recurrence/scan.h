/* Scan: the plain C interface of scan.cpp. All tensors are contiguous, of float32 or of float64 throughout.
 *
 * Sizes in the comments: B batch, T time, H units. P planes: 1 for real numbers, 2 for complex ones, which cross as all
 * real parts followed by all imaginary parts.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int64_t batch, time, units, planes;
    int64_t varying; /* whether each step has its own decay */
    int64_t threads;
    const int64_t* lengths; /* B, each in 0..T, or null for T everywhere */
    const uint8_t* starts;  /* B, T: 1 where the state is set to `initial` before the step; null for nowhere */
} memtape_scan_sizes;

/* state = decay * state + added, at every step of every row.
 *
 * decay: B, T, P, H if it varies, else P, H. added: B, T, P, H. first, the state before the first step, and initial, the
 * state at a start (null without starts): B, P, H. states, after each step and zero beyond a row's length: B, T, P, H.
 * last, after each row's last step: B, P, H. Returns 0 when done and 1 when memory ran out, as the backward pass does. */
int memtape_scan_forward_float32(const memtape_scan_sizes* sizes, const void* decay, const void* added,
                                 const void* first, const void* initial, void* states, void* last);
int memtape_scan_forward_float64(const memtape_scan_sizes* sizes, const void* decay, const void* added,
                                 const void* first, const void* initial, void* states, void* last);

/* The gradients of everything that went in from those of everything that came out: a null `d_states` or `d_last` stands
 * for zeros. `states` are those of the forward pass. A null `d_decay` is not computed; `d_initial` is null without
 * starts. */
int memtape_scan_backward_float32(const memtape_scan_sizes* sizes, const void* decay, const void* states,
                                  const void* first, const void* initial, const void* d_states, const void* d_last,
                                  void* d_decay, void* d_added, void* d_first, void* d_initial);
int memtape_scan_backward_float64(const memtape_scan_sizes* sizes, const void* decay, const void* states,
                                  const void* first, const void* initial, const void* d_states, const void* d_last,
                                  void* d_decay, void* d_added, void* d_first, void* d_initial);

#ifdef __cplusplus
}
#endif
