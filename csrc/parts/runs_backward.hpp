// Backward pass of runs.
#pragma once

#include "parts/runs.hpp"

template <typename T>
class Runs<T>::Backward {
  public:
    Backward(const Runs& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), times(m.cells + m.steps), at(m.table, times, times),
          d_at(m.table, m.cells + 1, times), operations(m.table, m.interface),
          d_table(together * (m.cells + 1) * m.table.column), d_sources(together * (times + 1) * m.pairs),
          d_tops(together * m.tops), d_exponents(together), d_replacing(operations.replacing.size()),
          d_popping(operations.popping.size()) {
        base = m.earliest([&](int64_t row, int64_t time) { return m.saved(kept, row).sources + time * m.pairs; });
    }

    void begin(int64_t r, int64_t row) {
        const int64_t done = m.length(row), latest = m.cells - 1 + done, least = std::max(base, done);
        T *table = own_table(r), *sources = own_sources(r);
        clear(table, (m.cells + 1) * m.table.column);
        if (d_last.table)
            d_at.each(row, least, latest, [&](int64_t from, int64_t to) {
                for (int64_t s = 0; s < m.states; ++s) table[to + s * m.table.row] = ((const T*)d_last.table)[from + s];
            });
        clear(sources, (times + 1) * m.pairs);
        for (int64_t time = least; time <= latest; ++time)
            take((const T*)d_last.sources, (row * m.cells + latest - time) * m.pairs, m.pairs,
                 sources + time * m.pairs);
        take((const T*)d_last.tops, row * m.tops, m.tops, own_tops(r));
        take((const T*)d_last.exponent, row, 1, &d_exponents[r]);
    }

