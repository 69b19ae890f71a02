// Recurrent network with a strength stack, queue or deque: the memory of the machine; machine/engine.hpp contains the
// rest.
//
// A row has a cell for every item that it starts with and for every item to come, in order from the bottom to the top; a
// cell never moves. Values are written once. Strengths are saved before each step.
#include "machines/strength_stack.hpp"

#include "machine/passes.hpp"
#include "parts/strengths.hpp"

namespace {

template <typename T>
class StrengthItems {
  public:
    using Number = T;
    using Sizes = memtape_strength_stack_sizes;
    using State = memtape_strength_stack_state;

    const int64_t ends, items, width, steps;
    const int64_t cells;  // of a row
    const int64_t read_size;
    const StrengthStackInterface<T> interface;
    int64_t kept;  // numbers saved for the backward pass

    explicit StrengthItems(const Sizes& sizes)
        : ends(sizes.ends), items(sizes.items), width(sizes.width), steps(sizes.machine.time),
          cells(ends * (items + steps)), read_size(ends * width), interface(sizes), queue(sizes.access == 1),
          lengths(sizes.machine.lengths) {
        Sections sections;
        values_at = sections.section(sizes.machine.batch * cells * width);
        strengths_at = sections.section(sizes.machine.batch * steps * cells);
        kept = sections.size;
    }

    // Without the values, of which a step accesses few.
    int64_t forward_bytes() const { return 2 * cells * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (ends + 5) * cells * int64_t(sizeof(T)); }

    T* saved_values(T* block, int64_t row) const { return block + values_at + row * cells * width; }
    T* saved_strengths(T* block, int64_t row, int64_t t) const {
        return block + strengths_at + (row * steps + t) * cells;
    }

    int64_t length(int64_t row) const { return lengths ? lengths[row] : steps; }

    // The cells in use before step t: the first of them, and how many.
    int64_t first_used(int64_t t) const { return ends == 2 ? steps - t : 0; }
    int64_t used(int64_t t) const { return ends * (items + t); }

    // The cell of an item before step t, counted from the latest one of its end.
    int64_t cell(int64_t end, int64_t t, int64_t item) const {
        return end == 0 ? first_used(t) + used(t) - 1 - item : first_used(t) + item;
    }
    int64_t pushed_cell(int64_t end, int64_t t) const { return cell(end, t + 1, 0); }

    // The numbers of the cells in use before step t, from the end where pop and read number `end` take place.
    Ordered<T> from_end(int64_t end, int64_t t, T* of_cells) const {
        return ordered(of_cells + first_used(t), used(t), end == 0 && !queue);
    }

    void copy_used(int64_t t, const T* from, T* to) const {
        copy(from + first_used(t), used(t), to + first_used(t));
    }

    // Pop at one end, and push at all ends, in step t.
    void pop_at(int64_t end, int64_t t, const T* control, T* strengths) const {
        pop(from_end(end, t, strengths), control[interface.pop + end]);
    }
    void push(int64_t t, const T* control, T* strengths) const {
        for (int64_t end = 0; end < ends; ++end) strengths[pushed_cell(end, t)] = control[interface.push + end];
    }

    // Copy the items of a state to their cells before step t, or back.
    void take(const State& state, int64_t row, int64_t t, T* values, T* strengths) const {
        each_item(row, t, [&](int64_t cell, int64_t item) {
            ::take((const T*)state.values, item * width, width, values + cell * width);
            ::take((const T*)state.strengths, item, 1, strengths + cell);
        });
    }
    void give(const State& state, int64_t row, int64_t t, const T* values, const T* strengths) const {
        each_item(row, t, [&](int64_t cell, int64_t item) {
            copy(values + cell * width, width, (T*)state.values + item * width);
            ((T*)state.strengths)[item] = strengths[cell];
        });
    }

    class Forward;
    class Backward;

  private:
    const bool queue;
    const int64_t* const lengths;
    int64_t values_at, strengths_at;

    template <typename Body>
    void each_item(int64_t row, int64_t t, Body body) const {
        for (int64_t end = 0; end < ends; ++end)
            for (int64_t i = 0; i < items; ++i) body(cell(end, t, i), (row * ends + end) * items + i);
    }
};

template <typename T>
class StrengthItems<T>::Forward {
  public:
    Forward(const StrengthItems& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), values(kept ? 0 : together * m.cells * m.width),
          strengths(together * m.cells), coefficients(m.cells), control(m.interface.size) {}

