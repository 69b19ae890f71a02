// Passes of a machine: distribute the rows of a batch over threads, and define the C interface.
#pragma once

#include <memory>

#include "base/denormals.hpp"
#include "machine/backward.hpp"
#include "machine/forward.hpp"

constexpr int64_t TOGETHER_BYTES = 1 << 20;     // of the L2 cache
constexpr int64_t MOST_OF_LARGE_MATRICES = 32;  // rows that a thread computes together if the cache is smaller

// How many rows a thread computes together. Their memories fit into the cache; matrices that do not fit are read from
// beyond the cache in every step, for all its rows at once.
template <typename Memory>
int64_t rows_together(const Machine<Memory>& m, int64_t bytes_of_a_row) {
    int64_t numbers = m.programs.product_size * m.shown;
    for (int64_t layer = 0; layer < m.layers; ++layer) numbers += m.gates * m.recurrent(layer);
    const bool large = numbers * int64_t(sizeof(typename Memory::Number)) > TOGETHER_BYTES;
    return m.rows.together(TOGETHER_BYTES / bytes_of_a_row, large ? MOST_OF_LARGE_MATRICES : MOST_TOGETHER);
}

template <typename Memory>
int64_t kept_numbers(const typename Memory::Sizes* sizes) {
    int64_t count = 0;
    const int failed = unless_out_of_memory([&] {
        const Memory memory(*sizes);
        const Machine<Memory> m(sizes->machine, memory);
        count = Kept<Memory>(m, nullptr).size;
    });
    return failed ? -1 : count;
}

template <typename Memory>
int forward(const typename Memory::Sizes* sizes, const memtape_machine_parameters* parameters, const void* xs,
            const typename Memory::State* first, void* ys, const typename Memory::State* last, void* block) {
    using T = typename Memory::Number;
    return unless_out_of_memory([&] {
        const Memory memory(*sizes);
        const Machine<Memory> m(sizes->machine, memory);
        const Parameters<T> p(*parameters);
        const auto matrices = Matrices<Memory>::forward(m, p);
        const AttentionMatrices<T> attended(m.cache.units, m.hidden, m.read_size, p.attention_cached, p.attention_now,
                                            p.attention_score);
        const State<Memory> before(m, first->machine), after(m, last->machine);
        const Kept<Memory> kept(m, (T*)block);
        const int64_t together = rows_together(m, memory.forward_bytes());
        m.rows.share([&](int64_t, const std::vector<int64_t>& rows) {
            const WithoutDenormals guard;
            Forward<Memory> pass(m, p, matrices, attended, (const T*)xs, before, (T*)ys, after, kept,
                                 typename Memory::Forward(memory, *first, *last, kept.memory(), together), together);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
    });
}

template <typename Memory>
int backward(const typename Memory::Sizes* sizes, const memtape_machine_parameters* parameters, const void* xs,
             const void* block, const void* d_ys, const typename Memory::State* d_last,
             const memtape_machine_parameters* d_parameters, void* d_xs, const typename Memory::State* d_first) {
    using T = typename Memory::Number;
    return unless_out_of_memory([&] {
        const Memory memory(*sizes);
        const Machine<Memory> m(sizes->machine, memory);
        const Parameters<T> p(*parameters);
        const auto matrices = Matrices<Memory>::backward(m, p);
        const AttentionMatrices<T> attended(m.cache.units, m.hidden, m.read_size, p.attention_cached, p.attention_now,
                                            p.attention_score);
        const State<Memory> d_after(m, d_last->machine), d_before(m, d_first->machine);
        const Kept<Memory> kept(m, (T*)block);
        const int64_t together = rows_together(m, memory.backward_bytes());
        std::vector<std::unique_ptr<ParameterGradients<Memory>>> sums(m.rows.threads());
        m.rows.share([&](int64_t number, const std::vector<int64_t>& rows) {
            const WithoutDenormals guard;
            sums[number] = std::make_unique<ParameterGradients<Memory>>(m);
            Backward<Memory> pass(m, matrices, attended, p.program_keys, (const T*)xs, kept, (const T*)d_ys, d_after,
                                  *sums[number], (T*)d_xs, d_before,
                                  typename Memory::Backward(memory, *d_last, *d_first, kept.memory(), together),
                                  together);
            for (size_t i = 0; i < rows.size(); i += together)
                pass.run(&rows[i], std::min<int64_t>(together, rows.size() - i));
        });
        for (size_t number = 1; number < sums.size(); ++number) sums[0]->add(*sums[number]);
        sums[0]->give(m, Parameters<T>(*d_parameters));
    });
}
