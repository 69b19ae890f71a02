// Turing machine: whole sequences of a Neural Turing Machine, forwards and backwards.
//
// A thread takes its rows of the batch through all of time, a few rows together so that they share one reading of the
// parameters, and a stretch of steps at once: what does not depend on the step before (the projection of the inputs,
// the outputs, the gradients of the parameters) is done for a stretch at once, while its numbers are still near. The
// tape is kept only where a stretch begins: on the way back the writes of the stretch, which are known, are done again.
#include "turing_machine.h"

#include <memory>

#include "controller.hpp"
#include "interface.hpp"
#include "matrix.hpp"
#include "rows.hpp"

namespace {

constexpr int64_t TAPES_BYTES = 1 << 20;  // together only as many as their tapes fit into the second cache

// Few rows take more steps at once, so that the products of a stretch have enough to do.
int64_t steps_of_a_stretch(int64_t batch) { return batch >= 8 ? 8 : batch >= 4 ? 16 : 32; }

// The sizes of a machine, and those that follow from them.
template <typename T>
class Machine {
  public:
    const memtape_turing_sizes& sizes;
    const Controller controller;
    const int64_t batch, time, inputs, outputs, hidden, layers, width, reads, writes, heads, read_size, own;
    const int64_t slots, tape_size, gates;  // slots are padded
    const int64_t stretch, stretches;  // steps of a stretch, longer where few rows share it, and how many there are
    const Interface<T> interface;
    const Lookup<T> lookup;
    const Rows rows;

    explicit Machine(const memtape_turing_sizes& sizes)
        : sizes(sizes), controller(Controller(sizes.controller)), batch(sizes.batch), time(sizes.time),
          inputs(sizes.inputs), outputs(sizes.outputs), hidden(sizes.hidden), layers(sizes.layers), width(sizes.width),
          reads(sizes.reads), writes(sizes.writes), heads(reads + writes), read_size(reads * width),
          own(sees_itself(controller) ? hidden : 0), slots(padded<T>(sizes.slots)), tape_size(width * slots),
          gates(gates_of(controller) * hidden), stretch(steps_of_a_stretch(batch)),
          stretches((time + stretch - 1) / stretch),
          interface(reads, writes, width, sizes.reach, sizes.location, sizes.squash, sizes.clip),
          lookup(Kinds{sizes.slots, slots, width, heads, sizes.reach, sizes.location != 0, sizes.cosine != 0}),
          rows(sizes.batch, sizes.time, sizes.lengths, sizes.threads) {}

    int64_t length(int64_t row) const { return rows.length(row); }

    // What a layer's product with its recurrent inputs takes: the reads or the layer below, then the layer itself.
    int64_t below(int64_t layer) const { return layer ? hidden : read_size; }

    int64_t recurrent(int64_t layer) const { return below(layer) + own; }

    int64_t together(int64_t tapes_per_row) const {
        return rows.together(TAPES_BYTES / (tapes_per_row * tape_size * int64_t(sizeof(T))));
    }
};

// What the way forward leaves for the way back, in one block of memory. States are those before each step, and after
// the last.
template <typename T>
class Kept {
  public:
    int64_t size = 0;

    Kept(const Machine<T>& m, T* block) : m(m), block(block) {
        reads_at = section(m.batch * (m.time + 1) * m.read_size);
        hidden_at = section(m.layers * m.batch * (m.time + 1) * m.hidden);
        cell_at = section(m.controller == Controller::lstm ? m.layers * m.batch * (m.time + 1) * m.hidden : 0);
        weights_at = section(m.batch * (m.time + 1) * m.heads * m.slots);
        gates_at = section(m.layers * m.batch * m.time * m.gates);
        raw_at = section(m.batch * m.time * m.interface.size);
        tapes_at = section(m.batch * m.stretches * m.tape_size);
    }

    explicit operator bool() const { return block != nullptr; }

    T* reads(int64_t row, int64_t t) const { return block + reads_at + (row * (m.time + 1) + t) * m.read_size; }
    T* hidden(int64_t layer, int64_t row, int64_t t) const {
        return block + hidden_at + ((layer * m.batch + row) * (m.time + 1) + t) * m.hidden;
    }
    T* cell(int64_t layer, int64_t row, int64_t t) const {
        return block + cell_at + ((layer * m.batch + row) * (m.time + 1) + t) * m.hidden;
    }
    T* weights(int64_t row, int64_t t) const {
        return block + weights_at + (row * (m.time + 1) + t) * m.heads * m.slots;
    }
    T* gates(int64_t layer, int64_t row, int64_t t) const {
        return block + gates_at + ((layer * m.batch + row) * m.time + t) * m.gates;
    }
    T* raw(int64_t row, int64_t t) const { return block + raw_at + (row * m.time + t) * m.interface.size; }
    T* tape(int64_t row, int64_t stretch) const {
        return block + tapes_at + (row * m.stretches + stretch) * m.tape_size;
    }

