// Near-ties: numbers that are equal except for rounding, of which the one with the lower slot index comes first.
//
// memtape/ops/near_ties.py contains the rules and their reason.
#pragma once

#include <algorithm>
#include <cstdint>

constexpr double NEAR_TIE = 1e-5;  // the same as in memtape/ops/near_ties.py

// Find the runs of near-ties in the first `wanted` items of a sorted array, and sort each run by slot index unless it
// is sorted. joins(a, b) returns whether two neighbours are nearly equal, before(a, b) whether the slot index of a is
// lower; sort(first, end) sorts a run by slot index.
template <typename Item, typename Joins, typename Before, typename Sort>
inline void order_near_ties(Item* items, int64_t count, int64_t wanted, Joins joins, Before before, Sort sort) {
    for (int64_t first = 0, end; first < wanted; first = end) {
        bool sorted = true;
        for (end = first + 1; end < count && joins(items[end - 1], items[end]); ++end)
            sorted &= !before(items[end], items[end - 1]);
        if (!sorted) sort(items + first, items + end);
    }
}