    void begin(int64_t r, int64_t row) { m.take(first, row, 0, own_values(r, row), own_strengths(r)); }
    void end(int64_t r, int64_t row) { m.give(last, row, m.length(row), own_values(r, row), own_strengths(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        T *own = own_strengths(r), *items = own_values(r, row);
        if (kept) m.copy_used(t, own, m.saved_strengths(kept, row, t));
        m.interface.forward(vector, control.data());
        for (int64_t end = 0; end < m.ends; ++end) m.pop_at(end, t, control.data(), own);
        m.push(t, control.data(), own);
        for (int64_t end = 0; end < m.ends; ++end)
            copy((const T*)&control[m.interface.values + end * m.width], m.width,
                 items + m.pushed_cell(end, t) * m.width);
        for (int64_t end = 0; end < m.ends; ++end) read(end, t, own, items, reads + end * m.width);
    }

  private:
    const StrengthItems& m;
    const State &first, &last;
    T* const kept;
    Array<T> values, strengths, coefficients, control;

    T* own_strengths(int64_t r) { return &strengths[r * m.cells]; }
    T* own_values(int64_t r, int64_t row) {
        return kept ? m.saved_values(kept, row) : &values[r * m.cells * m.width];
    }

    void read(int64_t end, int64_t t, T* own, const T* items, T* to) {
        read_coefficients(m.from_end(end, t + 1, own), m.from_end(end, t + 1, coefficients.data()));
        clear(to, m.width);
        for (int64_t cell = m.first_used(t + 1), left = m.used(t + 1); left > 0; ++cell, --left)
            if (coefficients[cell] != T(0)) add_scaled(items + cell * m.width, coefficients[cell], m.width, to);
    }
};

template <typename T>
class StrengthItems<T>::Backward {
  public:
    Backward(const StrengthItems& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), d_values(together * m.cells * m.width),
          d_strengths(together * m.cells), strengths((m.ends + 1) * m.cells), coefficients(m.cells),
          d_coefficients(m.cells), through(m.cells), control(m.interface.size) {}

    void begin(int64_t r, int64_t row) {
        clear(own_values(r), m.cells * m.width);
        clear(own_strengths(r), m.cells);
        m.take(d_last, row, m.length(row), own_values(r), own_strengths(r));
    }

    void end(int64_t r, int64_t row) { m.give(d_first, row, 0, own_values(r), own_strengths(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        T *d_own = own_strengths(r), *d_items = own_values(r);
        m.interface.forward(vector, control.data());
        step_again(row, t);
        for (int64_t end = 0; end < m.ends; ++end)
            read_backward(end, t, d_reads + end * m.width, m.saved_values(kept, row), d_items, d_own);
        for (int64_t end = 0; end < m.ends; ++end) {
            const int64_t cell = m.pushed_cell(end, t);
            d_vector[m.interface.push + end] = d_own[cell];
            copy((const T*)d_items + cell * m.width, m.width, d_vector + m.interface.values + end * m.width);
        }
        for (int64_t end = m.ends - 1; end >= 0; --end)
            d_vector[m.interface.pop + end] =
                pop_backward(m.from_end(end, t, before_pop(end)), control[m.interface.pop + end],
                             m.from_end(end, t, d_own), through.data());
        m.interface.backward(vector, control.data(), d_vector);
    }

  private:
    const StrengthItems& m;
    const State &d_last, &d_first;
    T* const kept;
    Array<T> d_values, d_strengths;
    Array<T> strengths;  // before the pop at each end, and after the step
    Array<T> coefficients, d_coefficients, through, control;

    T* own_values(int64_t r) { return &d_values[r * m.cells * m.width]; }
    T* own_strengths(int64_t r) { return &d_strengths[r * m.cells]; }
    T* before_pop(int64_t end) { return &strengths[end * m.cells]; }
    T* after_step() { return before_pop(m.ends); }

    void step_again(int64_t row, int64_t t) {
        m.copy_used(t, m.saved_strengths(kept, row, t), before_pop(0));
        for (int64_t end = 0; end < m.ends; ++end) {
            m.copy_used(t, before_pop(end), before_pop(end + 1));
            m.pop_at(end, t, control.data(), before_pop(end + 1));
        }
        m.push(t, control.data(), after_step());
    }

    // The gradient of a coefficient of 0 has no effect: a strength of 0 stays 0, and nothing is left to read beyond it.
    void read_backward(int64_t end, int64_t t, const T* d_read, const T* items, T* d_items, T* d_own) {
        const auto read = m.from_end(end, t + 1, after_step());
        read_coefficients(read, m.from_end(end, t + 1, coefficients.data()));
        for (int64_t cell = m.first_used(t + 1), left = m.used(t + 1); left > 0; ++cell, --left) {
            d_coefficients[cell] = 0;
            if (coefficients[cell] == T(0)) continue;
            const T* item = items + cell * m.width;
            d_coefficients[cell] = dot(d_read, item, m.width);
            add_scaled(d_read, coefficients[cell], m.width, d_items + cell * m.width);
        }
        read_coefficients_backward(read, m.from_end(end, t + 1, d_coefficients.data()),
                                   m.from_end(end, t + 1, d_own), through.data());
    }
};

}  // namespace

MEMTAPE_DEFINE_MACHINE(strength_stack, StrengthItems, StrengthStackInterface)
