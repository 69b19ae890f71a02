// Backward pass of a machine.
#pragma once

#include "machine/engine.hpp"

// The gradients of all parameters, summed by one thread.
template <typename Memory>
struct ParameterGradients {
    using T = typename Memory::Number;

    std::vector<MatrixGradient<T>> layers;
    MatrixGradient<T> interface, output;
    Array<T> program_keys;
    AttentionGradients<T> attention;

    explicit ParameterGradients(const Machine<Memory>& m)
        : interface(m.programs.product_size, m.shown), output(m.outputs, m.shown + m.read_size),
          program_keys(m.programs.keys_size()), attention(m.cache.units, m.hidden, m.read_size) {
        for (int64_t layer = 0; layer < m.layers; ++layer) layers.emplace_back(m.gates, m.fed(layer) + m.own);
    }

    void add(const ParameterGradients& other) {
        for (size_t layer = 0; layer < layers.size(); ++layer) layers[layer].add(other.layers[layer]);
        interface.add(other.interface);
        output.add(other.output);
        for (size_t i = 0; i < program_keys.size(); ++i) program_keys[i] += other.program_keys[i];
        attention.add(other.attention);
    }

    void give(const Machine<Memory>& m, const Parameters<T>& d) const {
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            layers[layer].give(0, m.fed(layer), d.fed_weight(m, layer));
            if (m.own) layers[layer].give(m.fed(layer), m.hidden, d.own_weight(m, layer));
            layers[layer].give_bias(d.biases + layer * m.gates);
        }
        interface.give(0, m.shown, d.interface_weight);
        interface.give_bias(d.interface_bias);
        copy(program_keys.data(), m.programs.keys_size(), d.program_keys);
        attention.cached.give(0, m.hidden, d.attention_cached);
        attention.now.give(0, m.hidden + m.read_size, d.attention_now);
        copy(attention.score.data(), m.cache.units, d.attention_score);
        output.give(0, m.shown + m.read_size, d.output_weight);
        output.give_bias(d.output_bias);
    }
};

// The rows that one thread computes together, in the backward pass.
template <typename Memory>
class Backward {
  public:
    using T = typename Memory::Number;

    Backward(const Machine<Memory>& m, const Matrices<Memory>& matrices, const AttentionMatrices<T>& attended,
             const T* program_keys, const T* xs, const Kept<Memory>& kept, const T* d_ys, const State<Memory>& d_last,
             ParameterGradients<Memory>& d_parameters, T* d_xs, const State<Memory>& d_first,
             typename Memory::Backward memory, int64_t together)
        : m(m), matrices(matrices), program_keys(program_keys), xs(xs), kept(kept), d_ys(d_ys), d_last(d_last),
          d_parameters(d_parameters), d_xs(d_xs), d_first(d_first), together(together), memory(std::move(memory)),
          d_reads(together * m.read_size),
          d_hidden(m.layers * together * m.hidden), d_cell(m.layers * together * m.hidden),
          d_straight(m.layers * together * m.hidden), sums_stride(matrices.widest()), sums(together * sums_stride),
          d_outputs(m.stretch * together * m.outputs), d_seen_stride(matrices.output.padded_outputs()),
          d_seen(m.stretch * together * d_seen_stride), d_product(m.stretch * together * m.programs.product_size),
          d_mixed(m.programs.count ? m.interface_size : 0), scratch(m.programs.scratch()),
          gates_stride(apart<T>(m.gates)), d_gates(m.layers * m.stretch * together * gates_stride),
          piece(std::min(m.stretch, std::max<int64_t>(1, DEPTH / together))),
          seen_stride(whole_panels<T>(m.shown + m.read_size)),
          inputs_stride(whole_panels<T>(m.inputs + m.read_size + m.hidden + m.own)),
          rows_seen(piece * together * seen_stride), rows_in(piece * together * inputs_stride),
          d_inputs(d_xs ? m.stretch * together * matrices.input[0].padded_outputs() : 0),
          attention(attended, m.cache.size), cached(m.cache.size * attention.stride), cached_in(m.cache.size),
          d_cache(together * m.cache.size * m.hidden) {}

