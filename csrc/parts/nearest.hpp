// Nearest: select the best few of many candidates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "parts/near_ties.hpp"

constexpr int32_t NOBODY = std::numeric_limits<int32_t>::max();  // marks an absent candidate

// The best few of the offered candidates, the best first; of equal ones the first slot.
template <typename T>
class Nearest {
  public:
    explicit Nearest(int64_t count = 0) : cosines(count), slots(count) { clear(); }

    void clear() {
        std::fill(cosines.begin(), cosines.end(), -std::numeric_limits<T>::infinity());
        std::fill(slots.begin(), slots.end(), NOBODY);
    }

    // NaN counts as the best, so that it propagates.
    void offer(T cosine, int32_t slot) {
        if (cosine != cosine) cosine = std::numeric_limits<T>::infinity();
        int64_t at = int64_t(slots.size()) - 1;
        if (!better(cosine, slot, at)) return;
        for (; at > 0 && better(cosine, slot, at - 1); --at) cosines[at] = cosines[at - 1], slots[at] = slots[at - 1];
        cosines[at] = cosine, slots[at] = slot;
    }

    // Whether more than `at` candidates were offered.
    bool filled(int64_t at) const { return slots[at] != NOBODY; }

    T worst() const { return cosines.back(); }

    std::vector<T> cosines;
    std::vector<int32_t> slots;

  private:
    bool better(T cosine, int32_t slot, int64_t than) const {
        return cosine > cosines[than] || (cosine == cosines[than] && slot < slots[than]);
    }
};

// The best few of the offered candidates; of those nearly as good as the last one the first slots.
template <typename T>
class NearestBySlot {
  public:
    explicit NearestBySlot(int64_t count = 0) : best(count) {}

    void clear() {
        best.clear();
        close.clear();
        least = -std::numeric_limits<T>::infinity();
        room = LISTED_AT_ONCE;
    }

    // NaN counts as the best, so that it propagates.
    void offer(T cosine, int32_t slot) {
        if (cosine < least) return;
        if (close.size() >= room) forget();
        close.push_back({cosine == cosine ? cosine : std::numeric_limits<T>::infinity(), slot});
        best.offer(cosine, slot);
        least = best.worst() - T(NEAR_TIE);
    }

    // Resolve near-ties after all candidates have been offered.
    void settle() {
        const T most = best.worst() + T(NEAR_TIE);
        const int64_t count = best.slots.size();
        int64_t sure = 0;
        while (sure < count && best.cosines[sure] > most) ++sure;
        const int64_t open = count - sure;
        forget();
        const auto end = std::remove_if(close.begin(), close.end(), [&](auto& one) { return one.cosine > most; });
        if (end - close.begin() <= open) return;
        std::partial_sort(close.begin(), close.begin() + open, end, [](auto& a, auto& b) { return a.slot < b.slot; });
        for (int64_t i = 0; i < open; ++i)
            best.cosines[sure + i] = close[i].cosine, best.slots[sure + i] = close[i].slot;
    }

    // Whether more than `at` candidates were offered.
    bool filled(int64_t at) const { return best.filled(at); }
    const T* cosines() const { return best.cosines.data(); }
    const int32_t* slots() const { return best.slots.data(); }

  private:
    static constexpr size_t LISTED_AT_ONCE = 64;
    struct Candidate {
        T cosine;
        int32_t slot;
    };
    Nearest<T> best;               // without regard to near-ties
    std::vector<Candidate> close;  // all that can be among the best, and some others
    T least = -std::numeric_limits<T>::infinity();
    size_t room = LISTED_AT_ONCE;

    void forget() {
        close.erase(std::remove_if(close.begin(), close.end(), [&](auto& one) { return one.cosine < least; }),
                    close.end());
        room = std::max(room, 2 * close.size());
    }
};
