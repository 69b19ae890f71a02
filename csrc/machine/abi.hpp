// ABI: the structs and functions, for float32 and float64, that every machine (a controller with a memory) exports. All
// tensors are contiguous.
//
// Sizes in the comments: B batch, T time, X inputs, Y outputs, H hidden, L layers, G all gates of a layer, R the read
// vectors of a step, Z the interface vector; U the input of an upper layer, H or, with shortcuts, X + R + H; S the
// controller's output to interface and output layer, H of its last layer or, with shortcuts, L * H. With P programs of
// each of `program_heads` heads, with keys of size K, I = P * Z + heads * (query + 1), with queries of size K or P;
// else I = Z. A cache has D vectors of each row, its attention N units.
#pragma once

#include "base/layout.hpp"

#define MEMTAPE_MACHINE_SIZES(FIELD)                                                                         \
    FIELD(int64_t, batch)                                                                                    \
    FIELD(int64_t, time)                                                                                     \
    FIELD(int64_t, inputs)                                                                                   \
    FIELD(int64_t, outputs)                                                                                  \
    FIELD(int64_t, hidden)                                                                                   \
    FIELD(int64_t, layers)                                                                                   \
    FIELD(int64_t, controller) /* 0 LSTM, 1 GRU, 2 plain recurrent, 3 feed-forward */                        \
    FIELD(int64_t, shortcuts)  /* 1: input, last reads, interface and output are connected to every layer */ \
    FIELD(int64_t, activation) /* of a plain or feed-forward layer: 0 tanh, 1 sigmoid, 2 relu */             \
    FIELD(int64_t, program_heads)                                                                            \
    FIELD(int64_t, programs)       /* of each head; 0: one linear interface */                               \
    FIELD(int64_t, program_key)    /* size of a key; 0: scores are queries */                                \
    FIELD(int64_t, squash_queries) /* 1: tanh of queries that are compared with keys */                      \
    FIELD(int64_t, cached)         /* D; 0: no cache */                                                      \
    FIELD(int64_t, units)          /* N */                                                                   \
    FIELD(int64_t, threads)                                                                                  \
    FIELD(const int64_t*, lengths)  /* B, each in 0..T, or null for T everywhere */                          \
    FIELD(const uint8_t*, accesses) /* B, T: whether the memory is accessed in a step, or null for all */    \
    FIELD(const int64_t*, places)   /* B, T: where a step caches h, each below D, or null for no cache */
MEMTAPE_STRUCT(memtape_machine_sizes, MEMTAPE_MACHINE_SIZES)

#define MEMTAPE_MACHINE_PARAMETERS(FIELD)                                                                   \
    FIELD(void*, first_weight)     /* G, X + R: first layer, for the input and the last reads */            \
    FIELD(void*, upper_weights)    /* L-1, G, U: the others, for [input, last reads and] the layer below */ \
    FIELD(void*, own_weights)      /* L, G, H: recurrent weights of all layers; not for feed-forward */     \
    FIELD(void*, biases)           /* L, G */                                                               \
    FIELD(void*, interface_weight) /* I, S */                                                               \
    FIELD(void*, interface_bias)   /* I */                                                                  \
    FIELD(void*, program_keys)     /* heads, P, K: of norm 1 */                                             \
    FIELD(void*, attention_cached) /* N, H: attention, for a cached vector */                               \
    FIELD(void*, attention_now)    /* N, H + R: for the hidden vector and the last reads */                 \
    FIELD(void*, attention_score)  /* N */                                                                  \
    FIELD(void*, output_weight)    /* Y, S + R */                                                           \
    FIELD(void*, output_bias)      /* Y */
MEMTAPE_STRUCT(memtape_machine_parameters, MEMTAPE_MACHINE_PARAMETERS)

// The state of a machine except its memory.
#define MEMTAPE_MACHINE_STATE(FIELD)                \
    FIELD(void*, reads)  /* B, R */                 \
    FIELD(void*, hidden) /* L, B, H */              \
    FIELD(void*, cell)   /* L, B, H, for an LSTM */ \
    FIELD(void*, cache)  /* B, D, H */
MEMTAPE_STRUCT(memtape_machine_state, MEMTAPE_MACHINE_STATE)