    void run(const int64_t* rows, int64_t count) {
        for (int64_t r = 0; r < count; ++r) begin(r, rows[r]);
        for (int64_t start = (m.length(rows[0]) - 1) / m.stretch * m.stretch; start >= 0 && m.length(rows[0]);
             start -= m.stretch) {
            const int64_t steps = std::min(m.stretch, m.length(rows[0]) - start);
            int64_t within = 0;
            while (within < count && m.length(rows[within]) > start) ++within;
            outputs_backward(rows, within, start, steps);
            int64_t alive = 0;
            for (int64_t k = steps - 1; k >= 0; --k) {
                while (alive < within && m.length(rows[alive]) > start + k) ++alive;
                clear_gates(alive, k);
                step(rows, alive, start + k, k);
            }
            for (int64_t k = 0; k < steps; k += piece)
                gather_parameters(rows, within, start, k, std::min(piece, steps - k));
            for (int64_t layer = 0; d_xs && layer < m.seeing; ++layer) give_inputs(layer, rows, within, start, steps);
        }
        for (int64_t r = 0; r < count; ++r) end(r, rows[r]);
    }

  private:
    const Machine<Memory>& m;
    const Matrices<Memory>& matrices;
    const T *const program_keys, *const xs;
    const Kept<Memory>& kept;
    const T* const d_ys;
    const State<Memory>& d_last;
    ParameterGradients<Memory>& d_parameters;
    T* const d_xs;
    const State<Memory>& d_first;
    const int64_t together;
    typename Memory::Backward memory;
    Array<T> d_reads, d_hidden, d_cell, d_straight;
    const int64_t sums_stride;
    Array<T> sums, d_outputs;
    const int64_t d_seen_stride;
    Array<T> d_seen, d_product, d_mixed, scratch;
    const int64_t gates_stride;
    Array<T> d_gates;
    const int64_t piece;  // steps whose gradients of parameters are summed at once
    const int64_t seen_stride, inputs_stride;
    Array<T> rows_seen, rows_in, d_inputs;
    Attention<T> attention;
    Array<T> cached;
    std::vector<int64_t> cached_in;
    Array<T> d_cache;

    T* own_hidden(int64_t layer, int64_t r) { return &d_hidden[(layer * together + r) * m.hidden]; }
    T* own_cell(int64_t layer, int64_t r) { return &d_cell[(layer * together + r) * m.hidden]; }
    T* own_straight(int64_t layer, int64_t r) { return &d_straight[(layer * together + r) * m.hidden]; }
    T* own_gates(int64_t layer, int64_t k, int64_t r) {
        return &d_gates[((layer * m.stretch + k) * together + r) * gates_stride];
    }
    T* own_cache(int64_t r) { return d_cache.data() + r * m.cache.size * m.hidden; }
    T* own_product(int64_t k, int64_t r) { return &d_product[(k * together + r) * m.programs.product_size]; }

    void begin(int64_t r, int64_t row) {
        memory.begin(r, row);
        d_last.take_reads(row, &d_reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            d_last.take_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        d_last.take_cache(row, m.hidden, own_cache(r));
        const int64_t done = m.length(row);
        if (d_xs) clear(d_xs + (row * m.time + done) * m.inputs, (m.time - done) * m.inputs);
    }

    void end(int64_t r, int64_t row) {
        memory.end(r, row);
        d_first.give_reads(row, &d_reads[r * m.read_size]);
        for (int64_t layer = 0; layer < m.layers; ++layer)
            d_first.give_layer(layer, row, own_hidden(layer, r), own_cell(layer, r));
        d_first.give_cache(row, m.hidden, own_cache(r));
    }

    // The gradients of the inputs of the output layer in a stretch. Rows that have ended get zeros, here and in all
    // sums.
    void outputs_backward(const int64_t* rows, int64_t within, int64_t start, int64_t steps) {
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < together; ++r) {
                T* to = &d_outputs[(k * together + r) * m.outputs];
                if (d_ys && r < within && m.length(rows[r]) > start + k)
                    copy(d_ys + (rows[r] * m.time + start + k) * m.outputs, m.outputs, to);
                else
                    clear(to, m.outputs);
            }
        matrices.output.multiply(steps * together, d_outputs.data(), m.outputs, d_seen.data(), d_seen_stride);
        clear(d_product.data(), steps * together * m.programs.product_size);
    }

