// Tape machine: the memory of the machine; machine/engine.hpp contains the rest.
//
// Tapes are saved only at the start of each stretch; the backward pass recomputes those within a stretch. The positions
// of the heads have no effect on the outputs: the backward pass leaves them out unless the gradient of the last ones is
// given.
#include "machines/tape.hpp"

#include "machine/passes.hpp"
#include "parts/tape_moves.hpp"

namespace {

template <typename T>
class Tapes {
  public:
    using Number = T;
    using Sizes = memtape_tape_sizes;
    using State = memtape_tape_state;

    const int64_t tapes, slots, width, read_size;
    const int64_t cells;                       // numbers of a tape
    const int64_t padded_cells, padded_heads;  // those of two copies of a tape, and of a position, with the padding
    const int64_t heads_at, all;               // of a row: where the positions start, and all numbers
    const int64_t steps, stretch, stretches;
    const bool blanks;
    const TapeInterface<T> interface;
    int64_t kept;  // numbers saved for the backward pass

    explicit Tapes(const Sizes& sizes)
        : tapes(sizes.tapes), slots(sizes.slots), width(sizes.width), read_size(tapes * width), cells(slots * width),
          padded_cells(padded<T>(2 * cells)), padded_heads(padded<T>(2 * slots)), heads_at(tapes * padded_cells),
          all(tapes * (padded_cells + padded_heads)), steps(sizes.machine.time),
          stretch(steps_of_a_stretch(sizes.machine.batch)), stretches((steps + stretch - 1) / stretch),
          blanks(sizes.moves == 1), interface(sizes) {
        Sections sections;
        tapes_at = sections.section(sizes.machine.batch * stretches * tapes * (cells + slots));
        jumps_at = sections.section(sizes.machine.batch * steps);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return 2 * all * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (stretch + 2) * all * int64_t(sizeof(T)); }

    // The tapes at the start of a stretch, and the length of a jump, in the saved numbers.
    T* saved(T* block, int64_t row, int64_t stretch) const {
        return block + tapes_at + (row * stretches + stretch) * tapes * (cells + slots);
    }
    T& saved_jump(T* block, int64_t row, int64_t t) const { return block[jumps_at + row * steps + t]; }

    // The numbers of one tape, and of the position of its head, among those of a row.
    template <typename Number>
    Number* tape(Number* own, int64_t k) const {
        return own + k * padded_cells;
    }
    template <typename Number>
    Number* head(Number* own, int64_t k) const {
        return own + heads_at + k * padded_heads;
    }

    // Copy the first copy of all tapes and positions from contiguous ones, null for zeros, or to them.
    void take(const T* memory, const T* heads, T* own) const {
        for (int64_t k = 0; k < tapes; ++k) {
            ::take(memory, k * cells, cells, tape(own, k));
            ::take(heads, k * slots, slots, head(own, k));
        }
    }
    void give(const T* own, T* memory, T* heads) const {
        for (int64_t k = 0; k < tapes; ++k) {
            copy(tape(own, k), cells, memory + k * cells);
            copy(head(own, k), slots, heads + k * slots);
        }
    }

    void take(const State& state, int64_t row, T* own) const {
        take(of_row(state.memory, row, cells), of_row(state.head_weights, row, slots), own);
    }
    void give(const State& state, int64_t row, const T* own) const {
        give(own, of_row(state.memory, row, cells), of_row(state.head_weights, row, slots));
    }

    void repeat_all(T* own, bool heads) const {
        for (int64_t k = 0; k < tapes; ++k) {
            repeat(cells, tape(own, k));
            if (heads) repeat(slots, head(own, k));
        }
    }

    // Anything else counts as 0, so that no damaged number leads out of the tape.
    int64_t cells_of_a_jump(T length) const { return length >= T(0) && length < T(slots) ? int64_t(length) : 0; }

