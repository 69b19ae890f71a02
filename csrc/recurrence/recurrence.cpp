// Recurrence: run one layer of recurrent units over whole sequences, forward and backward.
//
// The contribution of the inputs to the gates is given, since it is one product for all steps. A thread computes all
// steps of its rows of the batch, a few rows together so that the recurrent weights, which are packed once, are read
// once for all of them. The backward pass computes the gradients of these weights for a stretch of steps at once, while
// its numbers are in the cache.
#include "recurrence/recurrence.hpp"

#include <memory>

#include "base/matrix.hpp"
#include "base/rows.hpp"
#include "base/softmax.hpp"
#include "machine/controller.hpp"

namespace {

enum class Kind : int64_t { lstm = 0, gru = 1, plain = 2, early_gru = 3, output = 4 };
enum class Feedback : int64_t { outputs = 0, softmax = 1, sigmoid = 2, largest = 3 };

constexpr int64_t STRETCH = 16;  // steps whose weight gradients are computed at once

// The sizes of a network, and derived sizes.
template <typename T>
class Network {
  public:
    struct Part {
        int64_t begin, size;
    };

    const Kind kind;
    const Activation activation;
    const Feedback feedback;
    const Rows rows;
    const int64_t hidden, fed, gates, kept_gates, outputs;
    const Part first, second;       // gates of the first product of a step, and of the second, which depends on it
    const std::vector<Part> parts;  // each normalised separately
    const T epsilon;

    explicit Network(const memtape_recurrence_sizes& s)
        : kind(Kind(s.kind)), activation(Activation(s.activation)), feedback(Feedback(s.feedback)),
          rows(s.batch, s.time, s.lengths, s.threads), hidden(s.hidden), fed(kind == Kind::output ? s.outputs : hidden),
          gates(blocks() * hidden), kept_gates(kind == Kind::gru      ? gates + hidden
                                               : kind == Kind::output ? hidden + s.outputs
                                                                      : gates),
          outputs(s.outputs), first(kind == Kind::early_gru ? Part{0, 2 * hidden} : Part{0, gates}),
          second(Part{first.size, gates - first.size}),
          parts(blocks() == 3 ? std::vector<Part>{{0, 2 * hidden}, {2 * hidden, hidden}}
                              : std::vector<Part>{{0, gates}}),
          epsilon(T(s.epsilon)) {}

    // Whether a step has a second product.
    bool twice() const { return second.size || kind == Kind::output; }

  private:
    int64_t blocks() const { return kind == Kind::lstm ? 4 : kind == Kind::gru || kind == Kind::early_gru ? 3 : 1; }
};

// The parameters, or the gradients of them.
template <typename T>
struct Parameters {
    T *weight, *gain, *bias, *peepholes, *cell_gain, *cell_bias, *leak, *output_weight, *output_bias;

    explicit Parameters(const memtape_recurrence_parameters& p)
        : weight((T*)p.weight), gain((T*)p.gain), bias((T*)p.bias), peepholes((T*)p.peepholes),
          cell_gain((T*)p.cell_gain), cell_bias((T*)p.cell_bias), leak((T*)p.leak), output_weight((T*)p.output_weight),
          output_bias((T*)p.output_bias) {}

    Extras<T> extras() const { return {peepholes, cell_gain, cell_bias}; }
};

// The gradients of the parameters, summed by one thread.
template <typename T>
class Gradients {
  public:
    MatrixGradient<T> first, second;  // of the two products of a step

    Gradients(const Network<T>& m, const Parameters<T>& p)
        : first(m.first.size, m.fed), second(m.kind == Kind::output ? m.outputs : m.second.size, m.hidden),
          small{Array<T>(p.gain ? m.gates : 0),           Array<T>(p.bias ? m.gates : 0),
                Array<T>(p.peepholes ? 3 * m.hidden : 0), Array<T>(p.cell_gain ? m.hidden : 0),
                Array<T>(p.cell_bias ? m.hidden : 0),     Array<T>(p.leak ? m.hidden : 0)} {}

    T* gain() { return small[0].data(); }
    T* bias() { return small[1].data(); }
    Extras<T> extras() { return {small[2].data(), small[3].data(), small[4].data()}; }
    T* leak() { return small[5].data(); }

    void add(const Gradients& other) {
        first.add(other.first);
        second.add(other.second);
        for (size_t i = 0; i < COUNT; ++i) gather(other.small[i].data(), small[i].size(), small[i].data());
    }