// xs: B, T, X. ys: B, T, Y, zero beyond a row's length. `last` is the state after each row's last step. `kept`, for the
// backward pass, may be null. Returns 0 on success and 1 if the memory is exhausted, as the backward pass does.
#define MEMTAPE_FORWARD(NAME)                                                                          \
    const memtape_##NAME##_sizes *sizes, const memtape_machine_parameters *parameters, const void *xs, \
        const memtape_##NAME##_state *first, void *ys, const memtape_##NAME##_state *last, void *kept

// Computes the gradients of all inputs from those of all outputs. Null pointers in `d_last` and a null `d_ys` represent
// zeros; a null `d_xs` is not computed. `parameters` are those of the forward pass; the biases are not read.
#define MEMTAPE_BACKWARD(NAME)                                                                         \
    const memtape_##NAME##_sizes *sizes, const memtape_machine_parameters *parameters, const void *xs, \
        const void *kept, const void *d_ys, const memtape_##NAME##_state *d_last,                      \
        const memtape_machine_parameters *d_parameters, void *d_xs, const memtape_##NAME##_state *d_first

// memtape_NAME_kept_...: how many numbers are saved for the backward pass; -1 if the memory is exhausted.
#define MEMTAPE_DECLARE_DTYPE(NAME, DTYPE)                                      \
    int64_t memtape_##NAME##_kept_##DTYPE(const memtape_##NAME##_sizes* sizes); \
    int memtape_##NAME##_forward_##DTYPE(MEMTAPE_FORWARD(NAME));                \
    int memtape_##NAME##_backward_##DTYPE(MEMTAPE_BACKWARD(NAME));

// memtape_NAME_layout: structs and functions, as text. memtape_NAME_interface: the rows of the interface vector, as
// text that is valid until the thread's next call.
#define MEMTAPE_DECLARE_MACHINE(NAME)                                            \
    extern "C" {                                                                 \
    const char* memtape_##NAME##_layout(void);                                   \
    const char* memtape_##NAME##_interface(const memtape_##NAME##_sizes* sizes); \
    MEMTAPE_DECLARE_DTYPE(NAME, float32)                                         \
    MEMTAPE_DECLARE_DTYPE(NAME, float64)                                         \
    }

#define MEMTAPE_DEFINE_DTYPE(NAME, MEMORY, DTYPE)                                                                      \
    int64_t memtape_##NAME##_kept_##DTYPE(const memtape_##NAME##_sizes* sizes) { return kept_numbers<MEMORY>(sizes); } \
    int memtape_##NAME##_forward_##DTYPE(MEMTAPE_FORWARD(NAME)) {                                                      \
        return forward<MEMORY>(sizes, parameters, xs, first, ys, last, kept);                                          \
    }                                                                                                                  \
    int memtape_##NAME##_backward_##DTYPE(MEMTAPE_BACKWARD(NAME)) {                                                    \
        return backward<MEMORY>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);               \
    }

// MEMORY is the class template of the machine's memory, INTERFACE that of its interface vector.
#define MEMTAPE_DEFINE_MACHINE(NAME, MEMORY, INTERFACE)                                                               \
    extern "C" {                                                                                                      \
    const char* memtape_##NAME##_layout(void) {                                                                       \
        static const std::string text =                                                                               \
            Layout::of<memtape_##NAME##_sizes>("sizes") + Layout::of<memtape_machine_parameters>("parameters") +      \
            Layout::of<memtape_##NAME##_state>("state") + signature("forward", MEMTAPE_TEXT(MEMTAPE_FORWARD(NAME))) + \
            signature("backward", MEMTAPE_TEXT(MEMTAPE_BACKWARD(NAME)));                                              \
        return text.c_str();                                                                                          \
    }                                                                                                                 \
    const char* memtape_##NAME##_interface(const memtape_##NAME##_sizes* sizes) {                                     \
        thread_local std::string text;                                                                                \
        text = INTERFACE<float>(*sizes).text();                                                                       \
        return text.c_str();                                                                                          \
    }                                                                                                                 \
    MEMTAPE_DEFINE_DTYPE(NAME, MEMORY<float>, float32)                                                                \
    MEMTAPE_DEFINE_DTYPE(NAME, MEMORY<double>, float64)                                                               \
    }
