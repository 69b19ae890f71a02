// Differentiable Neural Computer: whole sequences, forwards and backwards.
#include "machines/dnc.hpp"

#include "machine/passes.hpp"
#include "parts/slots_backward.hpp"
#include "parts/slots_forward.hpp"

extern "C" {

int64_t memtape_dnc_kept_float32(const memtape_dnc_sizes* sizes) { return kept_numbers<Slots<float>>(sizes); }
int64_t memtape_dnc_kept_float64(const memtape_dnc_sizes* sizes) { return kept_numbers<Slots<double>>(sizes); }

int memtape_dnc_forward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept) {
    return forward<Slots<float>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_dnc_forward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept) {
    return forward<Slots<double>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_dnc_backward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first) {
    return backward<Slots<float>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}

int memtape_dnc_backward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first) {
    return backward<Slots<double>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}
}
