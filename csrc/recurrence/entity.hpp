// Entity: the exports of entity.cpp. All tensors are contiguous and have the same dtype, float32 or float64.
//
// Sizes in the comments: B batch, N sentences of all stories, which are one story after another, J slots, D numbers of a
// slot, W the next multiple of MEMTAPE_ENTITY_WIDE.
#pragma once

#include "base/layout.hpp"

#define MEMTAPE_ENTITY_WIDE 16

#define MEMTAPE_ENTITY_SIZES(FIELD) \
    FIELD(int64_t, batch)           \
    FIELD(int64_t, slots)           \
    FIELD(int64_t, size)            \
    FIELD(int64_t, threads)         \
    FIELD(const int64_t*, lengths) /* B: the number of sentences of each story, in total N */
MEMTAPE_STRUCT(memtape_entity_sizes, MEMTAPE_ENTITY_SIZES)

// The content h of each slot after the last sentence, and its gate g for each sentence:
//
//   g = sigmoid(vector . h + by_key)
//   h = (h + g * c) / |h + g * c|, c = prelu(a, slopes), a = weights h + constant + by_sentence
//
// vectors, by_sentence: N, D. by_key: N, J. constant, first, the contents before the first sentence: J, D. weights: D, D.
// slopes: D. last: B, J, D. gates: N, J. Saved for the backward pass, and null if there will be none: before, the contents
// before each sentence, and sums, the numbers a: N, J, W; norms, |h + g * c|, at least 1e-12: N, J. Returns 0 on success
// and 1 if the memory is exhausted, as the backward pass does.
#define MEMTAPE_ENTITY_FORWARD                                                                                     \
    const memtape_entity_sizes *sizes, const void *vectors, const void *by_key, const void *by_sentence,           \
        const void *constant, const void *first, const void *weights, const void *slopes, void *last, void *gates, \
        void *before, void *sums, void *norms

// Computes gradients from those of `last` and `gates`, of which a null one represents zeros. d_sums, N, J, W, is the
// gradient of a: that of the weights is its product with `before`, and that of the constant its sum. d_first is that of
// each story: B, J, D.
#define MEMTAPE_ENTITY_BACKWARD                                                                                       \
    const memtape_entity_sizes *sizes, const void *d_last, const void *d_gates, const void *vectors,                  \
        const void *weights, const void *slopes, const void *last, const void *gates, const void *before,             \
        const void *sums, const void *norms, void *d_vectors, void *d_by_key, void *d_by_sentence, void *d_first,     \
        void *d_sums, void *d_slopes

extern "C" {
const char* memtape_entity_layout(void);
int memtape_entity_forward_float32(MEMTAPE_ENTITY_FORWARD);
int memtape_entity_forward_float64(MEMTAPE_ENTITY_FORWARD);
int memtape_entity_backward_float32(MEMTAPE_ENTITY_BACKWARD);
int memtape_entity_backward_float64(MEMTAPE_ENTITY_BACKWARD);
}
