// Recurrent network with superposition stacks: the memory of the machine; machine/engine.hpp contains the rest.
//
// Stacks are saved only at the start of each stretch; the backward pass recomputes those within a stretch. The gradient of
// a cell is zero if it can no longer come to the top, unless that of the last state is given.
#include "machines/stackrnn.hpp"

#include "machine/passes.hpp"
#include "parts/superposition_stack.hpp"

namespace {

template <typename T>
class Stacks {
  public:
    using Number = T;
    using Sizes = memtape_stackrnn_sizes;
    using State = memtape_stackrnn_state;

    const int64_t stacks, depth, width, visible, actions, read_size;
    const int64_t cells, padded_cells, all_cells;  // numbers of a stack, with the padding, and of all stacks with it
    const int64_t steps, stretch, stretches;
    const T empty;
    const StackRNNInterface<T> interface;
    int64_t kept;  // numbers saved for the backward pass

    explicit Stacks(const Sizes& sizes)
        : stacks(sizes.stacks), depth(sizes.depth), width(sizes.width), visible(sizes.visible),
          actions(sizes.no_op ? 3 : 2), read_size(stacks * visible * width), cells(depth * width),
          padded_cells(padded<T>(cells + 2 * width)), all_cells(stacks * padded_cells),
          steps(sizes.machine.time), stretch(steps_of_a_stretch(sizes.machine.batch)),
          stretches((steps + stretch - 1) / stretch), empty(T(sizes.empty)), interface(sizes) {
        Sections sections;
        stacks_at = sections.section(sizes.machine.batch * stretches * all_cells);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return 2 * all_cells * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (stretch + 2) * all_cells * int64_t(sizeof(T)); }

    // The stacks at the start of a stretch, in the saved numbers.
    T* saved(T* block, int64_t row, int64_t stretch) const {
        return block + stacks_at + (row * stretches + stretch) * all_cells;
    }

    void take(const State& state, int64_t row, T* own) const {
        take_padded((const T*)state.cells, stacks, row * stacks, cells, padded_cells, own);
    }
    void give(const State& state, int64_t row, const T* own) const {
        give_padded(own, stacks, row * stacks, cells, padded_cells, (T*)state.cells);
    }

    // The number of numbers of the stacks down to the deepest cell that is not zero.
    int64_t used(const T* own) const {
        int64_t most = 0;
        for (int64_t s = 0; s < stacks; ++s)
            for (int64_t i = cells; i > most; --i)
                if (own[s * padded_cells + i - 1] != T(0)) {
                    most = (i + width - 1) / width * width;
                    break;
                }
        return most;
    }

    // The actions of a stack in the control, or in its gradient.
    template <typename Number>
    Actions<Number> actions_of(Number* control, int64_t stack) const {
        Number* own = control + interface.actions + stack * actions;
        return {own, own + 1, actions == 3 ? own + 2 : nullptr};
    }

    // What a push of each stack stores, the difference to an empty cell.
    void stored(const T* control, T* pushed) const {
        for (int64_t i = 0; i < stacks * width; ++i) pushed[i] = control[interface.pushed + i] - empty;
    }

    // One step of all stacks, of which `size` numbers are used after it.
    void step(const T* control, const T* pushed, int64_t size, const T* before, T* after) const {
        for (int64_t s = 0; s < stacks; ++s)
            superpose<T>(width, size, before + s * padded_cells, actions_of(control, s), pushed + s * width,
                         after + s * padded_cells);
    }

    class Forward;
    class Backward;

  private:
    int64_t stacks_at;
};

template <typename T>
class Stacks<T>::Forward {
  public:
    Forward(const Stacks& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), now(together * m.all_cells), next(m.all_cells),
          control(m.interface.size), pushed(m.stacks * m.width), used(together) {}

    void begin(int64_t r, int64_t row) {
        m.take(first, row, own(r));
        used[r] = m.used(own(r));
    }