    Moves<T> moves_of(const T* control, int64_t k) const {
        return Moves<T>::of(control + interface.actions + k * TAPE_ACTIONS);
    }

    // With jumps the value replaces the cell under the head before the move.
    void replace(const T* control, T* own) const {
        for (int64_t k = 0; !blanks && k < tapes; ++k) {
            T* cell = tape(own, k);
            copy(control + interface.values + k * width, width, cell);
            copy((const T*)cell, width, cell + cells);
        }
    }

    void move_tape(int64_t jump, const T* from, Moves<T> a, T* to) const {
        if (blanks)
            move_with_blanks(cells, width, from, a, to);
        else
            move_with_jumps(cells, width, jump * width, from, a, to);
    }
    void move_head(int64_t jump, const T* from, Moves<T> a, T* to) const {
        if (blanks)
            move_with_blanks(slots, 1, from, a.near(), to);
        else
            move_with_jumps(slots, 1, jump, from, a, to);
    }

    // One step of all tapes, and of the positions if they are needed.
    void step(const T* control, int64_t jump, T* before, T* after, bool heads) const {
        replace(control, before);
        for (int64_t k = 0; k < tapes; ++k) {
            const Moves<T> a = moves_of(control, k);
            move_tape(jump, tape(before, k), a, tape(after, k));
            if (blanks) gather(control + interface.values + k * width, width, tape(after, k));
            if (heads) move_head(jump, head(before, k), a.opposite(), head(after, k));
        }
        repeat_all(after, heads);
    }

    class Forward;
    class Backward;

  private:
    int64_t tapes_at, jumps_at;

    T* of_row(void* numbers, int64_t row, int64_t size) const {
        return numbers ? (T*)numbers + row * tapes * size : nullptr;
    }
};

template <typename T>
class Tapes<T>::Forward {
  public:
    Forward(const Tapes& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), now((together + 1) * m.all), control(m.interface.size),
          block(together + 1) {
        std::iota(block.begin(), block.end(), 0);
    }

    void begin(int64_t r, int64_t row) {
        m.take(first, row, own(r));
        m.repeat_all(own(r), true);
    }

    void end(int64_t r, int64_t row) {
        m.give(last, row, own(r));
        copy((const T*)first.jumps + row * m.steps, m.steps, (T*)last.jumps + row * m.steps);
    }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        const T length = ((const T*)first.jumps)[row * m.steps + t];
        if (kept) {
            m.saved_jump(kept, row, t) = length;
            if (t % m.stretch == 0) {
                T* memory = m.saved(kept, row, t / m.stretch);
                m.give(own(r), memory, memory + m.tapes * m.cells);
            }
        }
        m.interface.forward(vector, control.data());
        m.step(control.data(), m.cells_of_a_jump(length), own(r), next(), true);
        std::swap(block[r], block.back());
        for (int64_t k = 0; k < m.tapes; ++k) copy((const T*)m.tape(own(r), k), m.width, reads + k * m.width);
    }

  private:
    const Tapes& m;
    const State &first, &last;
    T* const kept;
    Array<T> now, control;
    std::vector<int64_t> block;  // of each row, and the free one

    T* own(int64_t r) { return &now[block[r] * m.all]; }
    T* next() { return &now[block.back() * m.all]; }
};

template <typename T>
class Tapes<T>::Backward {
  public:
    Backward(const Tapes& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), heads(d_last.head_weights),
          before(together * m.stretch * m.all), d_now((together + 1) * m.all), control(m.interface.size),
          block(together + 1), again(together) {
        std::iota(block.begin(), block.end(), 0);
    }

    void begin(int64_t r, int64_t row) {
        m.take(d_last, row, own(r));
        again[r] = NONE;
    }

    void end(int64_t r, int64_t row) {
        m.give(d_first, row, own(r));
        clear((T*)d_first.jumps + row * m.steps, m.steps);
    }

