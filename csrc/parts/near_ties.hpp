// Near-ties: numbers that are equal but for rounding, of which the one with the lower slot number comes first.
//
// memtape/ops/near_ties.py has the rules and their reason.
#pragma once

#include <algorithm>
#include <cstdint>

constexpr double NEAR_TIE = 1e-5;  // memtape/ops/near_ties.py has the same

// Find the runs of near-ties of a sorted array, of which the first `wanted` items count, and have those that are not in the
// order of their slots put into it. joins(a, b) tells whether two neighbours are nearly equal, before(a, b) whether the
// slot number of a is lower; sort(first, end) sorts a run by it.
template <typename Item, typename Joins, typename Before, typename Sort>
inline void order_near_ties(Item* items, int64_t count, int64_t wanted, Joins joins, Before before, Sort sort) {
    for (int64_t first = 0, end; first < wanted; first = end) {
        bool sorted = true;
        for (end = first + 1; end < count && joins(items[end - 1], items[end]); ++end)
            sorted &= !before(items[end], items[end - 1]);
        if (!sorted) sort(items + first, items + end);
    }
}
