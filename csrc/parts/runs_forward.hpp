// Forward pass of runs: a step computes a column of the table, divides it by a power of 2, and then reads.
#pragma once

#include <cmath>

#include "parts/runs.hpp"

template <typename T>
class Runs<T>::Forward {
  public:
    Forward(const Runs& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), columns(m.cells + (kept ? m.steps : 1)),
          at(m.table, columns, m.cells + m.steps), operations(m.table, m.interface),
          own(kept ? 0 : together * m.record_size(columns)), exponents(together), done(together) {
        base = m.earliest([&](int64_t row, int64_t time) { return given_source(row, time); });
    }

    void begin(int64_t r, int64_t row) {
        const Record now = record(r, row);
        for (int64_t time = 0; time < m.cells; ++time)
            copy(given_source(row, time), m.pairs, now.sources + time * m.pairs);
        copy((const T*)first.tops + row * m.tops, m.tops, now.tops);
        become_source(now, 0);
        exponents[r] = ((const T*)first.exponent)[row];
        done[r] = 0;
        for (int64_t time = base; time < m.cells; ++time) end_rows(now, time);
        at.each(row, base, m.cells - 1, [&](int64_t from, int64_t to) {
            for (int64_t s = 0; s < m.states; ++s) now.table[to + s * m.table.row] = ((const T*)first.table)[from + s];
        });
    }

