// Sparse memory: a Sparse Access Memory, with or without links between its slots, for machine/engine.hpp.
//
// A row's memory is changed in place, and the old contents of the slots that a step writes to are saved. The backward
// pass has a store with the accessed slots only, where it undoes the writes step by step. Links have no gradient; only
// links between slots that heads have read are saved.
#pragma once

#include "machine/engine.hpp"
#include "parts/link_lists.hpp"
#include "parts/neighbours.hpp"

// The slots that each head has read, with their weights.
template <typename T>
struct Reading {
    const int32_t* slots;
    const T* weights;
    int64_t stride, count;  // stride between heads, and number of slots of a head

    int32_t slot(int64_t head, int64_t i) const { return slots[head * stride + i]; }
    T weight(int64_t head, int64_t i) const { return weights[head * stride + i]; }
};

template <typename T>
class SparseMemory {
  public:
    using Number = T;
    using Sizes = memtape_sam_sizes;
    using State = memtape_sam_state;

    const Sizes& sizes;
    const int64_t slots, width, heads, nearest, first_nearest, links, read_size, steps;
    const T threshold;  // a weight nearly equal to the given threshold is not above it
    const SAMInterface<T> interface;
    const Accesses accesses;
    int64_t kept;  // numbers saved for the backward pass

    explicit SparseMemory(const Sizes& sizes)
        : sizes(sizes), slots(sizes.slots), width(sizes.width), heads(sizes.heads), nearest(sizes.nearest),
          first_nearest(sizes.first_nearest), links(sizes.links), read_size(heads * width), steps(sizes.machine.time),
          threshold(T(sizes.threshold + NEAR_TIE)), interface(sizes),
          accesses(sizes.machine), first_written(std::min(slots, heads * (first_nearest + 1))),
          written(std::min(slots, heads * (nearest + 1))) {
        const int64_t rows = sizes.machine.batch, once = heads * first_nearest, each = heads * nearest;
        Sections sections;
        first_slots_at = sections.section(rows * once);
        first_weights_at = sections.section(rows * once);
        slots_at = sections.section(rows * steps * each);
        weights_at = sections.section(rows * steps * each);
        content_slots_at = links ? sections.section(rows * steps * each) : slots_at;
        content_weights_at = links ? sections.section(rows * steps * each) : weights_at;
        cosines_at = sections.section(rows * steps * each);
        along_at = sections.section(links ? rows * steps * along_size() : 0);
        least_at = sections.section(rows * steps * heads);
        overwritten_at = sections.section(rows * (first_written + (steps - 1) * written) * width);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return TOGETHER_BYTES / MOST_TOGETHER; }
    int64_t backward_bytes() const { return forward_bytes(); }

    int64_t length(int64_t row) const { return accesses.of(row); }

    // The saved data: the slots that the heads read before the first step and in each step, with weights; the slots
    // nearest to the keys, which are the same unless heads follow links, with weights and cosines; the links between
    // the slots of the previous and the current read; the least used slots; and the old contents of written slots. A
    // slot index fits into one number.
    int32_t* first_slots(T* block, int64_t row) const {
        return reinterpret_cast<int32_t*>(block + first_slots_at) + row * heads * first_nearest;
    }
    T* first_weights(T* block, int64_t row) const { return block + first_weights_at + row * heads * first_nearest; }
    int32_t* read_slots(T* block, int64_t row, int64_t t) const {
        return reinterpret_cast<int32_t*>(block + slots_at) + (row * steps + t) * heads * nearest;
    }
    T* read_weights(T* block, int64_t row, int64_t t) const {
        return block + weights_at + (row * steps + t) * heads * nearest;
    }
    int32_t* content_slots(T* block, int64_t row, int64_t t) const {
        return reinterpret_cast<int32_t*>(block + content_slots_at) + (row * steps + t) * heads * nearest;
    }
    T* content_weights(T* block, int64_t row, int64_t t) const {
        return block + content_weights_at + (row * steps + t) * heads * nearest;
    }
    T* cosines(T* block, int64_t row, int64_t t) const {
        return block + cosines_at + (row * steps + t) * heads * nearest;
    }
    // heads x (backward, forward) x followed x read
    T* along(T* block, int64_t row, int64_t t) const { return block + along_at + (row * steps + t) * along_size(); }
    int64_t along_size() const { return heads * 2 * nearest * nearest; }
    int32_t* least(T* block, int64_t row, int64_t t) const {
        return reinterpret_cast<int32_t*>(block + least_at) + (row * steps + t) * heads;
    }
    T* overwritten(T* block, int64_t row, int64_t t) const {
        const int64_t before = t ? first_written + (t - 1) * written : 0;
        return block + overwritten_at + (row * (first_written + (steps - 1) * written) + before) * width;
    }

    // Replace invalid slot indices of a row by valid ones, since saved data may have been changed.
    void make_valid(T* block, int64_t row) const {
        auto check = [&](int32_t* some, int64_t count) {
            for (int64_t i = 0; i < count; ++i)
                if (some[i] < 0 || some[i] >= slots) some[i] = 0;
        };
        check(first_slots(block, row), heads * first_nearest);
        check(read_slots(block, row, 0), length(row) * heads * nearest);
        check(content_slots(block, row, 0), length(row) * heads * nearest);
        check(least(block, row, 0), length(row) * heads);
    }

    // The slots that the heads read before step t.
    Reading<T> before(T* block, int64_t row, int64_t t) const {
        if (!t) return {first_slots(block, row), first_weights(block, row), first_nearest, first_nearest};
        return {read_slots(block, row, t - 1), read_weights(block, row, t - 1), nearest, nearest};
    }

    // The slots whose links a head follows: those with the largest read weights.
    void followed(const Reading<T>& before, int64_t head, NearestBySlot<T>& to) const {
        to.clear();
        for (int64_t i = 0; i < before.count; ++i)
            if (before.weight(head, i) > 0) to.offer(before.weight(head, i), before.slot(head, i));
        to.settle();
    }

    class Forward;
    class Backward;

  private:
    const int64_t first_written, written;  // largest number of slots written by the first and by another step
    int64_t first_slots_at, first_weights_at, slots_at, weights_at, content_slots_at, content_weights_at, cosines_at;
    int64_t along_at, least_at, overwritten_at;
};
