// Forward pass of a machine.
//
// A thread computes all steps of its rows of the batch, a few rows together so that the parameters are read once for
// all of them. Computations that do not depend on the previous step (the projection of the inputs, the outputs, the
// gradients of the parameters) run for a stretch of steps at once, while its numbers are still in the cache.
#pragma once

#include "machine/engine.hpp"

// The rows that one thread computes together, in the forward pass.
template <typename Memory>
class Forward {
  public:
    using T = typename Memory::Number;

    Forward(const Machine<Memory>& m, const Parameters<T>& p, const Matrices<Memory>& matrices,
            const AttentionMatrices<T>& attended, const T* xs, const State<Memory>& first, T* ys,
            const State<Memory>& last, const Kept<Memory>& kept, typename Memory::Forward memory, int64_t together)
        : m(m), p(p), matrices(matrices), xs(xs), first(first), ys(ys), last(last), kept(kept), together(together),
          memory(std::move(memory)), reads(together * m.read_size), hidden(m.layers * together * m.hidden),
          cell(m.layers * together * m.hidden), given_stride(matrices.input[0].padded_outputs()),
          projected(m.seeing * m.stretch * together * given_stride), stretch_inputs(m.stretch * together * m.inputs),
          seen_stride(apart<T>(m.shown + m.read_size)), seen(m.stretch * together * seen_stride),
          outputs(m.stretch * together * matrices.output.padded_outputs()),
          recurrent(together * apart<T>(m.hidden + m.read_size + m.own)), sums_stride(matrices.widest()),
          sums(together * sums_stride), vector(m.interface_size),
          product(m.programs.count ? m.programs.product_size : 0), scratch(m.programs.scratch()), gates(m.gates),
          attention(attended, m.cache.size), cache(together * m.cache.size * attention.stride) {}

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
            output(rows, at_start, start, steps);
        }
        while (alive) end(alive - 1, rows[alive - 1]), --alive;
    }

  private:
    const Machine<Memory>& m;
    const Parameters<T>& p;
    const Matrices<Memory>& matrices;
    const T* const xs;
    const State<Memory>& first;
    T* const ys;
    const State<Memory>& last;
    const Kept<Memory>& kept;
    const int64_t together;
    typename Memory::Forward memory;
    Array<T> reads, hidden, cell;
    const int64_t given_stride;
    Array<T> projected, stretch_inputs;
    const int64_t seen_stride;
    Array<T> seen, outputs, recurrent;
    const int64_t sums_stride;
    Array<T> sums, vector, product, scratch, gates;
    Attention<T> attention;
    Array<T> cache;

    T* own_hidden(int64_t layer, int64_t r) { return &hidden[(layer * together + r) * m.hidden]; }
    T* own_cell(int64_t layer, int64_t r) { return &cell[(layer * together + r) * m.hidden]; }
    T* own_cache(int64_t r) { return cache.data() + r * m.cache.size * attention.stride; }
    T* own_projected(int64_t layer, int64_t k, int64_t r) {
        return &projected[((layer * m.stretch + k) * together + r) * given_stride];
    }

    void begin(int64_t r, int64_t row) {
        memory.begin(r, row);
        first.take_reads(row, &reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            first.take_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        first.take_cache(row, attention.stride, own_cache(r));
        if (!kept) return;
        keep_state(r, row, 0);
        first.take_cache(row, m.hidden, kept.cache(row));
    }

    void end(int64_t r, int64_t row) {
        memory.end(r, row);
        last.give_reads(row, &reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            last.give_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        last.give_cache(row, attention.stride, own_cache(r));
        const int64_t done = m.length(row);
        clear(ys + (row * m.time + done) * m.outputs, (m.time - done) * m.outputs);
    }

    void keep_state(int64_t r, int64_t row, int64_t t) {
        copy(&reads[r * m.read_size], m.read_size, kept.reads(row, t));
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            copy(own_hidden(layer, r), m.hidden, kept.hidden(layer, row, t));
            if (m.controller == Controller::lstm) copy(own_cell(layer, r), m.hidden, kept.cell(layer, row, t));
        }
    }

    // The contribution of the inputs of a stretch to the gates of the layers connected to them.
    void project(const int64_t* rows, int64_t alive, int64_t start, int64_t steps) {
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < alive; ++r)
                copy(xs + (rows[r] * m.time + start + k) * m.inputs, m.inputs,
                     &stretch_inputs[(k * together + r) * m.inputs]);
        for (int64_t layer = 0; layer < m.seeing; ++layer) {
            T* to = own_projected(layer, 0, 0);
            matrices.input[layer].multiply(steps * together, stretch_inputs.data(), m.inputs, to, given_stride);
            for (int64_t i = 0; i < steps * together; ++i)
                gather((const T*)p.biases + layer * m.gates, m.gates, to + i * given_stride);
        }
    }

    // The outputs of a stretch.
    void output(const int64_t* rows, int64_t alive, int64_t start, int64_t steps) {
        const int64_t stride = matrices.output.padded_outputs();
        matrices.output.multiply(steps * together, seen.data(), seen_stride, outputs.data(), stride);
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < alive && m.length(rows[r]) > start + k; ++r) {
                const T* from = &outputs[(k * together + r) * stride];
                T* to = ys + (rows[r] * m.time + start + k) * m.outputs;
                by_register<T>(m.outputs, [&](int64_t i, int64_t some) {
                    store(to + i, load(from + i, some) + load(p.output_bias + i, some), some);
                });
            }
    }

    // Store the hidden vector before a step in the cache, and replace it by attention in a step with an access.
    void work_cache(int64_t r, int64_t row, int64_t t) {
        const int64_t place = m.cache.place(row, t);
        if (place < 0) return;
        T* h = own_hidden(0, r);
        copy((const T*)h, m.hidden, own_cache(r) + place * attention.stride);
        if (!m.cache.attends(row, t)) return;
        attention.forward(&reads[r * m.read_size], own_cache(r), h);
        if (kept) copy((const T*)h, m.hidden, kept.received(row, t));
    }

    void step(const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        for (int64_t r = 0; r < alive; ++r) work_cache(r, rows[r], t);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t stride = apart<T>(m.recurrent(layer));
            for (int64_t r = 0; r < alive; ++r) {
                T* to = copy(&reads[r * m.read_size], m.reads_of(layer), &recurrent[r * stride]);
                if (layer) to = copy(own_hidden(layer - 1, r), m.hidden, to);
                copy(own_hidden(layer, r), m.own, to);
            }
            matrices.recurrent[layer].multiply(alive, recurrent.data(), stride, sums.data(), sums_stride, t % 2);
            for (int64_t r = 0; r < alive; ++r) {
                const T* given = layer < m.seeing ? own_projected(layer, k, r) : p.biases + layer * m.gates;
                T* activated = kept ? kept.gates(layer, rows[r], t) : gates.data();
                T* h = own_hidden(layer, r);
                add((const T*)&sums[r * sums_stride], given, m.gates, activated);
                switch (m.controller) {
                    case Controller::lstm: lstm_forward<T>(m.hidden, activated, own_cell(layer, r), h); break;
                    case Controller::gru: gru_forward<T>(m.hidden, activated, h); break;
                    default: plain_forward<T>(m.hidden, activated, h, m.activation);
                }
            }
        }
        T* shown = &seen[k * together * seen_stride];
        for (int64_t r = 0; r < alive; ++r)
            for (int64_t layer = m.first_shown; layer < m.layers; ++layer)
                copy(own_hidden(layer, r), m.hidden, shown + r * seen_stride + (layer - m.first_shown) * m.hidden);
        if (m.accesses.any(rows, alive, t))
            matrices.interface.multiply(alive, shown, seen_stride, sums.data(), sums_stride);
        for (int64_t r = 0; r < alive; ++r) {
            if (m.accesses.at(rows[r], t)) work_memory(r, rows[r], m.accesses.before(rows[r], t));
            copy(&reads[r * m.read_size], m.read_size, shown + r * seen_stride + m.shown);
            if (kept) keep_state(r, rows[r], t + 1);
        }
    }

    void work_memory(int64_t r, int64_t row, int64_t access) {
        T* to = kept ? kept.interface_vector(row, access) : vector.data();
        T* sum = !m.programs.count ? to : kept ? kept.product(row, access) : product.data();
        add((const T*)&sums[r * sums_stride], (const T*)p.interface_bias, m.programs.product_size, sum);
        if (m.programs.count) m.programs.forward(sum, p.program_keys, scratch.data(), to);
        memory.step(r, row, access, to, &reads[r * m.read_size]);
    }
};