    void give(const Network<T>& m, const Parameters<T>& d) const {
        first.give(0, m.fed, d.weight);
        second.give(0, m.hidden, m.kind == Kind::output ? d.output_weight : d.weight + m.second.begin * m.hidden);
        if (m.kind == Kind::output) second.give_bias(d.output_bias);
        T* to[COUNT] = {d.gain, d.bias, d.peepholes, d.cell_gain, d.cell_bias, d.leak};
        for (size_t i = 0; i < COUNT; ++i)
            if (to[i]) copy(small[i].data(), small[i].size(), to[i]);
    }

  private:
    static constexpr size_t COUNT = 6;
    Array<T> small[COUNT];
};

// A state, or the gradient of one.
template <typename T>
struct State {
    T *fed, *cell;

    explicit State(const memtape_recurrence_state& s) : fed((T*)s.fed), cell((T*)s.cell) {}

    static void take(const T* from, int64_t row, int64_t count, T* to) {
        if (from)
            copy(from + row * count, count, to);
        else
            clear(to, count);
    }
};

// The data saved for the backward pass.
template <typename T>
class Kept {
  public:
    Kept(const Network<T>& m, const memtape_recurrence_kept* kept)
        : m(m), some(kept), all(kept ? *kept : memtape_recurrence_kept{}) {}

    explicit operator bool() const { return some; }

    T* cell(int64_t row, int64_t t) const { return at(all.cells, m.hidden, row, t); }
    T* gates(int64_t row, int64_t t) const { return at(all.gates, m.kept_gates, row, t); }
    T* normals(int64_t row, int64_t t) const { return at(all.normals, m.gates, row, t); }
    T* scales(int64_t row, int64_t t) const { return at(all.scales, m.parts.size(), row, t); }

  private:
    const Network<T>& m;
    const bool some;
    const memtape_recurrence_kept all;

    T* at(void* begin, int64_t count, int64_t row, int64_t t) const {
        return (T*)begin + (row * m.rows.time + t) * count;
    }
};

// The weight matrices for the forward pass or, transposed, for the backward pass.
template <typename T>
struct Matrices {
    Packed<T> first, second;

    static Matrices forward(const Network<T>& m, const Parameters<T>& p) {
        Matrices all{Packed<T>(m.fed, m.first.size),
                     m.kind == Kind::output ? Packed<T>(m.hidden, m.outputs) : Packed<T>(m.hidden, m.second.size)};
        all.first.place(0, m.fed, 1, 0, m.first.size, m.fed, p.weight);
        if (m.kind == Kind::output)
            all.second.place(0, m.hidden, 1, 0, m.outputs, m.hidden, p.output_weight);
        else
            all.second.place(0, m.hidden, 1, 0, m.second.size, m.hidden, p.weight + m.second.begin * m.hidden);
        return all;
    }

    static Matrices backward(const Network<T>& m, const Parameters<T>& p) {
        Matrices all{Packed<T>(m.first.size, m.fed),
                     m.kind == Kind::output ? Packed<T>(m.outputs, m.hidden) : Packed<T>(m.second.size, m.hidden)};
        all.first.place(0, m.first.size, m.fed, 0, m.fed, 1, p.weight);
        if (m.kind == Kind::output)
            all.second.place(0, m.outputs, m.hidden, 0, m.hidden, 1, p.output_weight);
        else
            all.second.place(0, m.second.size, m.hidden, 0, m.hidden, 1, p.weight + m.second.begin * m.hidden);
        return all;
    }

    // The largest size of a result of a product.
    int64_t widest() const { return std::max(first.padded_outputs(), second.padded_outputs()); }
};

// The rows that one thread computes together, in the forward pass.
template <typename T>
class Forward {
  public:
    Forward(const Network<T>& m, const Parameters<T>& p, const Matrices<T>& matrices, const T* given,
            const State<T>& begin_with, T* ys, const State<T>& last, const Kept<T>& kept)
        : m(m), p(p), matrices(matrices), given(given), begin_with(begin_with), ys(ys), last(last), kept(kept),
          fed_stride(apart<T>(m.fed)), between_stride(apart<T>(m.hidden)), sums_stride(matrices.widest()),
          fed(m.rows.together() * fed_stride), cell(m.rows.together() * m.hidden),
          between(m.rows.together() * between_stride), sums(m.rows.together() * sums_stride),
          gates(kept ? 0 : m.rows.together() * m.kept_gates) {}

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        int64_t alive = count;
        for (int64_t t = 0; t < m.rows.time; ++t) {
            while (alive && m.rows.length(rows[alive - 1]) <= t) --alive;
            if (!alive) break;
            step(rows, alive, t);
        }
        for (int64_t r = 0; r < count; ++r) end(r, rows[r]);
    }