  private:
    const Machine<T>& m;
    T* const block;
    int64_t reads_at, hidden_at, cell_at, weights_at, gates_at, raw_at, tapes_at;

    int64_t section(int64_t numbers) {
        const int64_t at = size;
        size += (numbers + 15) / 16 * 16;
        return at;
    }
};

// The parameters and a state, as numbers of one kind.
template <typename T>
struct Parameters {
    T *first_weight, *upper_weights, *own_weights, *biases, *interface_weight, *interface_bias, *output_weight,
        *output_bias;

    explicit Parameters(const memtape_turing_parameters& p)
        : first_weight((T*)p.first_weight), upper_weights((T*)p.upper_weights), own_weights((T*)p.own_weights),
          biases((T*)p.biases), interface_weight((T*)p.interface_weight), interface_bias((T*)p.interface_bias),
          output_weight((T*)p.output_weight), output_bias((T*)p.output_bias) {}
};

template <typename T>
class State {
  public:
    State(const Machine<T>& m, const memtape_turing_state& s)
        : m(m), memory((T*)s.memory), weights((T*)s.weights), reads((T*)s.reads), hidden((T*)s.hidden),
          cell((T*)s.cell) {}

    // Take a row's state, or zeros where there is none.
    void take(int64_t row, T* tape, T* own_weights, T* own_reads) const {
        if (memory)
            to_tape(m.width, m.sizes.slots, m.slots, memory + row * m.sizes.slots * m.width, tape);
        else
            clear(tape, m.tape_size);
        for (int64_t h = 0; h < m.heads; ++h) {
            T* own = own_weights + h * m.slots;
            if (weights) copy(weights + (row * m.heads + h) * m.sizes.slots, m.sizes.slots, own);
            clear(weights ? own + m.sizes.slots : own, weights ? m.slots - m.sizes.slots : m.slots);
        }
        take_some(reads, row * m.read_size, m.read_size, own_reads);
    }

    void take_layer(int64_t layer, int64_t row, T* own_hidden, T* own_cell) const {
        take_some(hidden, (layer * m.batch + row) * m.hidden, m.hidden, own_hidden);
        if (m.controller == Controller::lstm) take_some(cell, (layer * m.batch + row) * m.hidden, m.hidden, own_cell);
    }

    void give(int64_t row, const T* tape, const T* own_weights, const T* own_reads) const {
        from_tape(m.width, m.sizes.slots, m.slots, tape, memory + row * m.sizes.slots * m.width);
        for (int64_t h = 0; h < m.heads; ++h)
            copy(own_weights + h * m.slots, m.sizes.slots, weights + (row * m.heads + h) * m.sizes.slots);
        copy(own_reads, m.read_size, reads + row * m.read_size);
    }

    void give_layer(int64_t layer, int64_t row, const T* own_hidden, const T* own_cell) const {
        copy(own_hidden, m.hidden, hidden + (layer * m.batch + row) * m.hidden);
        if (m.controller == Controller::lstm) copy(own_cell, m.hidden, cell + (layer * m.batch + row) * m.hidden);
    }

  private:
    const Machine<T>& m;
    T *memory, *weights, *reads, *hidden, *cell;

    static void take_some(const T* from, int64_t at, int64_t count, T* to) {
        if (from)
            copy(from + at, count, to);
        else
            clear(to, count);
    }
};

// The matrices that rows are multiplied with, on the way forward or, transposed, on the way back.
template <typename T>
struct Matrices {
    Packed<T> input, interface, output;
    std::vector<Packed<T>> recurrent;