    // Clear the gradients of the gates of rows that have no such step.
    void clear_gates(int64_t alive, int64_t k) {
        for (int64_t layer = 0; layer < m.layers; ++layer)
            clear(own_gates(layer, k, alive), (together - alive) * gates_stride);
    }

    void step(const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        for (int64_t r = 0; r < alive; ++r) {
            const T* d_shown = &d_seen[(k * together + r) * d_seen_stride];
            T* own_reads = &d_reads[r * m.read_size];
            add_to_layers(d_shown, r);
            gather(d_shown + m.shown, m.read_size, own_reads);
            if (!m.accesses.at(rows[r], t)) continue;
            memory_backward(r, rows[r], m.accesses.before(rows[r], t), own_product(k, r));
            clear(own_reads, m.read_size);
        }
        if (m.accesses.any(rows, alive, t)) {
            matrices.interface.multiply(alive, own_product(k, 0), m.programs.product_size, sums.data(), sums_stride);
            for (int64_t r = 0; r < alive; ++r) add_to_layers(&sums[r * sums_stride], r);
        }
        for (int64_t layer = m.layers - 1; layer >= 0; --layer) layer_backward(layer, rows, alive, t, k);
        for (int64_t r = 0; r < alive; ++r) cache_backward(r, rows[r], t);
    }

    // The step of the memory; `d_own` are zeros and become the gradients of the interface's product.
    void memory_backward(int64_t r, int64_t row, int64_t access, T* d_own) {
        T* d_vector = m.programs.count ? d_mixed.data() : d_own;
        if (m.programs.count) clear(d_vector, m.interface_size);
        memory.step(r, row, access, kept.interface_vector(row, access), &d_reads[r * m.read_size], d_vector);
        if (m.programs.count)
            m.programs.backward(kept.product(row, access), program_keys, d_vector, scratch.data(), d_own,
                                d_parameters.program_keys.data());
    }

    // Add the gradients of a controller's output to those of its layers.
    void add_to_layers(const T* d_shown, int64_t r) {
        for (int64_t layer = m.first_shown; layer < m.layers; ++layer)
            gather(d_shown + (layer - m.first_shown) * m.hidden, m.hidden, own_hidden(layer, r));
    }

    void layer_backward(int64_t layer, const int64_t* rows, int64_t alive, int64_t t, int64_t k) {
        for (int64_t r = 0; r < alive; ++r) {
            const T* gates = kept.gates(layer, rows[r], t);
            const T* d_own = own_hidden(layer, r);
            T* d_own_gates = own_gates(layer, k, r);
            switch (m.controller) {
                case Controller::lstm:
                    lstm_backward<T>(m.hidden, gates, kept.cell(layer, rows[r], t), d_own, own_cell(layer, r),
                                     d_own_gates);
                    break;
                case Controller::gru:
                    gru_backward<T>(m.hidden, gates, kept.before(layer, rows[r], t), d_own, own_straight(layer, r),
                                    d_own_gates, d_own_gates + 3 * m.hidden);
                    break;
                default: plain_backward<T>(m.hidden, gates, d_own, d_own_gates, m.activation);
            }
        }
        matrices.recurrent[layer].multiply(alive, own_gates(layer, k, 0), gates_stride, sums.data(), sums_stride,
                                           t % 2);
        for (int64_t r = 0; r < alive; ++r) {
            const T* from = &sums[r * sums_stride];
            gather(from, m.reads_of(layer), &d_reads[r * m.read_size]);
            from += m.reads_of(layer);
            if (layer) gather(from, m.hidden, own_hidden(layer - 1, r));
            copy((const T*)own_straight(layer, r), m.hidden, own_hidden(layer, r));
            gather(from + m.below(layer), m.own, own_hidden(layer, r));
        }
    }