    void end(int64_t r, int64_t row) { m.give(last, row, own(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        if (kept && t % m.stretch == 0) copy((const T*)own(r), m.all_cells, m.saved(kept, row, t / m.stretch));
        m.interface.forward(vector, control.data());
        m.stored(control.data(), pushed.data());
        used[r] = std::min(used[r] + m.width, m.cells);
        m.step(control.data(), pushed.data(), used[r], own(r), next.data());
        const int64_t shown = m.visible * m.width, there = std::min(shown, m.cells);
        for (int64_t s = 0; s < m.stacks; ++s) {
            T* stack = own(r) + s * m.padded_cells;
            copy((const T*)&next[s * m.padded_cells], used[r], stack);
            for (int64_t i = 0; i < shown; ++i) reads[s * shown + i] = m.empty + (i < there ? stack[i] : T(0));
        }
    }

  private:
    const Stacks& m;
    const State &first, &last;
    T* const kept;
    Array<T> now, next, control, pushed;
    std::vector<int64_t> used;  // numbers of the stacks of each row

    T* own(int64_t r) { return &now[r * m.all_cells]; }
};

template <typename T>
class Stacks<T>::Backward {
  public:
    Backward(const Stacks& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), before(together * m.stretch * m.all_cells),
          d_now(together * m.all_cells), d_next(m.all_cells), control(m.interface.size),
          pushed(m.stacks * m.width), again(together), reached(together) {}

    void begin(int64_t r, int64_t row) {
        m.take(d_last, row, own(r));
        again[r] = NONE;
        reached[r] = m.used(own(r));
    }

    void end(int64_t r, int64_t row) { m.give(d_first, row, own(r)); }

    // The interface vectors of the previous steps are in memory before `vector`.
    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        if (again[r] != t / m.stretch) step_again(r, row, t, vector);
        m.interface.forward(vector, control.data());
        m.stored(control.data(), pushed.data());
        const int64_t shown = m.visible * m.width, there = std::min(shown, m.cells);
        const int64_t size = reached[r] = std::max(reached[r], there);
        for (int64_t s = 0; s < m.stacks; ++s) {
            T *d = own(r) + s * m.padded_cells, *d_before = &d_next[s * m.padded_cells];
            gather(d_reads + s * shown, there, d);
            superpose_backward<T>(m.width, size, stacks_before(r, t) + s * m.padded_cells,
                                  m.actions_of((const T*)control.data(), s), &pushed[s * m.width], d, d_before,
                                  m.actions_of(d_vector, s), d_vector + m.interface.pushed + s * m.width);
        }
        reached[r] = std::min(size + m.width, m.cells);
        for (int64_t s = 0; s < m.stacks; ++s)
            copy((const T*)&d_next[s * m.padded_cells], reached[r], own(r) + s * m.padded_cells);
        m.interface.backward(vector, control.data(), d_vector);
    }

  private:
    static constexpr int64_t NONE = -1;
    const Stacks& m;
    const State &d_last, &d_first;
    T* const kept;
    Array<T> before, d_now, d_next, control, pushed;
    std::vector<int64_t> again;    // for each row the stretch whose stacks are recomputed
    std::vector<int64_t> reached;  // numbers of the stacks whose gradient is not zero

    T* own(int64_t r) { return &d_now[r * m.all_cells]; }
    T* stacks_before(int64_t r, int64_t t) { return &before[(r * m.stretch + t % m.stretch) * m.all_cells]; }

    // Recompute the stacks of a stretch, up to those before step `last`.
    void step_again(int64_t r, int64_t row, int64_t last, const T* vector) {
        again[r] = last / m.stretch;
        const int64_t start = again[r] * m.stretch;
        copy((const T*)m.saved(kept, row, again[r]), m.all_cells, stacks_before(r, start));
        int64_t used = m.used(stacks_before(r, start));
        for (int64_t t = start; t < last; ++t) {
            m.interface.forward(vector - (last - t) * m.interface.size, control.data());
            m.stored(control.data(), pushed.data());
            used = std::min(used + m.width, m.cells);
            T* after = stacks_before(r, t + 1);
            clear(after, m.all_cells);
            m.step(control.data(), pushed.data(), used, stacks_before(r, t), after);
        }
    }
};

}  // namespace

MEMTAPE_DEFINE_MACHINE(stackrnn, Stacks, StackRNNInterface)
