// Recency: keep slots in the order of their last access.
//
// Slots that were accessed since the start are in a doubly linked ring, so that finding the oldest and recording an
// access take constant time. The others come before them, in the order of the initial usage, and enter the ring one by
// one.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "base/lazy.hpp"

template <typename T>
class Recency {
  public:
    Recency() = default;

    // `usage` contains the steps of the last access before the start; null if they are equal.
    Recency(int64_t slots, const T* usage) : slots(slots), end(slots + 1), before(slots + 2), after(slots + 2) {
        before[end] = after[end] = int32_t(end);
        if (!usage) return;
        in_order = false;
        waiting.reserve(slots);
        for (int64_t i = 0; i < slots; ++i) waiting.emplace_back(usage[i], int32_t(i));
        std::make_heap(waiting.begin(), waiting.end(), std::greater<>());
    }

    // The least recently accessed slots, the oldest first; the order does not change.
    void oldest(int64_t count, int32_t* to) {
        front.erase(std::remove_if(front.begin(), front.end(), [&](int32_t slot) { return accessed(slot); }),
                    front.end());
        for (int32_t slot; int64_t(front.size()) < count && (slot = next_waiting()) >= 0;) front.push_back(slot);
        int64_t found = std::min<int64_t>(count, front.size());
        std::copy(front.begin(), front.begin() + found, to);
        for (int32_t id = after[end]; found < count; id = after[id]) to[found++] = id - 1;
    }

    // Make a slot the most recent one.
    void access(int32_t slot) {
        const int32_t id = slot + 1;
        if (accessed(slot)) {
            after[before[id]] = after[id];
            before[after[id]] = before[id];
        }
        before[id] = before[end];
        after[id] = int32_t(end);
        after[before[id]] = id;
        before[end] = id;
    }

  private:
    int64_t slots = 0, end = 0;  // slot i is i + 1 in the ring, so that 0 marks none; `end` closes it
    Lazy<int32_t> before, after;
    bool in_order = true;  // waiting slots are in the order of their indices
    int64_t taken = 0;
    std::vector<std::pair<T, int32_t>> waiting;
    std::vector<int32_t> front;  // the oldest of the waiting slots

    bool accessed(int32_t slot) const { return after[slot + 1] != 0; }

    int32_t next_waiting() {
        if (in_order) {
            while (taken < slots && accessed(int32_t(taken))) ++taken;
            return taken < slots ? int32_t(taken++) : -1;
        }
        while (!waiting.empty()) {
            std::pop_heap(waiting.begin(), waiting.end(), std::greater<>());
            const int32_t slot = waiting.back().second;
            waiting.pop_back();
            if (!accessed(slot)) return slot;
        }
        return -1;
    }
};
