// Turing machine: whole sequences of a Neural Turing Machine, forwards and backwards.
//
// A thread takes its rows of the batch through all of time, a few rows together so that they share one reading of the
// parameters. What does not depend on the step before (the projection of the inputs, the outputs, the gradients of the
// parameters) is left to large matrix products outside. The tape is kept at every eighth step only: on the way back the
// writes in between, which are known, are done again.
#include <algorithm>
#include <exception>
#include <numeric>
#include <system_error>
#include <thread>

#include "controller.hpp"
#include "interface.hpp"
#include "matrix.hpp"
#include "turing_machine.h"

namespace {

constexpr int64_t SEGMENT = 8;       // steps between two kept tapes
constexpr int64_t MOST_ROWS = 8;     // rows that go through time together
constexpr int64_t TAPES_BYTES = 1 << 20;  // as many as their tapes fit into the second cache

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename T> class Machine {
  public:
    const memtape_turing_sizes& sizes;
    const memtape_turing_tensors& tensors;
    const Controller controller;
    const int64_t batch, time, hidden, layers, width, reads, writes, heads, slots;
    const int64_t gates, first_inputs, upper_inputs, read_size, seen_size, tape_size, segments;
    const Interface<T> interface;
    const Kinds<T> kinds;
    std::vector<int64_t> order;  // rows, the longest first

    Machine(const memtape_turing_sizes& sizes, const memtape_turing_tensors& tensors)
        : sizes(sizes), tensors(tensors), controller(Controller(sizes.controller)), batch(sizes.batch), time(sizes.time), hidden(sizes.hidden),
          layers(sizes.layers), width(sizes.width), reads(sizes.reads), writes(sizes.writes), heads(reads + writes), slots(padded<T>(sizes.slots)),
          gates(gates_of(controller) * hidden), first_inputs(reads * width + (sees_itself(controller) ? hidden : 0)),
          upper_inputs(hidden + (sees_itself(controller) ? hidden : 0)), read_size(reads * width), seen_size(hidden + read_size),
          tape_size(width * slots), segments(ceil_divide(time, SEGMENT)),
          interface(reads, writes, width, sizes.reach, sizes.location, sizes.squash, sizes.clip),
          kinds{sizes.slots, slots, width, sizes.reach, sizes.location != 0, sizes.cosine != 0}, order(batch) {
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return length(a) > length(b); });
    }

    int64_t length(int64_t row) const { return sizes.lengths ? sizes.lengths[row] : time; }

    bool keeps() const { return tensors.raw != nullptr; }

    int64_t inputs(int64_t layer) const { return layer ? upper_inputs : first_inputs; }

    const T* weight(int64_t layer) const {
        return layer ? (const T*)tensors.upper_weights + (layer - 1) * gates * upper_inputs : (const T*)tensors.first_weight;
    }

    // Where the numbers of one layer, row and step are in a tensor of shape (layers, batch, time, size).
    int64_t at(int64_t layer, int64_t row, int64_t t, int64_t size) const { return ((layer * batch + row) * time + t) * size; }

    T* layer_inputs(int64_t layer, int64_t row, int64_t t) const {
        return layer ? (T*)tensors.upper_inputs + at(layer - 1, row, t, upper_inputs) : (T*)tensors.first_inputs + at(0, row, t, first_inputs);
    }

    T* weights_before(int64_t row, int64_t t) const { return (T*)tensors.all_weights + (row * (time + 1) + t) * heads * slots; }

    T* kept_tape(int64_t row, int64_t segment) const { return (T*)tensors.tapes + (row * segments + segment) * tape_size; }

    // Share the rows out among threads; `work` takes the rows of one thread, the longest first.
    template <typename Work> void share(int64_t tapes_per_row, Work work) const {
        const int64_t threads = std::max<int64_t>(1, std::min<int64_t>(sizes.threads, batch));
        const int64_t fitting = std::max<int64_t>(1, TAPES_BYTES / (tapes_per_row * tape_size * int64_t(sizeof(T))));
        const int64_t together = std::min({MOST_ROWS, fitting, ceil_divide(batch, threads)});
        std::vector<std::exception_ptr> errors(threads);
        auto part = [&](int64_t number) {
            try {
                std::vector<int64_t> own;
                for (int64_t i = number; i < batch; i += threads) own.push_back(order[i]);
                work(own, together);
            } catch (...) {
                errors[number] = std::current_exception();
            }
        };
        std::vector<std::thread> running;
        int64_t number = 1;
        try {
            for (; number < threads; ++number) running.emplace_back(part, number);
        } catch (const std::system_error&) {
            for (; number < threads; ++number) part(number);
        }
        part(0);
        for (auto& thread : running) thread.join();
        for (auto& error : errors)
            if (error) std::rethrow_exception(error);
    }
};

