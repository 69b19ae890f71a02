// Nearest: the best few of many candidates.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

constexpr int32_t NOBODY = std::numeric_limits<int32_t>::max();  // where there is no candidate

// The best few of the candidates that were offered, the best first; of equals the first slot.
template <typename T>
class Nearest {
  public:
    explicit Nearest(int64_t count = 0) : cosines(count), slots(count) { clear(); }

    void clear() {
        std::fill(cosines.begin(), cosines.end(), -std::numeric_limits<T>::infinity());
        std::fill(slots.begin(), slots.end(), NOBODY);
    }

    // NaN counts as the best, so that it is seen.
    void offer(T cosine, int32_t slot) {
        if (cosine != cosine) cosine = std::numeric_limits<T>::infinity();
        int64_t at = int64_t(slots.size()) - 1;
        if (!better(cosine, slot, at)) return;
        for (; at > 0 && better(cosine, slot, at - 1); --at) cosines[at] = cosines[at - 1], slots[at] = slots[at - 1];
        cosines[at] = cosine, slots[at] = slot;
    }

    // Whether there were more candidates than a number of them.
    bool filled(int64_t at) const { return slots[at] != NOBODY; }

    T worst() const { return cosines.back(); }

    std::vector<T> cosines;
    std::vector<int32_t> slots;

  private:
    bool better(T cosine, int32_t slot, int64_t than) const {
        return cosine > cosines[than] || (cosine == cosines[than] && slot < slots[than]);
    }
};