  private:
    const Network<T>& m;
    const Parameters<T>& p;
    const Matrices<T>& matrices;
    const T* const given;
    const State<T>& begin_with;
    T* const ys;
    const State<T>& last;
    const Kept<T>& kept;
    const int64_t fed_stride, between_stride, sums_stride;
    Array<T> fed, cell, between, sums, gates;

    T* own_fed(int64_t r) { return &fed[r * fed_stride]; }
    T* own_cell(int64_t r) { return &cell[r * m.hidden]; }
    T* own_between(int64_t r) { return &between[r * between_stride]; }
    T* own_sums(int64_t r) { return &sums[r * sums_stride]; }
    T* own_gates(int64_t r, int64_t row, int64_t t) { return kept ? kept.gates(row, t) : &gates[r * m.kept_gates]; }

    void begin(int64_t r, int64_t row) {
        State<T>::take(begin_with.fed, row, m.fed, own_fed(r));
        if (m.kind == Kind::lstm) State<T>::take(begin_with.cell, row, m.hidden, own_cell(r));
    }

    void end(int64_t r, int64_t row) {
        copy(own_fed(r), m.fed, last.fed + row * m.fed);
        if (m.kind == Kind::lstm) copy(own_cell(r), m.hidden, last.cell + row * m.hidden);
        const int64_t done = m.rows.length(row), rest = m.rows.time - done;
        clear(ys + (row * m.rows.time + done) * m.fed, rest * m.fed);
    }

    void step(const int64_t* rows, int64_t alive, int64_t t) {
        matrices.first.multiply(alive, fed.data(), fed_stride, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) {
            if (kept && m.kind == Kind::lstm) copy(own_cell(r), m.hidden, kept.cell(rows[r], t));
            for (size_t part = 0; part < m.parts.size() && m.parts[part].begin < m.first.size; ++part)
                settle(part, rows[r], t, own_sums(r) + m.parts[part].begin);
            work(r, rows[r], t);
        }
        if (!m.twice()) return;
        matrices.second.multiply(alive, between.data(), between_stride, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r)
            if (m.kind == Kind::output)
                answer(r, rows[r], t);
            else
                blend(r, rows[r], t);
    }

    // The products become the contributions to the gates.
    void settle(size_t part, int64_t row, int64_t t, T* products) {
        const auto [begin, size] = m.parts[part];
        if (p.gain) {
            const T* gain = p.gain + begin;
            const T scale =
                normalise(size, products, m.epsilon, kept ? kept.normals(row, t) + begin : products,
                          [&](Vector<T> normal, int64_t i, int64_t some) { return normal * load(gain + i, some); });
            if (kept) kept.scales(row, t)[part] = scale;
        }
        if (p.bias) gather(p.bias + begin, size, products);
    }

    void work(int64_t r, int64_t row, int64_t t) {
        const T *products = own_sums(r), *from = given + (row * m.rows.time + t) * m.gates;
        T *own = own_gates(r, row, t), *to = own_fed(r);
        add(products, from, m.kind == Kind::gru ? 2 * m.hidden : m.first.size, own);
        switch (m.kind) {
            case Kind::lstm:
                lstm_forward<T>(m.hidden, own, own_cell(r), to, m.activation, p.extras(), m.epsilon);
                break;
            case Kind::gru:
                copy(products + 2 * m.hidden, m.hidden, copy(from + 2 * m.hidden, m.hidden, own + 2 * m.hidden));
                gru_forward<T>(m.hidden, own, to, m.activation);
                break;
            case Kind::plain: plain_forward<T>(m.hidden, own, to, m.activation, p.leak); break;
            case Kind::early_gru: early_reset_forward<T>(m.hidden, own, to, own_between(r)); return;
            case Kind::output: plain_forward<T>(m.hidden, own, own_between(r), m.activation); return;
        }
        copy(to, m.fed, ys + (row * m.rows.time + t) * m.fed);
    }

    void blend(int64_t r, int64_t row, int64_t t) {
        const T* from = given + (row * m.rows.time + t) * m.gates;
        T *own = own_gates(r, row, t), *to = own_fed(r);
        settle(1, row, t, own_sums(r));
        add(own_sums(r), from + 2 * m.hidden, m.hidden, own + 2 * m.hidden);
        blend_forward<T>(m.hidden, own, to, m.activation);
        copy(to, m.fed, ys + (row * m.rows.time + t) * m.fed);
    }

