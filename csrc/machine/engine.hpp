// Engine: run a machine, a controller with a memory, over whole sequences.
//
// A memory defines the size of the read vectors, its interface vector, and a class for each pass, which computes one
// step of one row of the batch; machines/ntm.cpp is an example. This file defines the rest: the parameters, the state
// of the controller, and the data saved for the backward pass.
#pragma once

#include <vector>

#include "base/matrix.hpp"
#include "base/rows.hpp"
#include "machine/abi.hpp"
#include "machine/accesses.hpp"
#include "machine/cache.hpp"
#include "machine/controller.hpp"
#include "machine/programs.hpp"

// With few rows a stretch has more steps, so that its products are large enough.
inline int64_t steps_of_a_stretch(int64_t batch) { return batch >= 8 ? 8 : batch >= 4 ? 16 : 32; }

// A block of memory for many arrays, each aligned to a cache line.
class Sections {
  public:
    int64_t size = 0;

    int64_t section(int64_t numbers) {
        const int64_t at = size;
        size += (numbers + 15) / 16 * 16;
        return at;
    }
};

// The sizes of a machine, and derived sizes.
template <typename Memory>
class Machine {
  public:
    using T = typename Memory::Number;

    const Memory& memory;
    const Programs<T> programs;
    const Controller controller;
    const Activation activation;
    const int64_t batch, time, inputs, outputs, hidden, layers, read_size, interface_size, own, gates;
    const int64_t seeing;       // how many layers, from the first on, receive the inputs and the last reads
    const int64_t shown;        // size of the controller's output to the interface and the output layer
    const int64_t first_shown;  // the first layer in that output
    const int64_t stretch;      // steps of a stretch, more with few rows
    const Rows rows;
    const Accesses accesses;
    const Cache cache;

    Machine(const memtape_machine_sizes& sizes, const Memory& memory)
        : memory(memory), programs(sizes, memory.interface), controller(Controller(sizes.controller)),
          activation(Activation(sizes.activation)), batch(sizes.batch), time(sizes.time),
          inputs(sizes.inputs), outputs(sizes.outputs), hidden(sizes.hidden), layers(sizes.layers),
          read_size(memory.read_size), interface_size(memory.interface.size), own(sees_itself(controller) ? hidden : 0),
          gates(gates_of(controller) * hidden), seeing(sizes.shortcuts ? layers : 1),
          shown((sizes.shortcuts ? layers : 1) * hidden), first_shown(sizes.shortcuts ? 0 : layers - 1),
          stretch(steps_of_a_stretch(batch)), rows(sizes.batch, sizes.time, sizes.lengths, sizes.threads),
          accesses(sizes), cache(sizes, accesses) {}

    Machine(const Machine&) = delete;

    int64_t length(int64_t row) const { return rows.length(row); }

    // The inputs of a layer: inputs, reads, the layer below and its own hidden vector, in this order.
    int64_t inputs_of(int64_t layer) const { return layer < seeing ? inputs : 0; }
    int64_t reads_of(int64_t layer) const { return layer < seeing ? read_size : 0; }
    int64_t below(int64_t layer) const { return layer ? hidden : 0; }

    // All except its own, and all except the inputs, whose product is computed before the step.
    int64_t fed(int64_t layer) const { return inputs_of(layer) + reads_of(layer) + below(layer); }
    int64_t recurrent(int64_t layer) const { return reads_of(layer) + below(layer) + own; }
};

// The data saved for the backward pass, in one block of memory. States are those before each step and after the last.
template <typename Memory>
class Kept : public Sections {
  public:
    using T = typename Memory::Number;

    Kept(const Machine<Memory>& m, T* block) : m(m), block(block) {
        reads_at = section(m.batch * (m.time + 1) * m.read_size);
        hidden_at = section(m.layers * m.batch * (m.time + 1) * m.hidden);
        cell_at = section(m.controller == Controller::lstm ? m.layers * m.batch * (m.time + 1) * m.hidden : 0);
        received_at = section(m.cache.size ? m.batch * m.time * m.hidden : 0);
        cache_at = section(m.batch * m.cache.size * m.hidden);
        gates_at = section(m.layers * m.batch * m.time * m.gates);
        interface_at = section(m.batch * m.time * m.interface_size);
        product_at = section(m.programs.count ? m.batch * m.time * m.programs.product_size : 0);
        memory_at = section(m.memory.kept);
    }

