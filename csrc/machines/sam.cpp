// Sparse machine: whole sequences of a Sparse Access Memory, with or without links, forwards and backwards.
//
// sparse_memory.hpp has its memory; machine.hpp has the rest.
#include "machines/sam.hpp"

#include "machine/passes.hpp"
#include "parts/sparse_memory_backward.hpp"
#include "parts/sparse_memory_forward.hpp"

extern "C" {

int64_t memtape_sparse_kept_float32(const memtape_sparse_sizes* sizes) {
    return kept_numbers<SparseMemory<float>>(sizes);
}
int64_t memtape_sparse_kept_float64(const memtape_sparse_sizes* sizes) {
    return kept_numbers<SparseMemory<double>>(sizes);
}

int memtape_sparse_forward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept) {
    return forward<SparseMemory<float>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_sparse_forward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept) {
    return forward<SparseMemory<double>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_sparse_backward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first) {
    return backward<SparseMemory<float>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}

int memtape_sparse_backward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first) {
    return backward<SparseMemory<double>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}
}