    static Matrices forward(const Machine<T>& m, const Parameters<T>& p) {
        Matrices all{Packed<T>(m.inputs, m.gates),
                     Packed<T>(m.hidden, m.interface.size),
                     Packed<T>(m.hidden + m.read_size, m.outputs),
                     {}};
        const int64_t first = m.inputs + m.read_size;
        all.input.place(0, m.inputs, 1, 0, m.gates, first, p.first_weight);
        all.interface.place(0, m.hidden, 1, 0, m.interface.size, m.hidden, p.interface_weight);
        all.output.place(0, m.hidden + m.read_size, 1, 0, m.outputs, m.hidden + m.read_size, p.output_weight);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            Packed<T> matrix(m.recurrent(layer), m.gates);
            if (layer)
                matrix.place(0, m.hidden, 1, 0, m.gates, m.hidden, p.upper_weights + (layer - 1) * m.gates * m.hidden);
            else
                matrix.place(0, m.read_size, 1, 0, m.gates, first, p.first_weight + m.inputs);
            if (m.own)
                matrix.place(m.below(layer), m.hidden, 1, 0, m.gates, m.hidden,
                             p.own_weights + layer * m.gates * m.hidden);
            all.recurrent.push_back(std::move(matrix));
        }
        return all;
    }

    static Matrices backward(const Machine<T>& m, const Parameters<T>& p) {
        Matrices all{Packed<T>(m.gates, m.inputs),
                     Packed<T>(m.interface.size, m.hidden),
                     Packed<T>(m.outputs, m.hidden + m.read_size),
                     {}};
        const int64_t first = m.inputs + m.read_size;
        all.input.place(0, m.gates, first, 0, m.inputs, 1, p.first_weight);
        all.interface.place(0, m.interface.size, m.hidden, 0, m.hidden, 1, p.interface_weight);
        all.output.place(0, m.outputs, m.hidden + m.read_size, 0, m.hidden + m.read_size, 1, p.output_weight);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            Packed<T> matrix(m.gates, m.recurrent(layer));
            if (layer)
                matrix.place(0, m.gates, m.hidden, 0, m.hidden, 1, p.upper_weights + (layer - 1) * m.gates * m.hidden);
            else
                matrix.place(0, m.gates, first, 0, m.read_size, 1, p.first_weight + m.inputs);
            if (m.own)
                matrix.place(0, m.gates, m.hidden, m.below(layer), m.hidden, 1,
                             p.own_weights + layer * m.gates * m.hidden);
            all.recurrent.push_back(std::move(matrix));
        }
        return all;
    }

    // The most numbers that one product gives.
    int64_t widest() const {
        int64_t most = interface.padded_outputs();
        for (auto& matrix : recurrent) most = std::max(most, matrix.padded_outputs());
        return most;
    }
};