    // The interface vectors of the previous steps are in memory before `vector`.
    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        if (again[r] != t / m.stretch) step_again(r, row, t, vector);
        m.interface.forward(vector, control.data());
        T *from = tapes_before(r, t), *d = own(r), *d_before = next();
        m.replace(control.data(), from);
        for (int64_t k = 0; k < m.tapes; ++k) gather(d_reads + k * m.width, m.width, m.tape(d, k));
        m.repeat_all(d, heads);
        const int64_t jump = m.cells_of_a_jump(m.saved_jump(kept, row, t));
        for (int64_t k = 0; k < m.tapes; ++k) {
            const Moves<T> a = m.moves_of(control.data(), k);
            T* d_actions = d_vector + m.interface.actions + k * TAPE_ACTIONS;
            tape_backward(jump, a, m.tape(from, k), m.tape(d, k), m.tape(d_before, k),
                          d_vector + m.interface.values + k * m.width, d_actions);
            if (heads) head_backward(jump, a, m.head(from, k), m.head(d, k), m.head(d_before, k), d_actions);
        }
        std::swap(block[r], block.back());
        m.interface.backward(vector, control.data(), d_vector);
    }

  private:
    static constexpr int64_t NONE = -1;
    const Tapes& m;
    const State &d_last, &d_first;
    T* const kept;
    const bool heads;  // whether the positions have a gradient
    Array<T> before, d_now, control;
    std::vector<int64_t> block;  // of each row, and the free one
    std::vector<int64_t> again;  // for each row the stretch whose tapes are recomputed

    T* own(int64_t r) { return &d_now[block[r] * m.all]; }
    T* next() { return &d_now[block.back() * m.all]; }
    T* tapes_before(int64_t r, int64_t t) { return &before[(r * m.stretch + t % m.stretch) * m.all]; }

    void tape_backward(int64_t jump, Moves<T> a, const T* from, const T* d, T* d_before, T* d_value, T* d_actions) {
        m.move_tape(jump, d, a.opposite(), d_before);
        const Moves<T> d_moves = m.blanks ? moves_backward_with_blanks(m.cells, m.width, from, d)
                                          : moves_backward_with_jumps(m.cells, m.width, jump * m.width, from, d);
        add_moves(d_moves, d_actions);
        copy(m.blanks ? d : (const T*)d_before, m.width, d_value);
        if (!m.blanks) clear(d_before, m.width);
    }

    // The positions move by the opposite actions.
    void head_backward(int64_t jump, Moves<T> a, const T* from, const T* d, T* d_before, T* d_actions) {
        m.move_head(jump, d, a, d_before);
        const Moves<T> d_moves = moves_backward_with_jumps(m.slots, 1, m.blanks ? 1 % m.slots : jump, from, d);
        add_moves(d_moves.opposite(), d_actions);
    }

    static void add_moves(Moves<T> moves, T* to) {
        to[0] += moves.stay;
        to[1] += moves.right;
        to[2] += moves.left;
        to[3] += moves.far_right;
        to[4] += moves.far_left;
    }

    // Recompute the tapes of a stretch, up to those before step `last`.
    void step_again(int64_t r, int64_t row, int64_t last, const T* vector) {
        again[r] = last / m.stretch;
        const int64_t start = again[r] * m.stretch;
        const T* memory = m.saved(kept, row, again[r]);
        m.take(memory, memory + m.tapes * m.cells, tapes_before(r, start));
        m.repeat_all(tapes_before(r, start), heads);
        for (int64_t t = start; t < last; ++t) {
            m.interface.forward(vector - (last - t) * m.interface.size, control.data());
            m.step(control.data(), m.cells_of_a_jump(m.saved_jump(kept, row, t)), tapes_before(r, t),
                   tapes_before(r, t + 1), heads);
        }
    }
};

}  // namespace

MEMTAPE_DEFINE_MACHINE(tape, Tapes, TapeInterface)