    void end(int64_t r, int64_t row) {
        T *table = (T*)d_first.table, *sources = (T*)d_first.sources;
        give_unused(row, table, sources);
        d_at.each(row, base, m.cells - 1, [&](int64_t to, int64_t from) {
            for (int64_t s = 0; s < m.states; ++s) table[to + s] = own_table(r)[from + s * m.table.row];
        });
        for (int64_t time = base; time < m.cells; ++time)
            copy((const T*)own_sources(r) + time * m.pairs, m.pairs,
                 sources + (row * m.cells + m.cells - 1 - time) * m.pairs);
        copy((const T*)own_tops(r), m.tops, (T*)d_first.tops + row * m.tops);
        ((T*)d_first.exponent)[row] = d_exponents[r];
    }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        const Record now = m.saved(kept, row);
        const int64_t time = m.cells + t, least = std::max(base, t);
        T *d = own_table(r), *d_top = own_tops(r), *d_column = d + d_at(time) + m.table.first(time) * m.pairs;
        operations.compute(vector, time, least, now.table, at);
        m.read_backward(now.tops + (t + 1) * m.tops, d_reads, d_top);
        sum_runs_backward(now, r, t, least);
        push_backward(now, d, time, d_vector);
        clear(d_replacing.data(), int64_t(d_replacing.size()));
        clear(d_popping.data(), int64_t(d_popping.size()));
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t p = 0; p < m.parts; ++p)
                by_results(m.states, [&](int64_t state, auto count) {
                    continue_runs_backward<decltype(count)::value>(now.table, d, time, least, y, p, state);
                });
        operations.backward(d_replacing.data(), d_popping.data(), time, least, now.table, at, d, d_at, d_vector);
        m.interface.backward(vector, operations.control.data(), d_exponents[r] / LOG_2<T>, d_vector);
        clear(d_column, m.table.column);
        clear(d_top, m.tops);
        for (int64_t pair = 0; pair < m.pairs; ++pair) d_top[pair * m.parts] = own_sources(r)[time * m.pairs + pair];
    }

  private:
    const Runs& m;
    const State &d_last, &d_first;
    T* const kept;
    const int64_t times;
    const RunColumns<T> at, d_at;
    RunOperations<T> operations;
    Array<T> d_table, d_sources, d_tops, d_exponents, d_replacing, d_popping;
    int64_t base;  // the earliest time with a weight

    T* own_table(int64_t r) { return &d_table[r * (m.cells + 1) * m.table.column]; }
    T* own_sources(int64_t r) { return &d_sources[r * (times + 1) * m.pairs]; }
    T* own_tops(int64_t r) { return &d_tops[r * m.tops]; }

    // The gradients of cells of the first state without a weight: those of the cells of the last one that they become.
    void give_unused(int64_t row, T* table, T* sources) const {
        const int64_t done = m.length(row), moved = std::max<int64_t>(0, m.cells - done), dropped = m.cells - moved;
        const int64_t of_end = m.states, of_source = m.pairs * m.parts * m.cells * m.states;
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t source = 0; source < m.cells; ++source) {
                const int64_t block = m.table.in_state(row, y, source, 0, 0, 0);
                clear(table + block, of_source);
                if (!d_last.table || source >= moved) continue;
                for (int64_t i = 0; i < m.pairs * m.parts; ++i)
                    copy((const T*)d_last.table + block + done * of_source + (i * m.cells + done) * of_end,
                         moved * of_end, table + block + i * m.cells * of_end);
            }
        sources += row * m.cells * m.pairs;
        take((const T*)d_last.sources, (row * m.cells + done) * m.pairs, moved * m.pairs, sources);
        clear(sources + moved * m.pairs, dropped * m.pairs);
    }

    // From the gradients of the weights of all runs compute those of their parts: of the weights of earlier runs, and
    // of the new column before its division.
    void sum_runs_backward(const Record& now, int64_t r, int64_t t, int64_t least) {
        const int64_t time = m.cells + t, size = (time + 1 - least) * m.pairs;
        const T scale = now.scales[t], *sources = now.sources + least * m.pairs;
        T* d_source = own_sources(r) + least * m.pairs;
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t p = 0; p < m.parts; ++p)
                for (int64_t s = 0; s < m.states; ++s) {
                    const T d_top = own_tops(r)[(s * m.symbols + y) * m.parts + p];
                    const T* runs = now.table + at(time, y, p, s) + least * m.pairs;
                    T* d_runs = own_table(r) + d_at(time, y, p, s) + least * m.pairs;
                    by_register<T>(size, [&](int64_t i, int64_t count) {
                        store(d_source + i, load(d_source + i, count) + d_top * load(runs + i, count), count);
                        store(d_runs + i, (load(d_runs + i, count) + d_top * load(sources + i, count)) / scale, count);
                    });
                    clear(d_runs + size, LANES<T>);
                }
    }

    void push_backward(const Record& now, const T* d, int64_t time, T* d_control) {
        const T *control = operations.control.data(), *source = now.sources + time * m.pairs;
        clear(d_control, m.interface.size);
        for (int64_t y = 0; y < m.symbols; ++y)
            for (int64_t p = 0; p < m.parts; ++p)
                for (int64_t s = 0; s < m.states; ++s) {
                    const T *d_run = d + d_at(time, y, p, s) + time * m.pairs, *pushed = control + m.interface.pushed;
                    for (int64_t pair = 0; pair < m.pairs; ++pair) {
                        if (!(source[pair] > T(0))) continue;
                        const int64_t i = pair * m.pairs + s * m.symbols + y;
                        d_control[i] += d_run[pair] * (p ? pushed[p - 1] : T(1));
                        if (p) d_control[m.interface.pushed + p - 1] += d_run[pair] * control[i];
                    }
                }
    }

    template <int STATES>
    void continue_runs_backward(const T* table, T* d, int64_t time, int64_t least, int64_t y, int64_t p,
                                int64_t state) {
        const int64_t from = least * m.pairs;
        const T* d_runs = d + d_at(time, y, p, state) + from;
        for (int64_t z = 0; z < m.symbols; ++z)
            for (int64_t s = 0; s < m.states; ++s) {
                const int64_t i = operations.replacing_at(y, z, s) + state;
                add_backward<T, STATES>((time - least) * m.pairs, table + at(time - 1, z, p, s) + from,
                                        &operations.replacing[i], d_runs, m.table.row,
                                        d + d_at(time - 1, z, p, s) + from, &d_replacing[i]);
            }
        for (int64_t end = least; end < time - 1; ++end)
            for (int64_t u = 0; u < m.states; ++u) {
                const int64_t i = operations.popping_at(y, end, u, least) + state;
                add_backward<T, STATES>((m.table.starts(end) - least) * m.pairs, table + at(end, y, p, u) + from,
                                        &operations.popping[i], d_runs, m.table.row, d + d_at(end, y, p, u) + from,
                                        &d_popping[i]);
            }
    }
};
