// Neural Turing Machine: the memory of the machine; machine/engine.hpp contains the rest.
//
// The tape is saved only at the start of each stretch; the backward pass recomputes the tapes within a stretch.
#include "machines/ntm.hpp"

#include "machine/passes.hpp"
#include "parts/addressing.hpp"

namespace {

template <typename T>
class Tape {
  public:
    using Number = T;
    using Sizes = memtape_ntm_sizes;
    using State = memtape_ntm_state;

    const int64_t count, slots, width, reads, writes, heads, shift_range, read_size, tape_size;  // slots are padded
    const int64_t steps, stretch, stretches;
    const bool read_first;
    const NTMInterface<T> interface;
    const Blocks<T> written;  // the blocks that a write needs
    const Lookup<T> lookup;
    int64_t kept;  // numbers saved for the backward pass

    explicit Tape(const Sizes& sizes)
        : count(sizes.slots), slots(padded<T>(sizes.slots)), width(sizes.width), reads(sizes.reads),
          writes(sizes.writes), heads(reads + writes), shift_range(sizes.shift_range), read_size(reads * width),
          tape_size(width * slots), steps(sizes.machine.time), stretch(steps_of_a_stretch(sizes.machine.batch)),
          stretches((steps + stretch - 1) / stretch), read_first(sizes.read_first), interface(sizes),
          written(interface.only({"erase", "add"})),
          lookup(Kinds{count, slots, width, heads, shift_range, sizes.location != 0, sizes.cosine != 0}) {
        Sections sections;
        weights_at = sections.section(sizes.machine.batch * (steps + 1) * heads * slots);
        tapes_at = sections.section(sizes.machine.batch * stretches * tape_size);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return tape_size * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (stretch + 2) * forward_bytes(); }

    // The parameters of a head, or their gradients.
    HeadParameters<T> head(T* control, int64_t head) const {
        return {control + interface.keys + head * width, control + interface.strengths + head,
                control + interface.gates + head, control + interface.kernel + head * (2 * shift_range + 1),
                control + interface.exponents + head};
    }

    // Offsets, in the saved numbers, of the weights after `t` steps and of the tape at the start of a stretch.
    T* weights(T* block, int64_t row, int64_t t) const {
        return block + weights_at + (row * (steps + 1) + t) * heads * slots;
    }
    T* tape(T* block, int64_t row, int64_t stretch) const {
        return block + tapes_at + (row * stretches + stretch) * tape_size;
    }

    // Load a row's state, or zeros for null pointers.
    void take(const State& state, int64_t row, T* tape, T* own_weights) const {
        if (state.memory)
            to_tape(width, count, slots, (const T*)state.memory + row * count * width, tape);
        else
            clear(tape, tape_size);
        take_padded((const T*)state.read_weights, reads, row * reads, count, slots, own_weights);
        take_padded((const T*)state.write_weights, writes, row * writes, count, slots, own_weights + reads * slots);
    }

    void give(const State& state, int64_t row, const T* tape, const T* own_weights) const {
        from_tape(width, count, slots, tape, (T*)state.memory + row * count * width);
        give_padded(own_weights, reads, row * reads, count, slots, (T*)state.read_weights);
        give_padded(own_weights + reads * slots, writes, row * writes, count, slots, (T*)state.write_weights);
    }

    class Forward;
    class Backward;

  private:
    int64_t weights_at, tapes_at;
};

template <typename T>
class Tape<T>::Forward {
  public:
    Forward(const Tape& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), lookup(m.lookup), tapes(together * m.tape_size),
          weights(together * m.heads * m.slots), control(m.interface.size) {}

    void begin(int64_t r, int64_t row) {
        m.take(first, row, own_tape(r), own_weights(r));
        keep(r, row, 0);
    }