// The rows that one thread takes through time together, on the way forward.
template <typename T> class Forward {
  public:
    Forward(const Machine<T>& m, const std::vector<Packed<T>>& layer_weights, const Packed<T>& interface_weight, int64_t together)
        : m(m), layer_weights(layer_weights), interface_weight(interface_weight), lookup(m.kinds), tapes(together * m.tape_size),
          written(m.tape_size), weights(together * m.heads * m.slots), read(together * m.read_size), hidden(m.layers * together * m.hidden),
          cell(m.layers * together * m.hidden), inputs(together * std::max(m.first_inputs, m.upper_inputs)),
          most_sums(std::max(interface_weight.padded_outputs(), widest(layer_weights))), sums(together * most_sums), raw(m.interface.size),
          control(m.interface.size), gates(m.gates), together(together) {}

    static int64_t widest(const std::vector<Packed<T>>& packed) {
        int64_t most = 0;
        for (auto& one : packed) most = std::max(most, one.padded_outputs());
        return most;
    }

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        int64_t alive = count;
        for (int64_t t = 0; t < m.time; ++t) {
            while (alive && m.length(rows[alive - 1]) <= t) end(alive - 1, rows[alive - 1]), --alive;
            if (!alive) return;
            for (int64_t layer = 0; layer < m.layers; ++layer) control_layer(layer, rows, alive, t);
            const T* top = &hidden[(m.layers - 1) * together * m.hidden];
            interface_weight.multiply(alive, top, m.hidden, sums.data(), most_sums);
            for (int64_t r = 0; r < alive; ++r) work_tape(r, rows[r], t, top + r * m.hidden);
        }
        while (alive) end(alive - 1, rows[alive - 1]), --alive;
    }

  private:
    const Machine<T>& m;
    const std::vector<Packed<T>>& layer_weights;
    const Packed<T>& interface_weight;
    Lookup<T> lookup;
    Array<T> tapes, written, weights, read, hidden, cell, inputs;
    const int64_t most_sums;
    Array<T> sums, raw, control, gates;
    const int64_t together;

    void begin(int64_t r, int64_t row) {
        to_tape(m.width, m.sizes.slots, m.slots, (const T*)m.tensors.memory + row * m.sizes.slots * m.width, &tapes[r * m.tape_size]);
        for (int64_t h = 0; h < m.heads; ++h) {
            const T* given = (const T*)m.tensors.weights + (row * m.heads + h) * m.sizes.slots;
            T* own = &weights[(r * m.heads + h) * m.slots];
            std::fill(std::copy(given, given + m.sizes.slots, own), own + m.slots, T(0));
        }
        copy((const T*)m.tensors.reads + row * m.read_size, m.read_size, &read[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t from = (layer * m.batch + row) * m.hidden, to = (layer * together + r) * m.hidden;
            copy((const T*)m.tensors.hidden + from, m.hidden, &hidden[to]);
            if (m.controller == Controller::lstm) copy((const T*)m.tensors.cell + from, m.hidden, &cell[to]);
        }
        if (m.keeps()) copy(&weights[r * m.heads * m.slots], m.heads * m.slots, m.weights_before(row, 0));
    }

    void end(int64_t r, int64_t row) {
        from_tape(m.width, m.sizes.slots, m.slots, &tapes[r * m.tape_size], (T*)m.tensors.last_memory + row * m.sizes.slots * m.width);
        for (int64_t h = 0; h < m.heads; ++h)
            copy(&weights[(r * m.heads + h) * m.slots], m.sizes.slots, (T*)m.tensors.last_weights + (row * m.heads + h) * m.sizes.slots);
        copy(&read[r * m.read_size], m.read_size, (T*)m.tensors.last_reads + row * m.read_size);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t to = (layer * m.batch + row) * m.hidden, from = (layer * together + r) * m.hidden;
            copy(&hidden[from], m.hidden, (T*)m.tensors.last_hidden + to);
            if (m.controller == Controller::lstm) copy(&cell[from], m.hidden, (T*)m.tensors.last_cell + to);
        }
        const int64_t done = m.length(row), rest = m.time - done;
        clear((T*)m.tensors.seen + m.at(0, row, done, m.seen_size), rest * m.seen_size);
        if (m.keeps() && rest)
            for (int64_t layer = 0; layer < m.layers; ++layer) clear(m.layer_inputs(layer, row, done), rest * m.inputs(layer));
    }

    void control_layer(int64_t layer, const int64_t* rows, int64_t alive, int64_t t) {
        const int64_t size = m.inputs(layer);
        for (int64_t r = 0; r < alive; ++r) {
            T* own = &inputs[r * size];
            T* end = layer ? copy(&hidden[((layer - 1) * together + r) * m.hidden], m.hidden, own) : copy(&read[r * m.read_size], m.read_size, own);
            if (sees_itself(m.controller)) copy(&hidden[(layer * together + r) * m.hidden], m.hidden, end);
            if (m.keeps()) copy(own, size, m.layer_inputs(layer, rows[r], t));
        }
        layer_weights[layer].multiply(alive, inputs.data(), size, sums.data(), most_sums);
        for (int64_t r = 0; r < alive; ++r) {
            const T* given = layer ? (const T*)m.tensors.upper_biases + (layer - 1) * m.gates : (const T*)m.tensors.gates + m.at(0, rows[r], t, m.gates);
            T* kept = m.keeps() ? (T*)m.tensors.gates + m.at(layer, rows[r], t, m.gates) : gates.data();
            T* h = &hidden[(layer * together + r) * m.hidden];
            T* c = &cell[(layer * together + r) * m.hidden];
            switch (m.controller) {
            case Controller::lstm:
                lstm_forward(m.hidden, &sums[r * most_sums], given, c, h, kept);
                if (m.keeps()) copy(c, m.hidden, (T*)m.tensors.cells + m.at(layer, rows[r], t, m.hidden));
                break;
            case Controller::gru: gru_forward(m.hidden, &sums[r * most_sums], given, h, kept); break;
            default: plain_forward(m.hidden, &sums[r * most_sums], given, h, kept);
            }
        }
    }

    void work_tape(int64_t r, int64_t row, int64_t t, const T* top) {
        const T* bias = (const T*)m.tensors.interface_bias;
        T* told = m.keeps() ? (T*)m.tensors.raw + m.at(0, row, t, m.interface.size) : raw.data();
        by_register<T>(m.interface.size, [&](int64_t i, int64_t count) { store(told + i, load(&sums[r * most_sums + i], count) + load(bias + i, count), count); });
        m.interface.forward(told, control.data());
        T* tape = &tapes[r * m.tape_size];
        T* own_weights = &weights[r * m.heads * m.slots];
        T* own_reads = &read[r * m.read_size];
        if (m.keeps() && t % SEGMENT == 0) copy(tape, m.tape_size, m.kept_tape(row, t / SEGMENT));
        lookup.face(tape);
        for (int64_t h = 0; h < m.heads; ++h) lookup.move(m.interface.told(control.data(), h), own_weights + h * m.slots);
        auto look = [&] {
            for (int64_t h = 0; h < m.reads; ++h) over_slots(m.width, m.slots, tape, own_weights + h * m.slots, own_reads + h * m.width);
        };
        if (m.sizes.read_first) look();
        write_tape(m.width, m.slots, m.writes, tape, own_weights + m.reads * m.slots, &control[m.interface.erase], &control[m.interface.add], tape);
        if (!m.sizes.read_first) look();
        if (m.keeps()) copy(own_weights, m.heads * m.slots, m.weights_before(row, t + 1));
        copy(own_reads, m.read_size, copy(top, m.hidden, (T*)m.tensors.seen + m.at(0, row, t, m.seen_size)));
    }

    static T* copy(const T* from, int64_t count, T* to) { return std::copy(from, from + count, to); }

    static void clear(T* from, int64_t count) { std::fill(from, from + count, T(0)); }
};

