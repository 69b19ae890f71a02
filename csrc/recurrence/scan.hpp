// Scan: the exports of scan.cpp. All tensors are contiguous and have the same dtype, float32 or float64.
//
// Sizes in the comments: B batch, T time, H units. P planes: 1 for real numbers, 2 for complex ones, which are stored
// as all real parts followed by all imaginary parts.
#pragma once

#include "base/layout.hpp"

#define MEMTAPE_SCAN_SIZES(FIELD)                                                  \
    FIELD(int64_t, batch)                                                          \
    FIELD(int64_t, time)                                                           \
    FIELD(int64_t, units)                                                          \
    FIELD(int64_t, planes)                                                         \
    FIELD(int64_t, varying) /* whether each step has its own decay */              \
    FIELD(int64_t, threads)                                                        \
    FIELD(const int64_t*, lengths) /* B, each in 0..T, or null for T everywhere */ \
    FIELD(const uint8_t*, starts)  /* B, T: 1 where the state is set to `initial` before the step, or null */
MEMTAPE_STRUCT(memtape_scan_sizes, MEMTAPE_SCAN_SIZES)

// state = decay * state + added, at every step of every row.
//
// decay: B, T, P, H if it varies, else P, H. added: B, T, P, H. first, the state before the first step, and initial,
// the state at a start (null without starts): B, P, H. states, after each step and zero beyond a row's length: B, T, P,
// H. last, after each row's last step: B, P, H. Returns 0 on success and 1 if the memory is exhausted, as the backward
// pass does.
#define MEMTAPE_SCAN_FORWARD                                                                                       \
    const memtape_scan_sizes *sizes, const void *decay, const void *added, const void *first, const void *initial, \
        void *states, void *last

// Computes the gradients of all inputs from those of all outputs. A null `d_states` or `d_last` represents zeros.
// `states` are those of the forward pass. A null `d_decay` is not computed; `d_initial` is null without starts.
#define MEMTAPE_SCAN_BACKWARD                                                                                       \
    const memtape_scan_sizes *sizes, const void *decay, const void *states, const void *first, const void *initial, \
        const void *d_states, const void *d_last, void *d_decay, void *d_added, void *d_first, void *d_initial

extern "C" {
const char* memtape_scan_layout(void);
int memtape_scan_forward_float32(MEMTAPE_SCAN_FORWARD);
int memtape_scan_forward_float64(MEMTAPE_SCAN_FORWARD);
int memtape_scan_backward_float32(MEMTAPE_SCAN_BACKWARD);
int memtape_scan_backward_float64(MEMTAPE_SCAN_BACKWARD);
}
