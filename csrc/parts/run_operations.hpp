// Run operations: the weights of a step's operations of a nondeterministic stack, as weights of the rows of its table.
//
// A new column is a sum of rows: of those of the last column for replacements, and of those of all earlier columns for
// pops. A run that ends in a pop continues one that ended before it with the same symbol on top, in the column at the
// time of its push.
#pragma once

#include "machines/nsrnn.hpp"
#include "parts/run_table.hpp"

template <typename T>
class RunOperations {
  public:
    Array<T> control, replacing, popping;
    T log_divisor = 0;

    RunOperations(const RunTable<T>& table, const NSRNNInterface<T>& interface)
        : control(interface.control_size), replacing(table.pairs * table.pairs),
          popping(table.cells * table.pairs * table.states), table(table), interface(interface),
          popped(table.states * table.row) {}

    // The place in `replacing` of the weights of a row of the last column, for each new state with the symbol on top.
    int64_t replacing_at(int64_t symbol, int64_t last_symbol, int64_t last_state) const {
        return ((symbol * table.symbols + last_symbol) * table.states + last_state) * table.states;
    }

    // The same in `popping` for a row of the column of a time.
    int64_t popping_at(int64_t symbol, int64_t time, int64_t state, int64_t least) const {
        return ((symbol * table.cells + time - least) * table.states + state) * table.states;
    }

    // Compute the weights of a step, with runs from time `least` on, from the column before it.
    void compute(const T* vector, int64_t time, int64_t least, const T* numbers, const RunColumns<T>& at) {
        log_divisor = interface.forward(vector, control.data());
        for_replacements([&](int64_t weight, int64_t logit) { replacing[weight] = control[logit]; });
        const int64_t begin = (least + 1) * table.pairs, end = time * table.pairs;
        by_results(table.states, [&](int64_t first, auto count) {
            for (int64_t from = begin; from < end; from += STRIP_WIDTH<T>) {
                StripSums<T, decltype(count)::value> sums;
                for_last_rows([&](int64_t z, int64_t s) {
                    sums.add(numbers + at(time - 1, z, 0, s) + from, pops(control.data(), z, s) + first);
                });
                sums.give(&popped[first * table.row + from - begin], table.row);
            }
        });
        for_pops(time, least, [&](int64_t weight, int64_t run) { popping[weight] = popped[run]; });
    }

    // From the gradients of `replacing` and `popping` compute those of the control, and add to that of the column
    // before the step.
    void backward(const T* d_replacing, const T* d_popping, int64_t time, int64_t least, const T* numbers,
                  const RunColumns<T>& at, T* d_numbers, const RunColumns<T>& d_at, T* d_control) {
        for_replacements([&](int64_t weight, int64_t logit) { d_control[logit] = d_replacing[weight]; });
        clear(popped.data(), int64_t(popped.size()));
        for_pops(time, least, [&](int64_t weight, int64_t run) { popped[run] = d_popping[weight]; });
        const int64_t begin = (least + 1) * table.pairs, size = time * table.pairs - begin;
        by_results(table.states, [&](int64_t first, auto count) {
            for_last_rows([&](int64_t z, int64_t s) {
                add_backward<T, decltype(count)::value>(size, numbers + at(time - 1, z, 0, s) + begin,
                                                        pops(control.data(), z, s) + first, &popped[first * table.row],
                                                        table.row, d_numbers + d_at(time - 1, z, 0, s) + begin,
                                                        pops(d_control, z, s) + first);
            });
        });
    }

  private:
    const RunTable<T>& table;
    const NSRNNInterface<T>& interface;
    Array<T> popped;  // for each state at the end, the runs whose first cell this step pops, by their start

    template <typename Number>
    Number* pops(Number* control, int64_t symbol, int64_t state) const {
        return control + interface.pop + (state * table.symbols + symbol) * table.states;
    }

    template <typename Body>
    void for_last_rows(Body body) const {
        for (int64_t z = 0; z < table.symbols; ++z)
            for (int64_t s = 0; s < table.states; ++s) body(z, s);
    }

    template <typename Body>
    void for_replacements(Body body) const {
        for (int64_t y = 0; y < table.symbols; ++y)
            for_last_rows([&](int64_t z, int64_t s) {
                for (int64_t r = 0; r < table.states; ++r)
                    body(replacing_at(y, z, s) + r,
                         interface.replace + (s * table.symbols + z) * table.pairs + r * table.symbols + y);
            });
    }

    template <typename Body>
    void for_pops(int64_t time, int64_t least, Body body) const {
        for (int64_t before = least; before < time - 1; ++before)
            for (int64_t u = 0; u < table.states; ++u)
                for (int64_t y = 0; y < table.symbols; ++y)
                    for (int64_t r = 0; r < table.states; ++r)
                        body(popping_at(y, before, u, least) + r,
                             r * table.row + (before - least) * table.pairs + u * table.symbols + y);
    }
};