// The rows that one thread takes through time together, on the way back.
template <typename T> class Backward {
  public:
    Backward(const Machine<T>& m, const memtape_turing_gradients& d, const std::vector<Packed<T>>& layer_weights, const Packed<T>& interface_weight,
             int64_t together)
        : m(m), d(d), layer_weights(layer_weights), interface_weight(interface_weight), lookup(m.kinds), tapes(together * (SEGMENT + 1) * m.tape_size),
          d_tape(together * m.tape_size), chain((m.writes - 1) * m.tape_size), d_weights(together * m.heads * m.slots), d_read(together * m.read_size),
          d_hidden(m.layers * together * m.hidden), d_cell(m.layers * together * m.hidden), d_straight(m.layers * together * m.hidden),
          most_sums(std::max(interface_weight.padded_outputs(), Forward<T>::widest(layer_weights))), sums(together * most_sums),
          d_raw(together * m.interface.size), d_gates(together * m.gates), control(m.interface.size), together(together) {}

    void run(const int64_t* rows, int64_t count) {
        const int64_t longest = m.length(rows[0]);
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        int64_t alive = 0;
        for (int64_t t = longest - 1; t >= 0; --t) {
            while (alive < count && m.length(rows[alive]) > t) ++alive;
            for (int64_t r = 0; r < alive; ++r) {
                if (t % SEGMENT == SEGMENT - 1 || t == m.length(rows[r]) - 1) write_again(r, rows[r], t);
                leave_tape(r, rows[r], t);
            }
            interface_weight.multiply(alive, d_raw.data(), m.interface.size, sums.data(), most_sums);
            for (int64_t r = 0; r < alive; ++r) gather(&d_hidden[((m.layers - 1) * together + r) * m.hidden], &sums[r * most_sums], m.hidden);
            for (int64_t layer = m.layers - 1; layer >= 0; --layer) leave_layer(layer, rows, alive, t);
        }
        for (int64_t r = 0; r < count; ++r) end(r, rows[r]);
    }

  private:
    const Machine<T>& m;
    const memtape_turing_gradients& d;
    const std::vector<Packed<T>>& layer_weights;
    const Packed<T>& interface_weight;
    Lookup<T> lookup;
    Array<T> tapes, d_tape, chain, d_weights, d_read, d_hidden, d_cell, d_straight;
    const int64_t most_sums;
    Array<T> sums, d_raw, d_gates, control;
    const int64_t together;

    // The gradients at a row's own end.
    void begin(int64_t r, int64_t row) {
        to_tape(m.width, m.sizes.slots, m.slots, (const T*)d.last_memory + row * m.sizes.slots * m.width, &d_tape[r * m.tape_size]);
        for (int64_t h = 0; h < m.heads; ++h) {
            const T* given = (const T*)d.last_weights + (row * m.heads + h) * m.sizes.slots;
            T* own = &d_weights[(r * m.heads + h) * m.slots];
            std::fill(std::copy(given, given + m.sizes.slots, own), own + m.slots, T(0));
        }
        copy((const T*)d.last_reads + row * m.read_size, m.read_size, &d_read[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t from = (layer * m.batch + row) * m.hidden, to = (layer * together + r) * m.hidden;
            copy((const T*)d.last_hidden + from, m.hidden, &d_hidden[to]);
            if (m.controller == Controller::lstm) copy((const T*)d.last_cell + from, m.hidden, &d_cell[to]);
        }
        const int64_t done = m.length(row), rest = m.time - done;
        if (!rest) return;
        for (int64_t layer = 0; layer < m.layers; ++layer) clear((T*)d.gates + m.at(layer, row, done, m.gates), rest * m.gates);
        clear((T*)d.raw + m.at(0, row, done, m.interface.size), rest * m.interface.size);
    }

    // The gradients of the state that the row began from.
    void end(int64_t r, int64_t row) {
        from_tape(m.width, m.sizes.slots, m.slots, &d_tape[r * m.tape_size], (T*)d.memory + row * m.sizes.slots * m.width);
        for (int64_t h = 0; h < m.heads; ++h)
            copy(&d_weights[(r * m.heads + h) * m.slots], m.sizes.slots, (T*)d.weights + (row * m.heads + h) * m.sizes.slots);
        copy(&d_read[r * m.read_size], m.read_size, (T*)d.reads + row * m.read_size);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t to = (layer * m.batch + row) * m.hidden, from = (layer * together + r) * m.hidden;
            copy(&d_hidden[from], m.hidden, (T*)d.hidden + to);
            if (m.controller == Controller::lstm) copy(&d_cell[from], m.hidden, (T*)d.cell + to);
        }
    }

    T* tape_before(int64_t r, int64_t t) { return &tapes[(r * (SEGMENT + 1) + t % SEGMENT) * m.tape_size]; }

    // Do the writes of a segment again, up to the one of step `last`.
    void write_again(int64_t r, int64_t row, int64_t last) {
        const int64_t first = last / SEGMENT * SEGMENT;
        copy(m.kept_tape(row, first / SEGMENT), m.tape_size, tape_before(r, first));
        const int64_t end = m.sizes.read_first ? last : last + 1;
        for (int64_t t = first; t < end; ++t) {
            m.interface.forward((const T*)m.tensors.raw + m.at(0, row, t, m.interface.size), control.data());
            T* before = tape_before(r, t);
            write_tape(m.width, m.slots, m.writes, before, m.weights_before(row, t + 1) + m.reads * m.slots, &control[m.interface.erase],
                       &control[m.interface.add], before + m.tape_size);
        }
    }

    void leave_tape(int64_t r, int64_t row, int64_t t) {
        const T* raw = (const T*)m.tensors.raw + m.at(0, row, t, m.interface.size);
        m.interface.forward(raw, control.data());
        const T* d_seen = (const T*)d.seen + m.at(0, row, t, m.seen_size);
        gather(&d_hidden[((m.layers - 1) * together + r) * m.hidden], d_seen, m.hidden);
        gather(&d_read[r * m.read_size], d_seen + m.hidden, m.read_size);
        const T* before = tape_before(r, t);
        const T* weights = m.weights_before(row, t + 1);
        T* own = &d_tape[r * m.tape_size];
        T* own_weights = &d_weights[r * m.heads * m.slots];
        T* told = &d_raw[r * m.interface.size];
        auto look = [&](const T* tape) {
            for (int64_t h = 0; h < m.reads; ++h) {
                const T* asked = &d_read[r * m.read_size + h * m.width];
                over_features<T, true>(m.width, m.slots, tape, asked, own_weights + h * m.slots);
                add_outer(m.width, m.slots, own, asked, weights + h * m.slots);
            }
        };
        if (!m.sizes.read_first) look(before + m.tape_size);
        for (int64_t h = 0; h < m.writes; ++h) {
            const int64_t head = m.reads + h;
            add_backward(m.width, m.slots, own, weights + head * m.slots, &control[m.interface.add + h * m.width], own_weights + head * m.slots,
                         told + m.interface.add + h * m.width);
        }
        for (int64_t h = 0; h + 1 < m.writes; ++h)
            erase_tape(m.width, m.slots, h ? &chain[(h - 1) * m.tape_size] : before, weights + (m.reads + h) * m.slots,
                       &control[m.interface.erase + h * m.width], &chain[h * m.tape_size]);
        for (int64_t h = m.writes - 1; h >= 0; --h)
            erase_backward(m.width, m.slots, h ? &chain[(h - 1) * m.tape_size] : before, weights + (m.reads + h) * m.slots,
                           &control[m.interface.erase + h * m.width], own, own_weights + (m.reads + h) * m.slots, told + m.interface.erase + h * m.width);
        if (m.sizes.read_first) look(before);
        lookup.face(before);
        for (int64_t h = 0; h < m.heads; ++h)
            lookup.move_backward(m.interface.told(control.data(), h), m.weights_before(row, t) + h * m.slots, weights + h * m.slots,
                                 own_weights + h * m.slots, own, m.interface.told(told, h));
        m.interface.backward(raw, control.data(), told);
        copy(told, m.interface.size, (T*)d.raw + m.at(0, row, t, m.interface.size));
    }

    void leave_layer(int64_t layer, const int64_t* rows, int64_t alive, int64_t t) {
        for (int64_t r = 0; r < alive; ++r) {
            const int64_t here = m.at(layer, rows[r], t, m.gates), own = (layer * together + r) * m.hidden;
            const T* gates = (const T*)m.tensors.gates + here;
            const T* inputs = m.layer_inputs(layer, rows[r], t);
            const T* hidden_before = inputs + m.inputs(layer) - m.hidden;
            T* raw = &d_gates[r * m.gates];
            switch (m.controller) {
            case Controller::lstm: {
                const T* cell = (const T*)m.tensors.cells + m.at(layer, rows[r], t, m.hidden);
                const T* cell_before = t ? cell - m.hidden : (const T*)m.tensors.cell + (layer * m.batch + rows[r]) * m.hidden;
                lstm_backward(m.hidden, gates, cell_before, cell, &d_hidden[own], &d_cell[own], raw);
                break;
            }
            case Controller::gru: gru_backward(m.hidden, gates, hidden_before, &d_hidden[own], &d_straight[own], raw); break;
            default: plain_backward(m.hidden, gates, &d_hidden[own], raw);
            }
            copy(raw, m.gates, (T*)d.gates + here);
        }
        layer_weights[layer].multiply(alive, d_gates.data(), m.gates, sums.data(), most_sums);
        for (int64_t r = 0; r < alive; ++r) {
            const T* from = &sums[r * most_sums];
            const int64_t own = (layer * together + r) * m.hidden;
            if (layer)
                gather(&d_hidden[own - together * m.hidden], from, m.hidden);
            else
                copy(from, m.read_size, &d_read[r * m.read_size]);
            copy(&d_straight[own], m.hidden, &d_hidden[own]);
            if (sees_itself(m.controller)) gather(&d_hidden[own], from + m.inputs(layer) - m.hidden, m.hidden);
        }
    }

    // to += from
    static void gather(T* to, const T* from, int64_t count) {
        by_register<T>(count, [&](int64_t i, int64_t some) { store(to + i, load(to + i, some) + load(from + i, some), some); });
    }

    static void copy(const T* from, int64_t count, T* to) { std::copy(from, from + count, to); }

    static void clear(T* from, int64_t count) { std::fill(from, from + count, T(0)); }
};