// The rows that one thread takes through time together, on the way forward.
template <typename T>
class Forward {
  public:
    Forward(const Machine<T>& m, const Parameters<T>& p, const Matrices<T>& matrices, const T* xs,
            const State<T>& first, T* ys, const State<T>& last, const Kept<T>& kept, int64_t together)
        : m(m), p(p), matrices(matrices), xs(xs), first(first), ys(ys), last(last), kept(kept), together(together),
          lookup(m.lookup), tapes(together * m.tape_size), weights(together * m.heads * m.slots),
          reads(together * m.read_size), hidden(m.layers * together * m.hidden), cell(m.layers * together * m.hidden),
          given_stride(matrices.input.padded_outputs()), projected(m.stretch * together * given_stride),
          stretch_inputs(m.stretch * together * m.inputs), seen(m.stretch * together * (m.hidden + m.read_size)),
          answers(m.stretch * together * matrices.output.padded_outputs()),
          recurrent(together * (std::max(m.hidden, m.read_size) + m.own)), sums_stride(matrices.widest()),
          sums(together * sums_stride), raw(m.interface.size), control(m.interface.size), gates(m.gates) {}

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        int64_t alive = count;
        for (int64_t start = 0; start < m.time; start += m.stretch) {
            while (alive && m.length(rows[alive - 1]) <= start) end(alive - 1, rows[alive - 1]), --alive;
            if (!alive) return;
            const int64_t steps = std::min(m.stretch, m.time - start);
            project(rows, alive, start, steps);
            const int64_t at_start = alive;
            for (int64_t k = 0; k < steps; ++k) {
                while (alive && m.length(rows[alive - 1]) <= start + k) end(alive - 1, rows[alive - 1]), --alive;
                step(rows, alive, start + k, k);
            }
            answer(rows, at_start, start, steps);
        }
        while (alive) end(alive - 1, rows[alive - 1]), --alive;
    }

  private:
    const Machine<T>& m;
    const Parameters<T>& p;
    const Matrices<T>& matrices;
    const T* const xs;
    const State<T>& first;
    T* const ys;
    const State<T>& last;
    const Kept<T>& kept;
    const int64_t together;
    Lookup<T> lookup;
    Array<T> tapes, weights, reads, hidden, cell;
    const int64_t given_stride;
    Array<T> projected, stretch_inputs, seen, answers, recurrent;
    const int64_t sums_stride;
    Array<T> sums, raw, control, gates;

    T* own_hidden(int64_t layer, int64_t r) { return &hidden[(layer * together + r) * m.hidden]; }
    T* own_cell(int64_t layer, int64_t r) { return &cell[(layer * together + r) * m.hidden]; }

    void begin(int64_t r, int64_t row) {
        first.take(row, &tapes[r * m.tape_size], &weights[r * m.heads * m.slots], &reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            first.take_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        if (kept) keep_state(r, row, 0);
    }

    void end(int64_t r, int64_t row) {
        last.give(row, &tapes[r * m.tape_size], &weights[r * m.heads * m.slots], &reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            last.give_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        const int64_t done = m.length(row);
        clear(ys + (row * m.time + done) * m.outputs, (m.time - done) * m.outputs);
    }

    void keep_state(int64_t r, int64_t row, int64_t t) {
        copy(&weights[r * m.heads * m.slots], m.heads * m.slots, kept.weights(row, t));
        copy(&reads[r * m.read_size], m.read_size, kept.reads(row, t));
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            copy(own_hidden(layer, r), m.hidden, kept.hidden(layer, row, t));
            if (m.controller == Controller::lstm) copy(own_cell(layer, r), m.hidden, kept.cell(layer, row, t));
        }
    }

    // What the inputs of a stretch add to the first layer's gates.
    void project(const int64_t* rows, int64_t alive, int64_t start, int64_t steps) {
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < alive; ++r)
                copy(xs + (rows[r] * m.time + start + k) * m.inputs, m.inputs,
                     &stretch_inputs[(k * together + r) * m.inputs]);
        matrices.input.multiply(steps * together, stretch_inputs.data(), m.inputs, projected.data(), given_stride);
        for (int64_t i = 0; i < steps * together; ++i)
            gather((const T*)p.biases, m.gates, &projected[i * given_stride]);
    }

    // The outputs of a stretch.
    void answer(const int64_t* rows, int64_t alive, int64_t start, int64_t steps) {
        const int64_t stride = matrices.output.padded_outputs(), seen_size = m.hidden + m.read_size;
        matrices.output.multiply(steps * together, seen.data(), seen_size, answers.data(), stride);
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < alive && m.length(rows[r]) > start + k; ++r) {
                const T* from = &answers[(k * together + r) * stride];
                T* to = ys + (rows[r] * m.time + start + k) * m.outputs;
                by_register<T>(m.outputs, [&](int64_t i, int64_t some) {
                    store(to + i, load(from + i, some) + load(p.output_bias + i, some), some);
                });
            }
    }

    void step(const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t size = m.recurrent(layer);
            for (int64_t r = 0; r < alive; ++r) {
                T* to = copy(layer ? own_hidden(layer - 1, r) : &reads[r * m.read_size], m.below(layer),
                             &recurrent[r * size]);
                copy(own_hidden(layer, r), m.own, to);
            }
            matrices.recurrent[layer].multiply(alive, recurrent.data(), size, sums.data(), sums_stride);
            for (int64_t r = 0; r < alive; ++r) {
                const T* given = layer ? p.biases + layer * m.gates : &projected[(k * together + r) * given_stride];
                T* activated = kept ? kept.gates(layer, rows[r], t) : gates.data();
                T* h = own_hidden(layer, r);
                add((const T*)&sums[r * sums_stride], given, m.gates, activated);
                switch (m.controller) {
                    case Controller::lstm: lstm_forward<T>(m.hidden, activated, own_cell(layer, r), h); break;
                    case Controller::gru: gru_forward<T>(m.hidden, activated, h); break;
                    default: plain_forward<T>(m.hidden, activated, h);
                }
            }
        }
        matrices.interface.multiply(alive, own_hidden(m.layers - 1, 0), m.hidden, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) {
            work_tape(r, rows[r], t);
            copy(&reads[r * m.read_size], m.read_size,
                 copy(own_hidden(m.layers - 1, r), m.hidden, &seen[(k * together + r) * (m.hidden + m.read_size)]));
            if (kept) keep_state(r, rows[r], t + 1);
        }
    }

    void work_tape(int64_t r, int64_t row, int64_t t) {
        T* told = kept ? kept.raw(row, t) : raw.data();
        const T* own_sums = &sums[r * sums_stride];
        by_register<T>(m.interface.size, [&](int64_t i, int64_t some) {
            store(told + i, load(own_sums + i, some) + load(p.interface_bias + i, some), some);
        });
        m.interface.forward(told, control.data());
        T* tape = &tapes[r * m.tape_size];
        T* own_weights = &weights[r * m.heads * m.slots];
        if (kept && t % m.stretch == 0) copy(tape, m.tape_size, kept.tape(row, t / m.stretch));
        lookup.face(tape);
        for (int64_t h = 0; h < m.heads; ++h)
            lookup.move(m.interface.told(control.data(), h), own_weights + h * m.slots);
        auto look = [&] {
            for (int64_t h = 0; h < m.reads; ++h)
                over_slots(m.width, m.slots, tape, own_weights + h * m.slots, &reads[r * m.read_size + h * m.width]);
        };
        if (m.sizes.read_first) look();
        write_tape(m.width, m.slots, m.writes, tape, own_weights + m.reads * m.slots, &control[m.interface.erase],
                   &control[m.interface.add], tape);
        if (!m.sizes.read_first) look();
    }
};

