// Sparse Access Memory: the structs that it exports, and its interface vector. Its heads may follow links (SDNC).
//
// Sizes in the comments are those of machine/abi.hpp, and N slots, W width, R = heads * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_SAM_SIZES(FIELD)                                                                       \
    FIELD(memtape_machine_sizes, machine)                                                              \
    FIELD(int64_t, slots)                                                                              \
    FIELD(int64_t, width)                                                                              \
    FIELD(int64_t, heads)                                                                              \
    FIELD(int64_t, links)     /* length of a slot's list of links; 0 for none */                       \
    FIELD(int64_t, nearest)   /* slots that a head reads in a step */                                  \
    FIELD(int64_t, few)       /* of more written slots than these only a part is searched; 0: never */ \
    FIELD(int64_t, squash)    /* 1: tanh of keys and add vectors */                                    \
    FIELD(int64_t, strengths) /* 0 none, 1 softplus, 2 1 + softplus */                                 \
    FIELD(double, threshold)                                                                           \
    FIELD(double, clip)           /* infinity for no bound */                                          \
    FIELD(int64_t, first_nearest) /* largest number of slots read before the first step */             \
    FIELD(int64_t, empty)         /* 1: the initial memory is zero */                                  \
    FIELD(int64_t, unread)        /* 1: the initial read weights are zero */                           \
    FIELD(int64_t, unused)        /* 1: the initial usage is zero */                                   \
    FIELD(int64_t, unlinked)      /* 1: the initial links are zero */                                  \
    FIELD(const void*, memory)    /* B, N, W, in the backward pass: the memory after the last step */  \
    FIELD(void*, rolled_back)     /* the same, or null: receives the memory before the first step */
MEMTAPE_STRUCT(memtape_sam_sizes, MEMTAPE_SAM_SIZES)

// The strongest links of each slot, to slots written before and after it, and the slots written last: slot indices with
// weights; entries of weight 0 are unused. They have no gradient.
#define MEMTAPE_LINK_LISTS(FIELD)                  \
    FIELD(void*, before_places)  /* B, N, links */ \
    FIELD(void*, before_weights) /* B, N, links */ \
    FIELD(void*, after_places)   /* B, N, links */ \
    FIELD(void*, after_weights)  /* B, N, links */ \
    FIELD(void*, last_places)    /* B, links */    \
    FIELD(void*, last_weights)   /* B, links */
MEMTAPE_STRUCT(memtape_link_lists, MEMTAPE_LINK_LISTS)

// Memory, read weights, usage and links are changed in place: `last` of the forward pass contains those before the
// first step and receives those after each row's last step; those of `first` are not read. In the backward pass the
// memory and the read weights of `d_first` may be null; they are then not computed.
#define MEMTAPE_SAM_STATE(FIELD)                                                                \
    FIELD(void*, memory)       /* B, N, W */                                                    \
    FIELD(void*, read_weights) /* B, heads, N */                                                \
    FIELD(void*, usage)        /* B, N: the step of the last access, an integer; no gradient */ \
    FIELD(memtape_link_lists, links)                                                            \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_sam_state, MEMTAPE_SAM_STATE)

MEMTAPE_DECLARE_MACHINE(sam)

constexpr int64_t MODES = 3;  // backward, content, forward

// The rows are those of memtape/memory/sparse_access.py, with the read modes of sparse_computer.py before the
// strengths.
template <typename T>
struct SAMInterface : Blocks<T> {
    const int64_t keys = this->at("keys"), add = this->at("add"), write_gates = this->at("write_gates"),
                  gates = this->at("gates"), modes = this->at("read_modes"), strengths = this->at("strengths");

    explicit SAMInterface(const memtape_sam_sizes& s) : Blocks<T>(table(s), s.clip) {}

    static std::vector<Row> table(const memtape_sam_sizes& s) {
        constexpr Row::Activation STRENGTHS[] = {Row::one, Row::softplus, Row::oneplus};
        const auto vector = s.squash ? Row::tanh : Row::identity;
        return {{"keys", s.heads * s.width, vector},
                {"add", s.heads * s.width, vector},
                {"write_gates", s.heads, Row::sigmoid},
                {"gates", s.heads, Row::sigmoid},
                {"read_modes", s.links ? MODES * s.heads : 0, Row::softmax, MODES},
                {"strengths", s.heads, STRENGTHS[s.strengths]}};
    }
};