    void end(int64_t r, int64_t row) {
        const Record now = record(r, row);
        const int64_t latest = m.cells - 1 + done[r], least = std::max(base, done[r]);
        T *table = (T*)last.table, *sources = (T*)last.sources + row * m.cells * m.pairs;
        keep_unused(row, done[r], table, sources);
        at.each(row, least, latest, [&](int64_t to, int64_t from) {
            for (int64_t s = 0; s < m.states; ++s) table[to + s] = now.table[from + s * m.table.row];
        });
        for (int64_t time = least; time <= latest; ++time)
            copy((const T*)now.sources + time * m.pairs, m.pairs, sources + (latest - time) * m.pairs);
        copy((const T*)now.tops + done[r] * m.tops, m.tops, (T*)last.tops + row * m.tops);
        ((T*)last.exponent)[row] = exponents[r];
    }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        const Record now = record(r, row);
        const int64_t time = m.cells + t, least = std::max(base, t);
        operations.compute(vector, time, least, now.table, at);
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t p = 0; p < m.parts; ++p) {
                by_results(m.states, [&](int64_t state, auto count) {
                    continue_runs<decltype(count)::value>(now.table, time, least, y, p, state);
                });
                push(now, time, y, p);
            }
        end_rows(now, time);
        T* top = now.tops + (t + 1) * m.tops;
        const T all = sum_runs(now, time, least, top);
        int power = 1;
        if (all > T(0) && std::isfinite(all)) std::frexp(all, &power);
        const T scale = now.scales[t] = std::ldexp(T(1), --power);
        for (int64_t i = 0; i < m.table.rows; ++i)
            divide((time + 1 - least) * m.pairs, scale, now.table + at(time) + i * m.table.row + least * m.pairs);
        divide(m.tops, scale, top);
        become_source(now, t + 1);
        exponents[r] += operations.log_divisor / LOG_2<T> + T(power);
        done[r] = t + 1;
        m.read(top, reads);
    }

  private:
    const Runs& m;
    const State &first, &last;
    T* const kept;
    const int64_t columns;
    const RunColumns<T> at;
    RunOperations<T> operations;
    Array<T> own, exponents;
    std::vector<int64_t> done;  // steps of each row
    int64_t base;               // the earliest time with a weight

    Record record(int64_t r, int64_t row) {
        return kept ? m.saved(kept, row) : m.record(&own[r * m.record_size(columns)]);
    }
    const T* given_source(int64_t row, int64_t time) const {
        return (const T*)first.sources + (row * m.cells + m.cells - 1 - time) * m.pairs;
    }

    // The cells of the first state move back by the steps, also those without a weight.
    void keep_unused(int64_t row, int64_t done, T* table, T* sources) const {
        const int64_t moved = std::max<int64_t>(0, m.cells - done), new_cells = m.cells - moved;
        const int64_t of_end = m.states, of_source = m.pairs * m.parts * m.cells * m.states;
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t source = 0; source < m.cells; ++source) {
                T* block = table + m.table.in_state(row, y, source, 0, 0, 0);
                clear(block, of_source);
                if (source < new_cells) continue;
                const T* before = (const T*)first.table + m.table.in_state(row, y, source - new_cells, 0, 0, 0);
                for (int64_t i = 0; i < m.pairs * m.parts; ++i)
                    copy(before + i * m.cells * of_end, moved * of_end, block + (i * m.cells + new_cells) * of_end);
            }
        clear(sources, new_cells * m.pairs);
        copy((const T*)first.sources + row * m.cells * m.pairs, moved * m.pairs, sources + new_cells * m.pairs);
    }

    void become_source(const Record& now, int64_t done) {
        for (int64_t pair = 0; pair < m.pairs; ++pair)
            now.sources[(m.cells + done) * m.pairs + pair] = now.tops[done * m.tops + pair * m.parts];
    }

    // The zeros behind the rows of a column.
    void end_rows(const Record& now, int64_t time) {
        for (int64_t i = 0; i < m.table.rows; ++i)
            clear(now.table + at(time) + i * m.table.row + m.table.starts(time) * m.pairs, STRIP_WIDTH<T>);
    }

    // Runs whose last operation is a replacement or a pop.
    template <int STATES>
    void continue_runs(T* table, int64_t time, int64_t least, int64_t y, int64_t p, int64_t state) {
        for (int64_t from = least * m.pairs; from < time * m.pairs; from += STRIP_WIDTH<T>) {
            StripSums<T, STATES> sums;
            for (int64_t z = 0; z < m.symbols; ++z)
                for (int64_t s = 0; s < m.states; ++s)
                    sums.add(table + at(time - 1, z, p, s) + from,
                             &operations.replacing[operations.replacing_at(y, z, s) + state]);
            for (int64_t end = m.table.first_end(from / m.pairs, least); end < time - 1; ++end)
                for (int64_t u = 0; u < m.states; ++u)
                    sums.add(table + at(end, y, p, u) + from,
                             &operations.popping[operations.popping_at(y, end, u, least) + state]);
            sums.give(table + at(time, y, p, state) + from, m.table.row);
        }
    }

    // Runs of a single push, from the states and top symbols that some run has reached.
    void push(const Record& now, int64_t time, int64_t y, int64_t p) {
        const T *control = operations.control.data(), *source = now.sources + time * m.pairs;
        const T part = p ? control[m.interface.pushed + p - 1] : T(1);
        for (int64_t s = 0; s < m.states; ++s) {
            T* to = now.table + at(time, y, p, s) + time * m.pairs;
            for (int64_t pair = 0; pair < m.pairs; ++pair)
                to[pair] = source[pair] > T(0) ? control[pair * m.pairs + s * m.symbols + y] * part : T(0);
        }
    }

    // The weights of all runs by state and top symbol, and the vectors; returns the sum of the weights.
    T sum_runs(const Record& now, int64_t time, int64_t least, T* top) {
        const T* sources = now.sources + least * m.pairs;
        T all = 0;
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t p = 0; p < m.parts; ++p)
                for (int64_t s = 0; s < m.states; ++s) {
                    const T* runs = now.table + at(time, y, p, s) + least * m.pairs;
                    const T sum = total<T>((time + 1 - least) * m.pairs, [&](int64_t i, int64_t count) {
                        return load(sources + i, count) * load(runs + i, count);
                    });
                    top[(s * m.symbols + y) * m.parts + p] = sum;
                    if (!p) all += sum;
                }
        return all;
    }

    static void divide(int64_t size, T divisor, T* numbers) {
        by_register<T>(
            size, [&](int64_t i, int64_t count) { store(numbers + i, load(numbers + i, count) / divisor, count); });
    }
};