// The gradients of all parameters that one thread gathers.
template <typename T>
struct ParameterGradients {
    std::vector<MatrixGradient<T>> layers;
    MatrixGradient<T> interface, output;

    explicit ParameterGradients(const Machine<T>& m)
        : interface(m.interface.size, m.hidden), output(m.outputs, m.hidden + m.read_size) {
        for (int64_t layer = 0; layer < m.layers; ++layer)
            layers.emplace_back(m.gates, (layer ? 0 : m.inputs) + m.recurrent(layer));
    }

    void add(const ParameterGradients& other) {
        for (size_t layer = 0; layer < layers.size(); ++layer) layers[layer].add(other.layers[layer]);
        interface.add(other.interface);
        output.add(other.output);
    }

    void give(const Machine<T>& m, const Parameters<T>& d) const {
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t below = layer ? m.hidden : m.inputs + m.read_size;
            layers[layer].give(0, below, layer ? d.upper_weights + (layer - 1) * m.gates * m.hidden : d.first_weight);
            if (m.own) layers[layer].give(below, m.hidden, d.own_weights + layer * m.gates * m.hidden);
            layers[layer].give_bias(d.biases + layer * m.gates);
        }
        interface.give(0, m.hidden, d.interface_weight);
        interface.give_bias(d.interface_bias);
        output.give(0, m.hidden + m.read_size, d.output_weight);
        output.give_bias(d.output_bias);
    }
};

