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
    struct Candidate {
        T cosine;
        int32_t slot;
    };

    explicit Nearest(int64_t count = 0) : cosines(count), slots(count) { clear(); }

    void clear() {
        std::fill(cosines.begin(), cosines.end(), -std::numeric_limits<T>::infinity());
        std::fill(slots.begin(), slots.end(), NOBODY);
    }

    // Return the candidate that is not among the best: the new one, or the last one before. NaN counts as the best, so
    // that it propagates.
    Candidate offer(T cosine, int32_t slot) {
        if (cosine != cosine) cosine = std::numeric_limits<T>::infinity();
        int64_t at = int64_t(slots.size()) - 1;
        if (!better(cosine, slot, at)) return {cosine, slot};
        const Candidate last = {cosines[at], slots[at]};
        for (; at > 0 && better(cosine, slot, at - 1); --at) cosines[at] = cosines[at - 1], slots[at] = slots[at - 1];
        cosines[at] = cosine, slots[at] = slot;
        return last;
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
        rejected.clear();
        least = -std::numeric_limits<T>::infinity();
    }

    // NaN counts as the best, so that it propagates.
    void offer(T cosine, int32_t slot) {
        if (cosine < least) return;
        const Candidate out = best.offer(cosine, slot);
        least = best.worst() - T(NEAR_TIE);
        if (out.slot != NOBODY && out.cosine >= least) rejected.push_back(out);
    }

    // Resolve near-ties after all candidates have been offered.
    void settle() {
        const auto stale = [&](const Candidate& one) { return one.cosine < least; };
        rejected.erase(std::remove_if(rejected.begin(), rejected.end(), stale), rejected.end());
        if (rejected.empty()) return;
        const T most = best.worst() + T(NEAR_TIE);
        const int64_t count = best.slots.size();
        int64_t sure = 0;
        while (best.cosines[sure] > most) ++sure;
        for (int64_t i = sure; i < count; ++i) rejected.push_back({best.cosines[i], best.slots[i]});
        std::partial_sort(rejected.begin(), rejected.begin() + count - sure, rejected.end(),
                          [](auto& a, auto& b) { return a.slot < b.slot; });
        for (int64_t i = sure; i < count; ++i)
            best.cosines[i] = rejected[i - sure].cosine, best.slots[i] = rejected[i - sure].slot;
    }

    // Whether more than `at` candidates were offered.
    bool filled(int64_t at) const { return best.filled(at); }
    const T* cosines() const { return best.cosines.data(); }
    const int32_t* slots() const { return best.slots.data(); }

  private:
    using Candidate = typename Nearest<T>::Candidate;
    Nearest<T> best;                  // without regard to near-ties
    std::vector<Candidate> rejected;  // all others that can be near-ties of the last one
    T least = -std::numeric_limits<T>::infinity();
};
