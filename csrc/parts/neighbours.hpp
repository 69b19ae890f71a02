// Neighbours: find the slots of a changing memory that are nearest to a key by cosine similarity.
//
// Slots that were never written and are zero have the same similarity to every key; only the first few of them are
// candidates, and the others cost no time. Occupied slots are compared one by one, or, if they are many and approximate
// search is allowed, in cells.
#pragma once

#include <cmath>
#include <vector>

#include "parts/cells.hpp"
#include "parts/nearest.hpp"

constexpr double SLOT_EPSILON = 1e-6;  // the same as in memtape/ops/sparse_access.py
constexpr int64_t LISTED = 16;         // smallest number of slots of the cells that are compared exactly

template <typename T>
class Neighbours {
  public:
    Neighbours() = default;

    // `empty` states that the memory is zero everywhere. More than `few` occupied slots are searched in cells; 0 for
    // never.
    Neighbours(const T* memory, int64_t slots, int64_t width, int64_t heads, int64_t nearest, int64_t few, bool empty)
        : memory(memory), slots(slots), width(width), heads(heads), count(nearest), few(few), stride(padded<T>(width)),
          known(slots), keys(heads * stride), norms(heads), found(heads, NearestBySlot<T>(nearest)) {
        for (int64_t i = 0; !empty && i < slots; ++i)
            if (!std::all_of(memory + i * width, memory + (i + 1) * width, [](T x) { return x == 0; }))
                occupy(int32_t(i));
        for (int64_t i = 0; i < count; ++i) add_free();
    }

    // Update slots with new contents.
    void changed(const std::vector<int32_t>& some) {
        for (int32_t slot : some)
            if (!known[slot]) {
                occupy(slot);
                const auto at = std::find(free.begin(), free.end(), slot);
                if (at != free.end()) free.erase(at), add_free();
            }
        if (!few || int64_t(occupied.size()) <= few) return;
        if (int64_t(occupied.size()) >= 2 * cells.size_when_built())
            cells.build(memory, width, slots, occupied);
        else
            cells.place(memory, some);
    }

    // Find the slots nearest to each head's key.
    void find(const T* some_keys) {
        for (int64_t h = 0; h < heads; ++h) {
            T* key = &keys[h * stride];
            copy(some_keys + h * width, width, key);
            norms[h] = inverse_norm(total<T>(width, [&](int64_t f, int64_t some) {
                const Vector<T> x = load(key + f, some);
                return x * x;
            }));
            offer_free(h);
        }
        const bool shortlisted = few && int64_t(occupied.size()) > few;
        if (!shortlisted) {
            constexpr int64_t AT_ONCE = 4;
            int64_t h = 0;
            for (; h + AT_ONCE <= heads; h += AT_ONCE) look<AT_ONCE>(h, occupied.data(), occupied.size());
            for (; h < heads; ++h) look<1>(h, occupied.data(), occupied.size());
        }
        for (int64_t h = 0; shortlisted && h < heads; ++h) {
            const auto& some = cells.shortlist(&keys[h * stride], std::max(LISTED, 4 * count));
            const int64_t listed = std::find(some.begin(), some.end(), NOBODY) - some.begin();
            look<1>(h, some.data(), listed);
            if (!found[h].filled(count - 1)) {  // nearly all slots have left the cells
                offer_free(h);
                look<1>(h, occupied.data(), occupied.size());
            }
        }
        for (auto& of_head : found) of_head.settle();
    }

    const int32_t* slots_of(int64_t head) const { return found[head].slots(); }
    const T* cosines_of(int64_t head) const { return found[head].cosines(); }

    static T inverse_norm(T square) { return T(1) / std::sqrt(square + T(SLOT_EPSILON)); }

  private:
    const T* memory = nullptr;
    int64_t slots = 0, width = 0, heads = 0, count = 0;
    int64_t few = 0;
    int64_t stride = 0;
    Lazy<uint8_t> known;            // which slots are occupied
    std::vector<int32_t> occupied;  // the same as a list
    std::vector<int32_t> free;      // the first few unoccupied slots, in order
    int64_t looked_at = 0;          // slots before it are occupied or in `free`
    Cells<T> cells;
    Array<T> keys;
    std::vector<T> norms;
    std::vector<NearestBySlot<T>> found;

    void occupy(int32_t slot) {
        known[slot] = 1;
        occupied.push_back(slot);
    }

    void add_free() {
        while (looked_at < slots && known[looked_at]) ++looked_at;
        if (looked_at < slots) free.push_back(int32_t(looked_at++));
    }

    // Start a head's search.
    void offer_free(int64_t h) {
        found[h].clear();
        for (int32_t slot : free) found[h].offer(0, slot);
    }

    // Offer slots to a few heads.
    template <int HEADS>
    void look(int64_t first, const int32_t* some, int64_t how_many) {
        constexpr int64_t AHEAD = 16;  // slots that are prefetched
        for (int64_t n = 0; n < how_many; ++n) {
            if (n + AHEAD < how_many) {
                const char* coming = reinterpret_cast<const char*>(memory + int64_t(some[n + AHEAD]) * width);
                for (int64_t byte = 0; byte < width * int64_t(sizeof(T)); byte += 64) __builtin_prefetch(coming + byte);
            }
            const T* slot = memory + int64_t(some[n]) * width;
            Vector<T> square = {}, dots[HEADS] = {};
            by_register<T>(width, [&](int64_t f, int64_t left) {
                const Vector<T> x = load(slot + f, left);
                square += x * x;
#pragma GCC unroll 8
                for (int h = 0; h < HEADS; ++h) dots[h] += x * load(&keys[(first + h) * stride + f]);
            });
            const T norm = inverse_norm(sum<T>(square));
#pragma GCC unroll 8
            for (int h = 0; h < HEADS; ++h) found[first + h].offer(sum<T>(dots[h]) * norms[first + h] * norm, some[n]);
        }
    }
};