// The rows that one thread takes through time together, on the way back.
template <typename T>
class Backward {
  public:
    Backward(const Machine<T>& m, const Matrices<T>& matrices, const T* xs, const Kept<T>& kept, const T* d_ys,
             const State<T>& d_last, ParameterGradients<T>& d_parameters, T* d_xs, const State<T>& d_first,
             int64_t together)
        : m(m), matrices(matrices), xs(xs), kept(kept), d_ys(d_ys), d_last(d_last), d_parameters(d_parameters),
          d_xs(d_xs), d_first(d_first), together(together), lookup(m.lookup),
          tapes(together * (m.stretch + 1) * m.tape_size), d_tape(together * m.tape_size),
          chain((m.writes - 1) * m.tape_size), d_weights(together * m.heads * m.slots), d_reads(together * m.read_size),
          d_hidden(m.layers * together * m.hidden), d_cell(m.layers * together * m.hidden),
          d_straight(m.layers * together * m.hidden), sums_stride(matrices.widest()), sums(together * sums_stride),
          control(m.interface.size), d_answers(m.stretch * together * m.outputs),
          d_seen_stride(matrices.output.padded_outputs()), d_seen(m.stretch * together * d_seen_stride),
          d_raw(m.stretch * together * m.interface.size), d_gates(m.layers * m.stretch * together * m.gates),
          seen_stride(whole_panels<T>(m.hidden + m.read_size)),
          inputs_stride(whole_panels<T>(std::max(m.inputs + m.read_size, m.hidden) + m.own)),
          rows_seen(m.stretch * together * seen_stride), rows_in(m.stretch * together * inputs_stride),
          d_inputs(d_xs ? m.stretch * together * matrices.input.padded_outputs() : 0) {}

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        for (int64_t start = (m.length(rows[0]) - 1) / m.stretch * m.stretch; start >= 0 && m.length(rows[0]);
             start -= m.stretch) {
            const int64_t steps = std::min(m.stretch, m.length(rows[0]) - start);
            int64_t within = 0;
            while (within < count && m.length(rows[within]) > start) ++within;
            ask(rows, within, start, steps);
            for (int64_t r = 0; r < within; ++r) write_again(r, rows[r], start);
            int64_t alive = 0;
            for (int64_t k = steps - 1; k >= 0; --k) {
                while (alive < within && m.length(rows[alive]) > start + k) ++alive;
                step(rows, alive, start + k, k);
            }
            gather_parameters(rows, within, start, steps);
        }
        for (int64_t r = 0; r < count; ++r) end(r, rows[r]);
    }

  private:
    const Machine<T>& m;
    const Matrices<T>& matrices;
    const T* const xs;
    const Kept<T>& kept;
    const T* const d_ys;
    const State<T>& d_last;
    ParameterGradients<T>& d_parameters;
    T* const d_xs;
    const State<T>& d_first;
    const int64_t together;
    Lookup<T> lookup;
    Array<T> tapes, d_tape, chain, d_weights, d_reads, d_hidden, d_cell, d_straight;
    const int64_t sums_stride;
    Array<T> sums, control, d_answers;
    const int64_t d_seen_stride;
    Array<T> d_seen, d_raw, d_gates;
    const int64_t seen_stride, inputs_stride;
    Array<T> rows_seen, rows_in, d_inputs;

    T* own_hidden(int64_t layer, int64_t r) { return &d_hidden[(layer * together + r) * m.hidden]; }
    T* own_cell(int64_t layer, int64_t r) { return &d_cell[(layer * together + r) * m.hidden]; }
    T* own_straight(int64_t layer, int64_t r) { return &d_straight[(layer * together + r) * m.hidden]; }
    T* own_gates(int64_t layer, int64_t k, int64_t r) {
        return &d_gates[((layer * m.stretch + k) * together + r) * m.gates];
    }
    T* own_raw(int64_t k, int64_t r) { return &d_raw[(k * together + r) * m.interface.size]; }
    T* tape_before(int64_t r, int64_t t) { return &tapes[(r * (m.stretch + 1) + t % m.stretch) * m.tape_size]; }

    void begin(int64_t r, int64_t row) {
        d_last.take(row, &d_tape[r * m.tape_size], &d_weights[r * m.heads * m.slots], &d_reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            d_last.take_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        const int64_t done = m.length(row);
        if (d_xs) clear(d_xs + (row * m.time + done) * m.inputs, (m.time - done) * m.inputs);
    }

    void end(int64_t r, int64_t row) {
        d_first.give(row, &d_tape[r * m.tape_size], &d_weights[r * m.heads * m.slots], &d_reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            d_first.give_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
    }

    // What the outputs of a stretch ask of what they saw. Rows that have ended get zeros, here and in all that is
    // summed.
    void ask(const int64_t* rows, int64_t within, int64_t start, int64_t steps) {
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < together; ++r) {
                T* to = &d_answers[(k * together + r) * m.outputs];
                if (d_ys && r < within && m.length(rows[r]) > start + k)
                    copy(d_ys + (rows[r] * m.time + start + k) * m.outputs, m.outputs, to);
                else
                    clear(to, m.outputs);
            }
        matrices.output.multiply(steps * together, d_answers.data(), m.outputs, d_seen.data(), d_seen_stride);
        clear(d_raw.data(), steps * together * m.interface.size);
        clear(d_gates.data(), m.layers * m.stretch * together * m.gates);
    }

    void write_again(int64_t r, int64_t row, int64_t start) {
        copy((const T*)kept.tape(row, start / m.stretch), m.tape_size, tape_before(r, start));
        const int64_t ended = std::min(start + m.stretch, m.length(row)) - (m.sizes.read_first ? 1 : 0);
        for (int64_t t = start; t < ended; ++t) {
            m.interface.what_is_written(kept.raw(row, t), control.data());
            T* before = tape_before(r, t);
            write_tape(m.width, m.slots, m.writes, before, kept.weights(row, t + 1) + m.reads * m.slots,
                       &control[m.interface.erase], &control[m.interface.add], before + m.tape_size);
        }
    }

    void step(const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        const int64_t top = m.layers - 1;
        for (int64_t r = 0; r < alive; ++r) {
            const T* asked = &d_seen[(k * together + r) * d_seen_stride];
            gather(asked, m.hidden, own_hidden(top, r));
            gather(asked + m.hidden, m.read_size, &d_reads[r * m.read_size]);
            leave_tape(r, rows[r], t, own_raw(k, r));
        }
        matrices.interface.multiply(alive, own_raw(k, 0), m.interface.size, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) gather((const T*)&sums[r * sums_stride], m.hidden, own_hidden(top, r));
        for (int64_t layer = top; layer >= 0; --layer) leave_layer(layer, rows, alive, t, k);
    }

    void leave_tape(int64_t r, int64_t row, int64_t t, T* d_told) {
        m.interface.forward(kept.raw(row, t), control.data());
        const T* before = tape_before(r, t);
        const T* weights = kept.weights(row, t + 1);
        T* tape = &d_tape[r * m.tape_size];
        T* own_weights = &d_weights[r * m.heads * m.slots];
        auto look = [&](const T* seen) {
            const T* asked = &d_reads[r * m.read_size];
            for (int64_t h = 0; h < m.reads; ++h)
                over_features<T, true>(m.width, m.slots, seen, asked + h * m.width, own_weights + h * m.slots);
            add_outer(m.width, m.slots, m.reads, tape, asked, weights);
        };
        if (!m.sizes.read_first) look(before + m.tape_size);
        const T* writing = weights + m.reads * m.slots;
        T* d_writing = own_weights + m.reads * m.slots;
        const T* erase = &control[m.interface.erase];
        for (int64_t h = 0; h < m.writes; ++h)
            add_backward(m.width, m.slots, tape, writing + h * m.slots, &control[m.interface.add + h * m.width],
                         d_writing + h * m.slots, d_told + m.interface.add + h * m.width);
        auto erased_by = [&](int64_t heads) { return heads ? &chain[(heads - 1) * m.tape_size] : before; };
        for (int64_t h = 0; h + 1 < m.writes; ++h)
            erase_tape(m.width, m.slots, erased_by(h), writing + h * m.slots, erase + h * m.width,
                       &chain[h * m.tape_size]);
        for (int64_t h = m.writes - 1; h >= 0; --h)
            erase_backward(m.width, m.slots, erased_by(h), writing + h * m.slots, erase + h * m.width, tape,
                           d_writing + h * m.slots, d_told + m.interface.erase + h * m.width);
        if (m.sizes.read_first) look(before);
        lookup.face(before);
        for (int64_t h = 0; h < m.heads; ++h)
            lookup.move_backward(h, m.interface.told(control.data(), h), kept.weights(row, t) + h * m.slots,
                                 weights + h * m.slots, own_weights + h * m.slots, m.interface.told(d_told, h));
        lookup.settle(tape);
        m.interface.backward(kept.raw(row, t), control.data(), d_told);
    }

    void leave_layer(int64_t layer, const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        for (int64_t r = 0; r < alive; ++r) {
            const T* gates = kept.gates(layer, rows[r], t);
            const T* d_own = own_hidden(layer, r);
            T* d_raw_gates = own_gates(layer, k, r);
            switch (m.controller) {
                case Controller::lstm:
                    lstm_backward<T>(m.hidden, gates, kept.cell(layer, rows[r], t), d_own, own_cell(layer, r),
                                     d_raw_gates);
                    break;
                case Controller::gru:
                    gru_backward<T>(m.hidden, gates, kept.hidden(layer, rows[r], t), d_own, own_straight(layer, r),
                                    d_raw_gates, d_raw_gates + 3 * m.hidden);
                    break;
                default: plain_backward<T>(m.hidden, gates, d_own, d_raw_gates);
            }
        }
        matrices.recurrent[layer].multiply(alive, own_gates(layer, k, 0), m.gates, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) {
            const T* from = &sums[r * sums_stride];
            if (layer)
                gather(from, m.hidden, own_hidden(layer - 1, r));
            else
                copy(from, m.read_size, &d_reads[r * m.read_size]);
            copy((const T*)own_straight(layer, r), m.hidden, own_hidden(layer, r));
            gather(from + m.below(layer), m.own, own_hidden(layer, r));
        }
    }

    // The products of a stretch, while its numbers are near.
    void gather_parameters(const int64_t* rows, int64_t within, int64_t start, int64_t steps) {
        const int64_t count = steps * together;
        auto for_alive = [&](Array<T>& to, int64_t stride, auto body) {
            for (int64_t k = 0; k < steps; ++k)
                for (int64_t r = 0; r < together; ++r) {
                    T* own = &to[(k * together + r) * stride];
                    if (r < within && m.length(rows[r]) > start + k)
                        body(own, rows[r], start + k);
                    else
                        clear(own, stride);
                }
        };
        for_alive(rows_seen, seen_stride, [&](T* own, int64_t row, int64_t t) {
            copy((const T*)kept.reads(row, t + 1), m.read_size,
                 copy((const T*)kept.hidden(m.layers - 1, row, t + 1), m.hidden, own));
        });
        d_parameters.output.add(count, d_answers.data(), m.outputs, rows_seen.data(), seen_stride);
        d_parameters.interface.add(count, d_raw.data(), m.interface.size, rows_seen.data(), seen_stride);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            for_alive(rows_in, inputs_stride, [&](T* own, int64_t row, int64_t t) {
                if (layer) {
                    own = copy((const T*)kept.hidden(layer - 1, row, t + 1), m.hidden, own);
                } else {
                    own = copy(xs + (row * m.time + t) * m.inputs, m.inputs, own);
                    own = copy((const T*)kept.reads(row, t), m.read_size, own);
                }
                copy((const T*)kept.hidden(layer, row, t), m.own, own);
            });
            d_parameters.layers[layer].add(count, own_gates(layer, 0, 0), m.gates, rows_in.data(), inputs_stride);
        }
        if (!d_xs) return;
        const int64_t stride = matrices.input.padded_outputs();
        matrices.input.multiply(count, own_gates(0, 0, 0), m.gates, d_inputs.data(), stride);
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < within && m.length(rows[r]) > start + k; ++r)
                copy((const T*)&d_inputs[(k * together + r) * stride], m.inputs,
                     d_xs + (rows[r] * m.time + start + k) * m.inputs);
    }
};

