// Neural Turing Machine: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and N slots, W width, R = reads * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_NTM_SIZES(FIELD)                                      \
    FIELD(memtape_machine_sizes, machine)                             \
    FIELD(int64_t, slots)                                             \
    FIELD(int64_t, width)                                             \
    FIELD(int64_t, reads)                                             \
    FIELD(int64_t, writes)                                            \
    FIELD(int64_t, shift_range)                                       \
    FIELD(int64_t, location) /* 1: by location; 0: by content only */ \
    FIELD(int64_t, cosine)   /* 1: cosine, 0: dot product */          \
    FIELD(int64_t, read_first)                                        \
    FIELD(int64_t, squash) /* 1: tanh of keys and add vectors */      \
    FIELD(double, clip)    /* infinity for no bound */
MEMTAPE_STRUCT(memtape_ntm_sizes, MEMTAPE_NTM_SIZES)

#define MEMTAPE_NTM_STATE(FIELD)                   \
    FIELD(void*, memory)        /* B, N, W */      \
    FIELD(void*, read_weights)  /* B, reads, N */  \
    FIELD(void*, write_weights) /* B, writes, N */ \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_ntm_state, MEMTAPE_NTM_STATE)

MEMTAPE_DECLARE_MACHINE(ntm)

// The rows are those of memtape/memory/turing.py and content.py, read heads first.
template <typename T>
struct NTMInterface : Blocks<T> {
    const int64_t keys = this->at("keys"), strengths = this->at("strengths"), gates = this->at("gates"),
                  kernel = this->at("kernel"), exponents = this->at("exponents"), erase = this->at("erase"),
                  add = this->at("add");

    explicit NTMInterface(const memtape_ntm_sizes& s) : Blocks<T>(table(s), s.clip) {}

    static std::vector<Row> table(const memtape_ntm_sizes& s) {
        const auto vector = s.squash ? Row::tanh : Row::identity;
        const int64_t heads = s.reads + s.writes, moving = s.location ? heads : 0, offsets = 2 * s.shift_range + 1;
        return {{"keys", heads * s.width, vector, 1, 0, heads},
                {"strengths", heads, Row::softplus, 1, 0, heads},
                {"gates", moving, Row::sigmoid, 1, 0, heads},
                {"kernel", moving * offsets, Row::softmax, offsets, 0, heads},
                {"exponents", moving, Row::oneplus, 1, 0, heads},
                {"erase", s.writes * s.width, Row::sigmoid, 1, s.reads, s.writes},
                {"add", s.writes * s.width, vector, 1, s.reads, s.writes}};
    }
};