    explicit operator bool() const { return block != nullptr; }

    T* reads(int64_t row, int64_t t) const { return block + reads_at + (row * (m.time + 1) + t) * m.read_size; }
    T* hidden(int64_t layer, int64_t row, int64_t t) const {
        return block + hidden_at + ((layer * m.batch + row) * (m.time + 1) + t) * m.hidden;
    }
    T* cell(int64_t layer, int64_t row, int64_t t) const {
        return block + cell_at + ((layer * m.batch + row) * (m.time + 1) + t) * m.hidden;
    }
    // The weighted sum of cached vectors that the first layer received in a step with attention.
    T* received(int64_t row, int64_t t) const { return block + received_at + (row * m.time + t) * m.hidden; }
    // The hidden vector with which a layer took a step.
    T* before(int64_t layer, int64_t row, int64_t t) const {
        return !layer && m.cache.attends(row, t) ? received(row, t) : hidden(layer, row, t);
    }
    // The initial cache.
    T* cache(int64_t row) const { return block + cache_at + row * m.cache.size * m.hidden; }
    T* gates(int64_t layer, int64_t row, int64_t t) const {
        return block + gates_at + ((layer * m.batch + row) * m.time + t) * m.gates;
    }
    // The interface vector of an access, by its number.
    T* interface_vector(int64_t row, int64_t access) const {
        return block + interface_at + (row * m.time + access) * m.interface_size;
    }
    // With programs, what their interface vector is mixed from.
    T* product(int64_t row, int64_t access) const {
        return block + product_at + (row * m.time + access) * m.programs.product_size;
    }
    T* memory() const { return block ? block + memory_at : nullptr; }

  private:
    const Machine<Memory>& m;
    T* const block;
    int64_t reads_at, hidden_at, cell_at, received_at, cache_at, gates_at, interface_at, product_at, memory_at;
};

// The parameters, as pointers of one type.
template <typename T>
struct Parameters {
    T *first_weight, *upper_weights, *own_weights, *biases, *interface_weight, *interface_bias, *program_keys,
        *attention_cached, *attention_now, *attention_score, *output_weight, *output_bias;

    explicit Parameters(const memtape_machine_parameters& p)
        : first_weight((T*)p.first_weight), upper_weights((T*)p.upper_weights), own_weights((T*)p.own_weights),
          biases((T*)p.biases), interface_weight((T*)p.interface_weight), interface_bias((T*)p.interface_bias),
          program_keys((T*)p.program_keys), attention_cached((T*)p.attention_cached),
          attention_now((T*)p.attention_now), attention_score((T*)p.attention_score),
          output_weight((T*)p.output_weight), output_bias((T*)p.output_bias) {}

    // The weights of a layer for all its inputs except its own hidden vector, and for that.
    template <typename Memory>
    T* fed_weight(const Machine<Memory>& m, int64_t layer) const {
        return layer ? upper_weights + (layer - 1) * m.gates * m.fed(layer) : first_weight;
    }
    template <typename Memory>
    T* own_weight(const Machine<Memory>& m, int64_t layer) const {
        return own_weights + layer * m.gates * m.hidden;
    }
};

// Copy numbers, or zeros from a null pointer.
template <typename T>
void take(const T* from, int64_t at, int64_t count, T* to) {
    if (from)
        copy(from + at, count, to);
    else
        clear(to, count);
}

// The same for a few arrays of numbers, each of which is padded with zeros to `padded`.
template <typename T>
void take_padded(const T* from, int64_t arrays, int64_t first, int64_t count, int64_t padded, T* to) {
    for (int64_t i = 0; i < arrays; ++i) {
        take(from, (first + i) * count, count, to + i * padded);
        clear(to + i * padded + count, padded - count);
    }
}

template <typename T>
void give_padded(const T* from, int64_t arrays, int64_t first, int64_t count, int64_t padded, T* to) {
    for (int64_t i = 0; i < arrays; ++i) copy(from + i * padded, count, to + (first + i) * count);
}

// The state without the memory.
template <typename Memory>
class State {
  public:
    using T = typename Memory::Number;

    State(const Machine<Memory>& m, const memtape_machine_state& s)
        : m(m), reads((T*)s.reads), hidden((T*)s.hidden), cell((T*)s.cell), cache((T*)s.cache) {}