    void answer(int64_t r, int64_t row, int64_t t) {
        T* to = own_fed(r);
        add(own_sums(r), p.output_bias, m.outputs, to);
        copy(to, m.outputs, ys + (row * m.rows.time + t) * m.outputs);
        if (m.feedback == Feedback::softmax) {
            softmax(m.outputs, padded<T>(m.outputs), to);
        } else if (m.feedback == Feedback::sigmoid) {
            by_register<T>(m.outputs,
                           [&](int64_t i, int64_t some) { store(to + i, sigmoid<T>(load(to + i, some)), some); });
        } else if (m.feedback == Feedback::largest) {
            const int64_t most = std::max_element(to, to + m.outputs) - to;
            clear(to, m.outputs);
            to[most] = 1;
        }
        copy(to, m.outputs, own_gates(r, row, t) + m.hidden);
    }
};

// The rows that one thread computes together, in the backward pass.
template <typename T>
class Backward {
  public:
    Backward(const Network<T>& m, const Parameters<T>& p, const Matrices<T>& matrices, const State<T>& begun_with,
             const T* ys, const Kept<T>& kept, const T* d_ys, const State<T>& d_last, T* d_given,
             Gradients<T>& gradients, const State<T>& d_first)
        : m(m), p(p), matrices(matrices), begun_with(begun_with), ys(ys), kept(kept), d_ys(d_ys), d_last(d_last),
          d_given(d_given), gradients(gradients), d_first(d_first), together(m.rows.together()),
          count(STRETCH * together), stride(apart<T>(m.gates)), outputs_stride(apart<T>(m.outputs)),
          before_stride(whole_panels<T>(m.fed)), hidden_stride(whole_panels<T>(m.hidden)),
          sums_stride(matrices.widest()), d_fed(together * m.fed), d_cell(together * m.hidden),
          d_straight(together * m.fed), d_products(count * stride), d_outputs(count * (m.outputs ? outputs_stride : 0)),
          sums(together * sums_stride), before(count * before_stride), factors(m.twice() ? count * hidden_stride : 0) {}

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        int64_t alive = 0;
        for (int64_t end = m.rows.length(rows[0]); end > 0; end = (end - 1) / STRETCH * STRETCH) {
            const int64_t start = (end - 1) / STRETCH * STRETCH;
            clear(d_products.data(), d_products.size());
            clear(d_outputs.data(), d_outputs.size());
            for (int64_t t = end - 1; t >= start; --t) {
                while (alive < count && m.rows.length(rows[alive]) > t) ++alive;
                step(rows, alive, t, (t - start) * together);
            }
            gather_weights(end - start);
        }
        for (int64_t r = 0; r < count; ++r) {
            copy(own_fed(r), m.fed, d_first.fed + rows[r] * m.fed);
            if (m.kind == Kind::lstm) copy(own_cell(r), m.hidden, d_first.cell + rows[r] * m.hidden);
        }
    }

  private:
    const Network<T>& m;
    const Parameters<T>& p;
    const Matrices<T>& matrices;
    const State<T>& begun_with;
    const T* const ys;
    const Kept<T>& kept;
    const T* const d_ys;
    const State<T>& d_last;
    T* const d_given;
    Gradients<T>& gradients;
    const State<T>& d_first;
    const int64_t together, count, stride, outputs_stride, before_stride, hidden_stride, sums_stride;
    Array<T> d_fed, d_cell, d_straight, d_products, d_outputs, sums;
    Array<T> before, factors;  // inputs of the two products of the steps of a stretch

    T* own_fed(int64_t r) { return &d_fed[r * m.fed]; }
    T* own_cell(int64_t r) { return &d_cell[r * m.hidden]; }
    T* own_straight(int64_t r) { return &d_straight[r * m.fed]; }
    T* own_products(int64_t place) { return &d_products[place * stride]; }
    T* own_outputs(int64_t place) { return &d_outputs[place * outputs_stride]; }
    T* own_before(int64_t place) { return &before[place * before_stride]; }
    T* own_factors(int64_t place) { return &factors[place * hidden_stride]; }
    T* own_sums(int64_t r) { return &sums[r * sums_stride]; }
    T* own_given(int64_t row, int64_t t) { return d_given + (row * m.rows.time + t) * m.gates; }

    void begin(int64_t r, int64_t row) {
        State<T>::take(d_last.fed, row, m.fed, own_fed(r));
        if (m.kind == Kind::lstm) State<T>::take(d_last.cell, row, m.hidden, own_cell(r));
        clear(own_straight(r), m.fed);
        const int64_t done = m.rows.length(row);
        clear(own_given(row, done), (m.rows.time - done) * m.gates);
    }

    // `place` is the index of the first row in the arrays of the stretch.
    void step(const int64_t* rows, int64_t alive, int64_t t, int64_t place) {
        for (int64_t r = 0; r < alive; ++r) {
            copy(fed_before(rows[r], t), m.fed, own_before(place + r));
            leave(r, rows[r], t, place + r);
        }
        if (m.kind == Kind::output)
            matrices.second.multiply(alive, own_outputs(place), outputs_stride, sums.data(), sums_stride);
        else if (m.twice())
            matrices.second.multiply(alive, own_products(place) + m.second.begin, stride, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) {
            if (m.twice()) leave_first(r, rows[r], t, place + r);
            for (size_t part = 0; part < m.parts.size() && m.parts[part].begin < m.first.size; ++part)
                unsettle(part, rows[r], t, own_products(place + r));
        }
        matrices.first.multiply(alive, own_products(place), stride, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) add(own_sums(r), own_straight(r), m.fed, own_fed(r));
    }

    const T* fed_before(int64_t row, int64_t t) const {
        if (!t) return begun_with.fed + row * m.fed;
        if (m.kind == Kind::output) return kept.gates(row, t - 1) + m.hidden;
        return ys + (row * m.rows.time + t - 1) * m.fed;
    }

    // Backward pass from the outputs of a step to its last or only product.
    void leave(int64_t r, int64_t row, int64_t t, int64_t place) {
        const T *gates = kept.gates(row, t), *last = own_before(place);
        T *d = own_fed(r), *to = own_given(row, t), *products = own_products(place);
        if (m.kind == Kind::output) feed_backward(gates + m.hidden, d);
        if (d_ys) gather(d_ys + (row * m.rows.time + t) * m.fed, m.fed, d);
        switch (m.kind) {
            case Kind::lstm:
                lstm_backward<T>(m.hidden, gates, kept.cell(row, t), d, own_cell(r), to, m.activation, p.extras(),
                                 m.epsilon, gradients.extras());
                copy(to, m.gates, products);
                break;
            case Kind::gru:
                gru_backward<T>(m.hidden, gates, last, d, own_straight(r), to, products + 2 * m.hidden, m.activation);
                copy(to, 2 * m.hidden, products);
                break;
            case Kind::plain:
                plain_backward<T>(m.hidden, gates, d, to, m.activation, p.leak, last, own_straight(r),
                                  gradients.leak());
                copy(to, m.gates, products);
                break;
            case Kind::early_gru:
                blend_backward<T>(m.hidden, gates, last, d, own_straight(r), to, m.activation);
                copy(to + m.second.begin, m.second.size, products + m.second.begin);
                unsettle(1, row, t, products);
                break;
            case Kind::output: copy(d, m.outputs, own_outputs(place)); break;
        }
    }

    // Backward pass from the second product of a step, whose gradient is in `sums`, to the first.
    void leave_first(int64_t r, int64_t row, int64_t t, int64_t place) {
        const T *gates = kept.gates(row, t), *d = own_sums(r), *last = own_before(place);
        T *to = own_given(row, t), *seen = own_factors(place);
        if (m.kind == Kind::output) {
            plain_backward<T>(m.hidden, gates, d, to, m.activation);
            copy(gates, m.hidden, seen);
        } else {
            early_reset_backward<T>(m.hidden, gates, last, d, own_straight(r), to);
            by_register<T>(m.hidden, [&](int64_t i, int64_t some) {
                store(seen + i, load(gates + i, some) * load(last + i, some), some);
            });
        }
        copy(to, m.first.size, own_products(place));
    }

    // Backward pass from the contributions to the gates to the products.
    void unsettle(size_t part, int64_t row, int64_t t, T* products) {
        const auto [begin, size] = m.parts[part];
        T* d = products + begin;
        if (p.bias) gather(d, size, gradients.bias() + begin);
        if (p.gain)
            normalise_backward<T>(size, kept.normals(row, t) + begin, kept.scales(row, t)[part], p.gain + begin, d,
                                  gradients.gain() + begin);
    }

    // The products of a stretch, while its numbers are in the cache.
    void gather_weights(int64_t steps) {
        gradients.first.add(steps * together, d_products.data(), stride, before.data(), before_stride);
        if (m.kind == Kind::output)
            gradients.second.add(steps * together, d_outputs.data(), outputs_stride, factors.data(), hidden_stride);
        else if (m.twice())
            gradients.second.add(steps * together, &d_products[m.second.begin], stride, factors.data(), hidden_stride);
    }

    // d, the gradient of the feedback, becomes the gradient of the outputs.
    void feed_backward(const T* fed, T* d) {
        if (m.feedback == Feedback::softmax) {
            T along = 0;
            for (int64_t i = 0; i < m.outputs; ++i) along += fed[i] * d[i];
            for (int64_t i = 0; i < m.outputs; ++i) d[i] = fed[i] * (d[i] - along);
        } else if (m.feedback == Feedback::sigmoid) {
            for (int64_t i = 0; i < m.outputs; ++i) d[i] *= fed[i] * (1 - fed[i]);
        } else if (m.feedback == Feedback::largest) {
            clear(d, m.outputs);
        }
    }
};

