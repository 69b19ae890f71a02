// Runs: all runs of a weighted pushdown automaton, the memory of a network with a nondeterministic stack, for
// machine/engine.hpp.
//
// A step computes one column of their table; earlier columns do not change. The backward pass accumulates the gradient
// of the table in place.
#pragma once

#include "machine/engine.hpp"
#include "parts/run_operations.hpp"

template <typename T>
constexpr T LOG_2 = T(0.69314718055994530942);

template <typename T>
class Runs {
  public:
    using Number = T;
    using Sizes = memtape_nsrnn_sizes;
    using State = memtape_nsrnn_state;

    const RunTable<T> table;
    const int64_t cells, states, symbols, parts, pairs, batch, steps;
    const bool by_state;            // whether a reading has a share of each state
    const int64_t unread;           // parts that are not read: the weights, if there are vectors
    const int64_t tops, read_size;  // numbers of all weights and vectors after a step, and of a reading
    const int64_t* const lengths;
    const NSRNNInterface<T> interface;
    int64_t kept;  // numbers saved for the backward pass

    explicit Runs(const Sizes& s)
        : table(s.cells, s.states, s.symbols, s.parts), cells(s.cells), states(s.states), symbols(s.symbols),
          parts(s.parts), pairs(states * symbols), batch(s.machine.batch), steps(s.machine.time),
          by_state(s.reading == 0), unread(parts > 1), tops(pairs * parts),
          read_size((by_state ? pairs : symbols) * (parts - unread)), lengths(s.machine.lengths), interface(s) {
        Sections sections;
        sources_at = sections.section((cells + steps + 1) * pairs);
        tops_at = sections.section((steps + 1) * tops);
        scales_at = sections.section(steps);
        table_at = sections.size;
        kept = batch * record_size(cells + steps);
    }

    int64_t forward_bytes() const { return record_size(cells + 1) * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (cells + 1) * table.column * int64_t(sizeof(T)); }

    int64_t length(int64_t row) const { return lengths ? lengths[row] : steps; }

    // The record of a row of the batch: the weights of all runs at each time, by state and top symbol; these and the
    // vectors in the top cells before the first step and after each; the divisor of each step; columns of the table.
    struct Record {
        T *sources, *tops, *scales, *table;
    };
    int64_t record_size(int64_t columns) const { return table_at + columns * table.column; }
    Record record(T* at) const { return {at, at + tops_at, at + scales_at, at + table_at}; }
    Record saved(T* block, int64_t row) const { return record(block + row * record_size(cells + steps)); }

    // The earliest time with a weight in some row of the batch; `sources` returns the weights of a row at a time.
    template <typename Sources>
    int64_t earliest(Sources sources) const {
        for (int64_t time = 0; time < cells - 1; ++time)
            for (int64_t row = 0; row < batch; ++row) {
                const T* weights = sources(row, time);
                if (std::any_of(weights, weights + pairs, [](T weight) { return weight != T(0); })) return time;
            }
        return cells - 1;
    }

    // The reading: the share of each state and symbol, or the mean vector in their top cells.
    void read(const T* top, T* reads) const {
        const T divisor = std::max(total_of(top), std::numeric_limits<T>::min());
        clear(reads, read_size);
        each_read([&](int64_t from, int64_t to) { reads[to] += top[from] / divisor; });
    }

    // Add the gradients of what is read.
    void read_backward(const T* top, const T* d_reads, T* d_top) const {
        const T all = total_of(top), divisor = std::max(all, std::numeric_limits<T>::min());
        T d_divisor = 0;
        each_read([&](int64_t from, int64_t to) {
            d_top[from] += d_reads[to] / divisor;
            d_divisor -= d_reads[to] * (top[from] / divisor) / divisor;
        });
        if (all < std::numeric_limits<T>::min()) return;
        for (int64_t pair = 0; pair < pairs; ++pair) d_top[pair * parts] += d_divisor;
    }

    class Forward;
    class Backward;

  private:
    int64_t sources_at, tops_at, scales_at, table_at;

    T total_of(const T* top) const {
        T all = 0;
        for (int64_t pair = 0; pair < pairs; ++pair) all += top[pair * parts];
        return all;
    }

    template <typename Body>
    void each_read(Body body) const {
        for (int64_t pair = 0; pair < pairs; ++pair)
            for (int64_t p = unread; p < parts; ++p)
                body(pair * parts + p, (by_state ? pair : pair % symbols) * (parts - unread) + p - unread);
    }
};