    void take_reads(int64_t row, T* own_reads) const { take(reads, row * m.read_size, m.read_size, own_reads); }

    void take_layer(int64_t layer, int64_t row, T* own_hidden, T* own_cell) const {
        take(hidden, (layer * m.batch + row) * m.hidden, m.hidden, own_hidden);
        if (m.controller == Controller::lstm) take(cell, (layer * m.batch + row) * m.hidden, m.hidden, own_cell);
    }

    // Cached vectors lie `stride` numbers apart.
    void take_cache(int64_t row, int64_t stride, T* own_cache) const {
        for (int64_t j = 0; j < m.cache.size; ++j)
            take(cache, (row * m.cache.size + j) * m.hidden, m.hidden, own_cache + j * stride);
    }

    void give_reads(int64_t row, const T* own_reads) const { copy(own_reads, m.read_size, reads + row * m.read_size); }

    void give_layer(int64_t layer, int64_t row, const T* own_hidden, const T* own_cell) const {
        copy(own_hidden, m.hidden, hidden + (layer * m.batch + row) * m.hidden);
        if (m.controller == Controller::lstm) copy(own_cell, m.hidden, cell + (layer * m.batch + row) * m.hidden);
    }

    void give_cache(int64_t row, int64_t stride, const T* own_cache) const {
        give_padded(own_cache, m.cache.size, row * m.cache.size, m.hidden, stride, cache);
    }

  private:
    const Machine<Memory>& m;
    T *reads, *hidden, *cell, *cache;
};

// The weight matrices for the forward pass or, transposed, for the backward pass.
template <typename Memory>
struct Matrices {
    using T = typename Memory::Number;

    std::vector<Packed<T>> input, recurrent;  // of each layer that receives the inputs, and of each layer
    Packed<T> interface, output;

    static Matrices forward(const Machine<Memory>& m, const Parameters<T>& p) {
        Matrices all{{}, {}, Packed<T>(m.shown, m.programs.product_size), Packed<T>(m.shown + m.read_size, m.outputs)};
        all.interface.place(0, m.shown, 1, 0, m.programs.product_size, m.shown, p.interface_weight);
        all.output.place(0, m.shown + m.read_size, 1, 0, m.outputs, m.shown + m.read_size, p.output_weight);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t inputs = m.inputs_of(layer), fed = m.fed(layer);
            const T* weight = p.fed_weight(m, layer);
            if (inputs) {
                all.input.emplace_back(inputs, m.gates);
                all.input.back().place(0, inputs, 1, 0, m.gates, fed, weight);
            }
            all.recurrent.emplace_back(m.recurrent(layer), m.gates);
            all.recurrent.back().place(0, fed - inputs, 1, 0, m.gates, fed, weight + inputs);
            if (m.own)
                all.recurrent.back().place(fed - inputs, m.hidden, 1, 0, m.gates, m.hidden, p.own_weight(m, layer));
        }
        return all;
    }

    static Matrices backward(const Machine<Memory>& m, const Parameters<T>& p) {
        Matrices all{{}, {}, Packed<T>(m.programs.product_size, m.shown), Packed<T>(m.outputs, m.shown + m.read_size)};
        all.interface.place(0, m.programs.product_size, m.shown, 0, m.shown, 1, p.interface_weight);
        all.output.place(0, m.outputs, m.shown + m.read_size, 0, m.shown + m.read_size, 1, p.output_weight);
        for (int64_t layer = 0; layer < m.layers; ++layer) {
            const int64_t inputs = m.inputs_of(layer), fed = m.fed(layer);
            const T* weight = p.fed_weight(m, layer);
            if (inputs) {
                all.input.emplace_back(m.gates, inputs);
                all.input.back().place(0, m.gates, fed, 0, inputs, 1, weight);
            }
            all.recurrent.emplace_back(m.gates, m.recurrent(layer));
            all.recurrent.back().place(0, m.gates, fed, 0, fed - inputs, 1, weight + inputs);
            if (m.own)
                all.recurrent.back().place(0, m.gates, m.hidden, fed - inputs, m.hidden, 1, p.own_weight(m, layer));
        }
        return all;
    }

    // The largest size of a result of a product.
    int64_t widest() const {
        int64_t most = interface.padded_outputs();
        for (auto& matrix : recurrent) most = std::max(most, matrix.padded_outputs());
        return most;
    }
};