template <typename T>
int forward(const memtape_recurrence_sizes* sizes, const memtape_recurrence_parameters* parameters, const void* given,
            const memtape_recurrence_state* first, void* ys, const memtape_recurrence_state* last,
            const memtape_recurrence_kept* kept) {
    return unless_out_of_memory([&] {
        const Network<T> m(*sizes);
        const Parameters<T> p(*parameters);
        const auto matrices = Matrices<T>::forward(m, p);
        const State<T> before(*first), after(*last);
        const Kept<T> all(m, kept);
        const int64_t together = m.rows.together();
        m.rows.share([&](int64_t, const std::vector<int64_t>& rows) {
            Forward<T> pass(m, p, matrices, (const T*)given, before, (T*)ys, after, all);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
    });
}

template <typename T>
int backward(const memtape_recurrence_sizes* sizes, const memtape_recurrence_parameters* parameters,
             const memtape_recurrence_state* first, const void* ys, const memtape_recurrence_kept* kept,
             const void* d_ys, const memtape_recurrence_state* d_last, void* d_given,
             const memtape_recurrence_parameters* d_parameters, const memtape_recurrence_state* d_first) {
    return unless_out_of_memory([&] {
        const Network<T> m(*sizes);
        const Parameters<T> p(*parameters);
        const auto matrices = Matrices<T>::backward(m, p);
        const State<T> before(*first), d_after(*d_last), d_before(*d_first);
        const Kept<T> all(m, kept);
        const int64_t together = m.rows.together();
        std::vector<std::unique_ptr<Gradients<T>>> gradients(m.rows.threads());
        m.rows.share([&](int64_t number, const std::vector<int64_t>& rows) {
            gradients[number] = std::make_unique<Gradients<T>>(m, p);
            Backward<T> pass(m, p, matrices, before, (const T*)ys, all, (const T*)d_ys, d_after, (T*)d_given,
                             *gradients[number], d_before);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
        for (size_t number = 1; number < gradients.size(); ++number) gradients[0]->add(*gradients[number]);
        gradients[0]->give(m, Parameters<T>(*d_parameters));
    });
}

}  // namespace

extern "C" {

const char* memtape_recurrence_layout(void) {
    static const std::string text =
        Layout::of<memtape_recurrence_sizes>("sizes") + Layout::of<memtape_recurrence_parameters>("parameters") +
        Layout::of<memtape_recurrence_state>("state") + Layout::of<memtape_recurrence_kept>("kept") +
        signature("forward", MEMTAPE_TEXT(MEMTAPE_RECURRENCE_FORWARD)) +
        signature("backward", MEMTAPE_TEXT(MEMTAPE_RECURRENCE_BACKWARD));
    return text.c_str();
}

int memtape_recurrence_forward_float32(MEMTAPE_RECURRENCE_FORWARD) {
    return forward<float>(sizes, parameters, given, first, ys, last, kept);
}
int memtape_recurrence_forward_float64(MEMTAPE_RECURRENCE_FORWARD) {
    return forward<double>(sizes, parameters, given, first, ys, last, kept);
}
int memtape_recurrence_backward_float32(MEMTAPE_RECURRENCE_BACKWARD) {
    return backward<float>(sizes, parameters, first, ys, kept, d_ys, d_last, d_given, d_parameters, d_first);
}
int memtape_recurrence_backward_float64(MEMTAPE_RECURRENCE_BACKWARD) {
    return backward<double>(sizes, parameters, first, ys, kept, d_ys, d_last, d_given, d_parameters, d_first);
}
}
