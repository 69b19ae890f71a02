// Run table: where the weights of all runs of a nondeterministic stack are in memory.
//
// Times are counted from the earliest cell of the state before the first step. A column has the runs that end at one
// time: for each top symbol, part and state at the end a row, and in a row a number for each time, state and top symbol
// at the start. A run ends at its start or later, so that a column has no starts after its time, except that columns of
// the given state have all starts of the state. Behind its end a row has a strip of zeros.
#pragma once

#include "parts/weighted_rows.hpp"

template <typename T>
class RunTable {
  public:
    const int64_t cells, states, symbols, parts, pairs;  // pairs of a state and a top symbol
    const int64_t rows, row, column;                     // rows of a column, and the numbers of a row and a column

    RunTable(int64_t cells, int64_t states, int64_t symbols, int64_t parts)
        : cells(cells), states(states), symbols(symbols), parts(parts), pairs(states * symbols),
          rows(symbols * parts * states), row(padded<T>((cells + 1) * pairs) + STRIP_WIDTH<T>), column(rows * row) {}

    // The earliest start in a column, and its number of starts if there were all earlier ones.
    int64_t first(int64_t time) const { return std::max<int64_t>(0, time - cells); }
    int64_t starts(int64_t time) const { return std::max(time + 1, cells); }

    // The earliest end of a run from a start, if there are no runs before `least`.
    int64_t first_end(int64_t start, int64_t least) const { return start < cells ? least : start; }

    // In the tensor of a state, the offset of the numbers for all states at the end; cells from the latest.
    int64_t in_state(int64_t batch_row, int64_t symbol, int64_t start, int64_t pair, int64_t part, int64_t end) const {
        return (((((batch_row * symbols + symbol) * cells + start) * pairs + pair) * parts + part) * cells + end) *
               states;
    }
};

// Some columns in memory: `count` at once, the last ones of `times`.
template <typename T>
class RunColumns {
  public:
    RunColumns(const RunTable<T>& table, int64_t count, int64_t times) : table(table), origins(times) {
        for (int64_t time = 0; time < times; ++time)
            origins[time] = time % count * table.column - table.first(time) * table.pairs;
    }

    // The offset that a row would have at a start of time 0.
    int64_t operator()(int64_t time, int64_t symbol = 0, int64_t part = 0, int64_t state = 0) const {
        return origins[time] + ((symbol * table.parts + part) * table.states + state) * table.row;
    }

    // Call body(offset in the tensor of a state, offset here of the first state at the end) for all numbers in which
    // there can be runs, of times from `least` to the last one.
    template <typename Body>
    void each(int64_t batch_row, int64_t least, int64_t last, Body body) const {
        for (int64_t y = 0; y < table.symbols; ++y)
            for (int64_t start = least; start <= last; ++start)
                for (int64_t pair = 0; pair < table.pairs; ++pair)
                    for (int64_t p = 0; p < table.parts; ++p)
                        for (int64_t end = table.first_end(start, least); end <= last; ++end)
                            body(table.in_state(batch_row, y, last - start, pair, p, last - end),
                                 (*this)(end, y, p) + start * table.pairs + pair);
    }

  private:
    const RunTable<T>& table;
    std::vector<int64_t> origins;
};