template <typename T>
int64_t kept_numbers(const memtape_turing_sizes* sizes) {
    const Machine<T> m(*sizes);
    return Kept<T>(m, nullptr).size;
}

template <typename T>
int forward(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters, const void* xs,
            const memtape_turing_state* first, void* ys, const memtape_turing_state* last, void* block) {
    return unless_out_of_memory([&] {
        const Machine<T> m(*sizes);
        const Parameters<T> p(*parameters);
        const auto matrices = Matrices<T>::forward(m, p);
        const State<T> before(m, *first), after(m, *last);
        const Kept<T> kept(m, (T*)block);
        const int64_t together = m.together(1);
        m.rows.share([&](int64_t, const std::vector<int64_t>& rows) {
            Forward<T> pass(m, p, matrices, (const T*)xs, before, (T*)ys, after, kept, together);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
    });
}

template <typename T>
int backward(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters, const void* xs,
             const void* block, const void* d_ys, const memtape_turing_state* d_last,
             const memtape_turing_parameters* d_parameters, void* d_xs, const memtape_turing_state* d_first) {
    return unless_out_of_memory([&] {
        const Machine<T> m(*sizes);
        const auto matrices = Matrices<T>::backward(m, Parameters<T>(*parameters));
        const State<T> d_after(m, *d_last), d_before(m, *d_first);
        const Kept<T> kept(m, (T*)block);
        const int64_t together = m.together(m.stretch + 2);
        std::vector<std::unique_ptr<ParameterGradients<T>>> sums(m.rows.threads());
        m.rows.share([&](int64_t number, const std::vector<int64_t>& rows) {
            sums[number] = std::make_unique<ParameterGradients<T>>(m);
            Backward<T> pass(m, matrices, (const T*)xs, kept, (const T*)d_ys, d_after, *sums[number], (T*)d_xs,
                             d_before, together);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
        for (size_t number = 1; number < sums.size(); ++number) sums[0]->add(*sums[number]);
        sums[0]->give(m, Parameters<T>(*d_parameters));
    });
}

}  // namespace

extern "C" {

int64_t memtape_turing_kept_float32(const memtape_turing_sizes* sizes) { return kept_numbers<float>(sizes); }
int64_t memtape_turing_kept_float64(const memtape_turing_sizes* sizes) { return kept_numbers<double>(sizes); }

int memtape_turing_forward_float32(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters,
                                   const void* xs, const memtape_turing_state* first, void* ys,
                                   const memtape_turing_state* last, void* kept) {
    return forward<float>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_turing_forward_float64(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters,
                                   const void* xs, const memtape_turing_state* first, void* ys,
                                   const memtape_turing_state* last, void* kept) {
    return forward<double>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_turing_backward_float32(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_turing_state* d_last, const memtape_turing_parameters* d_parameters,
                                    void* d_xs, const memtape_turing_state* d_first) {
    return backward<float>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}

int memtape_turing_backward_float64(const memtape_turing_sizes* sizes, const memtape_turing_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_turing_state* d_last, const memtape_turing_parameters* d_parameters,
                                    void* d_xs, const memtape_turing_state* d_first) {
    return backward<double>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}
}