    void end(int64_t r, int64_t row) { m.give(last, row, own_tape(r), own_weights(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        m.interface.forward(vector, control.data());
        T *tape = own_tape(r), *weights = own_weights(r);
        if (kept && t % m.stretch == 0) copy(tape, m.tape_size, m.tape(kept, row, t / m.stretch));
        lookup.prepare(tape);
        for (int64_t h = 0; h < m.heads; ++h) lookup.address(m.head(control.data(), h), weights + h * m.slots);
        auto look = [&] {
            for (int64_t h = 0; h < m.reads; ++h)
                over_slots(m.width, m.slots, tape, weights + h * m.slots, reads + h * m.width);
        };
        if (m.read_first) look();
        write_tape(m.width, m.slots, m.writes, tape, weights + m.reads * m.slots, &control[m.interface.erase],
                   &control[m.interface.add], tape);
        if (!m.read_first) look();
        keep(r, row, t + 1);
    }

  private:
    const Tape& m;
    const State &first, &last;
    T* const kept;
    Lookup<T> lookup;
    Array<T> tapes, weights, control;

    T* own_tape(int64_t r) { return &tapes[r * m.tape_size]; }
    T* own_weights(int64_t r) { return &weights[r * m.heads * m.slots]; }

    void keep(int64_t r, int64_t row, int64_t t) {
        if (kept) copy(own_weights(r), m.heads * m.slots, m.weights(kept, row, t));
    }
};

template <typename T>
class Tape<T>::Backward {
  public:
    Backward(const Tape& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), lookup(m.lookup),
          tapes(together * (m.stretch + 1) * m.tape_size), d_tape(together * m.tape_size),
          chain((m.writes - 1) * m.tape_size), d_weights(together * m.heads * m.slots), control(m.interface.size),
          again(together) {}

    void begin(int64_t r, int64_t row) {
        m.take(d_last, row, &d_tape[r * m.tape_size], &d_weights[r * m.heads * m.slots]);
        again[r] = NONE;
    }

    void end(int64_t r, int64_t row) {
        m.give(d_first, row, &d_tape[r * m.tape_size], &d_weights[r * m.heads * m.slots]);
    }

    // The interface vectors of the previous steps are in memory before `vector`.
    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        if (again[r] != t / m.stretch) write_again(r, row, t, vector);
        m.interface.forward(vector, control.data());
        const T* before = tape_before(r, t);
        const T* weights = m.weights(kept, row, t + 1);
        T* tape = &d_tape[r * m.tape_size];
        T* own_weights = &d_weights[r * m.heads * m.slots];
        auto look = [&](const T* seen) {
            for (int64_t h = 0; h < m.reads; ++h)
                over_features<T, true>(m.width, m.slots, seen, d_reads + h * m.width, own_weights + h * m.slots);
            add_outer(m.width, m.slots, m.reads, tape, d_reads, weights);
        };
        if (!m.read_first) look(before + m.tape_size);
        write_backward(before, weights + m.reads * m.slots, tape, own_weights + m.reads * m.slots, d_vector);
        if (m.read_first) look(before);
        lookup.prepare(before);
        for (int64_t h = 0; h < m.heads; ++h)
            lookup.address_backward(h, m.head(control.data(), h), m.weights(kept, row, t) + h * m.slots,
                                    weights + h * m.slots, own_weights + h * m.slots, m.head(d_vector, h));
        lookup.add_tape_gradient(tape);
        m.interface.backward(vector, control.data(), d_vector);
    }

  private:
    static constexpr int64_t NONE = -1;
    const Tape& m;
    const State &d_last, &d_first;
    T* const kept;
    Lookup<T> lookup;
    Array<T> tapes, d_tape, chain, d_weights, control;
    std::vector<int64_t> again;  // for each row the stretch whose tapes are recomputed

    T* tape_before(int64_t r, int64_t t) { return &tapes[(r * (m.stretch + 1) + t % m.stretch) * m.tape_size]; }

    // Recompute the tapes of a stretch, up to the one before the write of step `last` and, if it read after, the next.
    void write_again(int64_t r, int64_t row, int64_t last, const T* vector) {
        again[r] = last / m.stretch;
        const int64_t start = again[r] * m.stretch;
        copy((const T*)m.tape(kept, row, again[r]), m.tape_size, tape_before(r, start));
        for (int64_t t = start; t < last + (m.read_first ? 0 : 1); ++t) {
            m.written.forward(vector - (last - t) * m.interface.size, control.data());
            T* before = tape_before(r, t);
            write_tape(m.width, m.slots, m.writes, before, m.weights(kept, row, t + 1) + m.reads * m.slots,
                       &control[m.interface.erase], &control[m.interface.add], before + m.tape_size);
        }
    }

    // Backward pass of the write; the gradient of the tape becomes that of the previous tape.
    void write_backward(const T* before, const T* writing, T* tape, T* d_writing, T* d_vector) {
        const T* erase = &control[m.interface.erase];
        for (int64_t h = 0; h < m.writes; ++h)
            add_backward(m.width, m.slots, tape, writing + h * m.slots, &control[m.interface.add + h * m.width],
                         d_writing + h * m.slots, d_vector + m.interface.add + h * m.width);
        erases_backward(m.width, m.slots, m.writes, before, writing, erase, chain.data(), tape, d_writing,
                        d_vector + m.interface.erase);
    }
};

}  // namespace

MEMTAPE_DEFINE_MACHINE(ntm, Tape, NTMInterface)