    void cache_backward(int64_t r, int64_t row, int64_t t) {
        const int64_t place = m.cache.place(row, t);
        if (place < 0) return;
        T* d_own = own_hidden(0, r);
        if (m.cache.attends(row, t)) {
            m.cache.find_steps(row, t, cached_in.data());
            for (int64_t j = 0; j < m.cache.size; ++j) {
                const T* from = cached_in[j] < 0 ? kept.cache(row) + j * m.hidden : kept.hidden(0, row, cached_in[j]);
                copy(from, m.hidden, &cached[j * attention.stride]);
            }
            attention.backward(kept.hidden(0, row, t), kept.reads(row, t), cached.data(), d_own,
                               &d_reads[r * m.read_size], own_cache(r), d_parameters.attention);
        }
        T* d_stored = own_cache(r) + place * m.hidden;
        gather((const T*)d_stored, m.hidden, d_own);
        clear(d_stored, m.hidden);
    }

    // The products of some steps of a stretch, from step `first` on, while its numbers are in the cache.
    void gather_parameters(const int64_t* rows, int64_t within, int64_t start, int64_t first, int64_t steps) {
        const int64_t count = steps * together;
        auto for_alive = [&](Array<T>& to, int64_t stride, auto body) {
            for (int64_t k = 0; k < steps; ++k)
                for (int64_t r = 0; r < together; ++r) {
                    T* own = &to[(k * together + r) * stride];
                    if (r < within && m.length(rows[r]) > start + first + k)
                        body(own, rows[r], start + first + k);
                    else
                        clear(own, stride);
                }
        };
        for_alive(rows_seen, seen_stride, [&](T* own, int64_t row, int64_t t) {
            for (int64_t layer = m.first_shown; layer < m.layers; ++layer)
                own = copy((const T*)kept.hidden(layer, row, t + 1), m.hidden, own);
            copy((const T*)kept.reads(row, t + 1), m.read_size, own);
        });
        d_parameters.output.add(count, &d_outputs[first * together * m.outputs], m.outputs, rows_seen.data(),
                                seen_stride);
        d_parameters.interface.add(count, own_product(first, 0), m.programs.product_size, rows_seen.data(),
                                   seen_stride);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            for_alive(rows_in, inputs_stride, [&](T* own, int64_t row, int64_t t) {
                own = copy(xs + (row * m.time + t) * m.inputs, m.inputs_of(layer), own);
                own = copy((const T*)kept.reads(row, t), m.reads_of(layer), own);
                if (layer) own = copy((const T*)kept.hidden(layer - 1, row, t + 1), m.hidden, own);
                copy((const T*)kept.before(layer, row, t), m.own, own);
            });
            d_parameters.layers[layer].add(count, own_gates(layer, first, 0), gates_stride, rows_in.data(),
                                           inputs_stride);
        }
    }

    void give_inputs(int64_t layer, const int64_t* rows, int64_t within, int64_t start, int64_t steps) {
        const int64_t stride = matrices.input[layer].padded_outputs();
        matrices.input[layer].multiply(steps * together, own_gates(layer, 0, 0), gates_stride, d_inputs.data(), stride);
        for (int64_t k = 0; k < steps; ++k)
            for (int64_t r = 0; r < within && m.length(rows[r]) > start + k; ++r) {
                const T* from = &d_inputs[(k * together + r) * stride];
                T* to = d_xs + (rows[r] * m.time + start + k) * m.inputs;
                if (layer)
                    gather(from, m.inputs, to);
                else
                    copy(from, m.inputs, to);
            }
    }
};