template <typename Work> int guarded(Work work) {
    try {
        work();
        return 0;
    } catch (...) {
        return 1;  // nothing but memory can run out here
    }
}

template <typename T> int forward(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors) {
    return guarded([&] {
        const Machine<T> m(*sizes, *tensors);
        std::vector<Packed<T>> layers;
        for (int64_t layer = 0; layer < m.layers; ++layer) layers.push_back(Packed<T>::from_rows(m.weight(layer), m.gates, m.inputs(layer)));
        const auto interface = Packed<T>::from_rows((const T*)tensors->interface_weight, m.interface.size, m.hidden);
        m.share(1, [&](const std::vector<int64_t>& rows, int64_t together) {
            Forward<T> pass(m, layers, interface, together);
            for (size_t i = 0; i < rows.size(); i += together) pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
    });
}

template <typename T>
int backward(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors, const memtape_turing_gradients* gradients) {
    return guarded([&] {
        const Machine<T> m(*sizes, *tensors);
        std::vector<Packed<T>> layers;
        for (int64_t layer = 0; layer < m.layers; ++layer) layers.push_back(Packed<T>::from_columns(m.weight(layer), m.gates, m.inputs(layer)));
        const auto interface = Packed<T>::from_columns((const T*)tensors->interface_weight, m.interface.size, m.hidden);
        m.share(SEGMENT + 2, [&](const std::vector<int64_t>& rows, int64_t together) {
            Backward<T> pass(m, *gradients, layers, interface, together);
            for (size_t i = 0; i < rows.size(); i += together) pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
    });
}

}  // namespace

extern "C" {

int memtape_turing_forward_float32(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors) { return forward<float>(sizes, tensors); }

int memtape_turing_forward_float64(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors) { return forward<double>(sizes, tensors); }

int memtape_turing_backward_float32(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors, const memtape_turing_gradients* gradients) {
    return backward<float>(sizes, tensors, gradients);
}

int memtape_turing_backward_float64(const memtape_turing_sizes* sizes, const memtape_turing_tensors* tensors, const memtape_turing_gradients* gradients) {
    return backward<double>(sizes, tensors, gradients);
}

int64_t memtape_turing_segment(void) { return SEGMENT; }

int64_t memtape_register_bytes(void) { return REGISTER_BYTES; }
}
