// Accesses: the steps in which each row of the batch accesses its memory. In the others its memory and the read vectors
// stay the same, and for the memory only steps with an access exist.
#pragma once

#include <vector>

#include "machine/abi.hpp"

class Accesses {
  public:
    explicit Accesses(const memtape_machine_sizes& s)
        : time(s.time), given(s.accesses), lengths(s.lengths), counts(given ? s.batch * (time + 1) : 0) {
        for (int64_t row = 0; given && row < s.batch; ++row)
            for (int64_t t = 0; t < time; ++t)
                counts[row * (time + 1) + t + 1] = counts[row * (time + 1) + t] + (at(row, t) ? 1 : 0);
    }

    bool at(int64_t row, int64_t t) const { return !given || given[row * time + t]; }

    // The number of accesses before a step: the number of its access, if it has one.
    int64_t before(int64_t row, int64_t t) const { return given ? counts[row * (time + 1) + t] : t; }

    // The number of all accesses of a row.
    int64_t of(int64_t row) const { return before(row, lengths ? lengths[row] : time); }

    bool any(const int64_t* rows, int64_t count, int64_t t) const {
        for (int64_t r = 0; given && r < count; ++r)
            if (at(rows[r], t)) return true;
        return !given;
    }

  private:
    const int64_t time;
    const uint8_t* const given;
    const int64_t* const lengths;
    std::vector<int64_t> counts;
};
