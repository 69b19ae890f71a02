// Differentiable Neural Computer: the structs that it exports, and its interface vector.
//
// Sizes in the comments are those of machine/abi.hpp, and N slots, W width, R = reads * W.
#pragma once

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

#define MEMTAPE_DNC_SIZES(FIELD)                                                \
    FIELD(memtape_machine_sizes, machine)                                       \
    FIELD(int64_t, slots)                                                       \
    FIELD(int64_t, width)                                                       \
    FIELD(int64_t, reads)                                                       \
    FIELD(int64_t, writes)                                                      \
    FIELD(int64_t, oneplus)        /* 1: oneplus; 0: softplus */                \
    FIELD(int64_t, squash)         /* 1: tanh of keys and add vectors */        \
    FIELD(int64_t, masked)         /* 1: look-ups are masked */                 \
    FIELD(int64_t, sharpen)        /* 1: links are sharpened */                 \
    FIELD(int64_t, deallocate)     /* 1: freed slots are erased */              \
    FIELD(int64_t, usage_gradient) /* 1: from the usage to the write weights */ \
    FIELD(double, clip)            /* infinity for no bound */                  \
    FIELD(double, mask_floor)                                                   \
    FIELD(double, usage_epsilon)                                                \
    FIELD(double, usage_tolerance)                                              \
    FIELD(double, norm_epsilon)                                                 \
    FIELD(double, product_epsilon)
MEMTAPE_STRUCT(memtape_dnc_sizes, MEMTAPE_DNC_SIZES)

#define MEMTAPE_DNC_STATE(FIELD)                      \
    FIELD(void*, memory)        /* B, N, W */         \
    FIELD(void*, read_weights)  /* B, reads, N */     \
    FIELD(void*, write_weights) /* B, writes, N */    \
    FIELD(void*, usage)         /* B, N */            \
    FIELD(void*, links)         /* B, writes, N, N */ \
    FIELD(void*, precedence)    /* B, writes, N */    \
    FIELD(memtape_machine_state, machine)
MEMTAPE_STRUCT(memtape_dnc_state, MEMTAPE_DNC_STATE)

MEMTAPE_DECLARE_MACHINE(dnc)

// The rows are those of memtape/memory/dnc_interface.py, in the order of the paper.
template <typename T>
struct DNCInterface : Blocks<T> {
    const int64_t writes, modes;  // modes of a read head
    const int64_t read_keys = this->at("read_keys"), read_strengths = this->at("read_strengths"),
                  write_keys = this->at("write_keys"), write_strengths = this->at("write_strengths"),
                  erase = this->at("erase"), add = this->at("add"), free_gates = this->at("free_gates"),
                  allocation_gates = this->at("allocation_gates"), write_gates = this->at("write_gates"),
                  read_modes = this->at("read_modes"), read_masks = this->at("read_masks"),
                  write_masks = this->at("write_masks"), backward_exponents = this->at("backward_exponents"),
                  forward_exponents = this->at("forward_exponents");

    explicit DNCInterface(const memtape_dnc_sizes& s)
        : Blocks<T>(table(s), s.clip, s.mask_floor), writes(s.writes), modes(1 + 2 * s.writes) {}

    static std::vector<Row> table(const memtape_dnc_sizes& s) {
        const auto vector = s.squash ? Row::tanh : Row::identity, strength = s.oneplus ? Row::oneplus : Row::softplus;
        const int64_t modes = 1 + 2 * s.writes, masks = s.masked ? s.width : 0, links = s.sharpen ? s.writes : 0;
        return {{"read_keys", s.reads * s.width, vector, 1, 0, s.reads},
                {"read_strengths", s.reads, strength, 1, 0, s.reads},
                {"write_keys", s.writes * s.width, vector, 1, s.reads, s.writes},
                {"write_strengths", s.writes, strength, 1, s.reads, s.writes},
                {"erase", s.writes * s.width, Row::sigmoid, 1, s.reads, s.writes},
                {"add", s.writes * s.width, vector, 1, s.reads, s.writes},
                {"free_gates", s.reads, Row::sigmoid, 1, 0, s.reads},
                {"allocation_gates", s.writes, Row::sigmoid, 1, s.reads, s.writes},
                {"write_gates", s.writes, Row::sigmoid, 1, s.reads, s.writes},
                {"read_modes", s.reads * modes, Row::softmax, modes, 0, s.reads},
                {"read_masks", s.reads * masks, Row::floored_sigmoid, 1, 0, s.reads},
                {"write_masks", s.writes * masks, Row::floored_sigmoid, 1, s.reads, s.writes},
                {"backward_exponents", s.reads * links, Row::oneplus, 1, 0, s.reads},
                {"forward_exponents", s.reads * links, Row::oneplus, 1, 0, s.reads}};
    }

    // The sharpening exponent of a read head for the links of a mode.
    int64_t exponent(int64_t read, int64_t mode) const {
        return mode < writes ? backward_exponents + read * writes + mode
                             : forward_exponents + read * writes + mode - writes - 1;
    }
};
