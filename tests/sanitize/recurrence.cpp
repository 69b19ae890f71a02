// The recurrent layers of csrc/ over odd sizes; see driver.cpp.
#include "recurrence/recurrence.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "buffer.hpp"
#include "failure.hpp"

namespace {

struct Case {
    memtape_recurrence_sizes sizes;
    bool gain, bias, peepholes, leak, keep, some_gradients_missing;
    std::string name;

    bool lstm() const { return sizes.kind == 0; }
    bool output() const { return sizes.kind == 4; }
    int64_t fed() const { return output() ? sizes.outputs : sizes.hidden; }
    int64_t gates() const { return (lstm() ? 4 : sizes.kind == 1 || sizes.kind == 3 ? 3 : 1) * sizes.hidden; }
    int64_t kept_gates() const { return gates() + (sizes.kind == 1 ? sizes.hidden : output() ? sizes.outputs : 0); }
    int64_t parts() const { return sizes.kind == 1 || sizes.kind == 3 ? 2 : 1; }
    int64_t steps() const { return sizes.batch * sizes.time; }
};

// Buffers for all parts of a layer, and null pointers for absent parts.
template <typename T>
struct Parameters {
    Buffer<T> weight, gain, bias, peepholes, cell_gain, cell_bias, leak, output_weight, output_bias;

    Parameters(const Case& one, double size)
        : weight(one.gates() * one.fed(), size), gain(one.gain ? one.gates() : 0, size),
          bias(one.bias ? one.gates() : 0, size), peepholes(one.peepholes ? 3 * one.sizes.hidden : 0, size),
          cell_gain(one.gain && one.lstm() ? one.sizes.hidden : 0, size), cell_bias(cell_gain.count, size),
          leak(one.leak ? one.sizes.hidden : 0, size),
          output_weight(one.output() ? one.sizes.outputs * one.sizes.hidden : 0, size),
          output_bias(one.output() ? one.sizes.outputs : 0, size) {}
    memtape_recurrence_parameters pointers() const {
        return {at(weight),    at(gain), at(bias),          at(peepholes),  at(cell_gain),
                at(cell_bias), at(leak), at(output_weight), at(output_bias)};
    }
    bool finite() const {
        return weight.finite() && gain.finite() && bias.finite() && peepholes.finite() && cell_gain.finite() &&
               cell_bias.finite() && leak.finite() && output_weight.finite() && output_bias.finite();
    }

  private:
    static void* at(const Buffer<T>& buffer) { return buffer.count ? buffer.data() : nullptr; }
};

template <typename T>
struct State {
    Buffer<T> fed, cell;

    State(const Case& one, double size)
        : fed(one.sizes.batch * one.fed(), size), cell(one.lstm() ? one.sizes.batch * one.sizes.hidden : 0, size) {}
    memtape_recurrence_state pointers() const { return {fed.data(), cell.count ? cell.data() : nullptr}; }
    bool finite() const { return fed.finite() && cell.finite(); }
    bool same(const State& other) const { return fed.same(other.fed) && cell.same(other.cell); }
};

template <typename T>
struct Kept {
    Buffer<T> cells, gates, normals, scales;

    explicit Kept(const Case& one)
        : cells(one.lstm() ? one.steps() * one.sizes.hidden : 0), gates(one.steps() * one.kept_gates()),
          normals(one.gain ? one.steps() * one.gates() : 0), scales(one.gain ? one.steps() * one.parts() : 0) {}
    memtape_recurrence_kept pointers() const { return {cells.data(), gates.data(), normals.data(), scales.data()}; }
};

template <typename T>
void run(Case one) {
    constexpr bool single = std::is_same_v<T, float>;
    auto forward = [](auto... arguments) {
        if constexpr (single)
            return memtape_recurrence_forward_float32(arguments...);
        else
            return memtape_recurrence_forward_float64(arguments...);
    };
    auto backward = [](auto... arguments) {
        if constexpr (single)
            return memtape_recurrence_backward_float32(arguments...);
        else
            return memtape_recurrence_backward_float64(arguments...);
    };
    const int64_t threads = one.sizes.threads;
    std::unique_ptr<int64_t[]> lengths;
    if (one.sizes.lengths) {
        lengths.reset(new int64_t[one.sizes.batch]);
        for (int64_t row = 0; row < one.sizes.batch; ++row) lengths[row] = row ? random_below(one.sizes.time + 1) : 0;
        one.sizes.lengths = lengths.get();
    }
    const Parameters<T> parameters(one, 0.5);
    const State<T> first(one, 0.5);
    const Buffer<T> given(one.steps() * one.gates(), 1.0);
    const auto own = parameters.pointers();
    const auto begin = first.pointers();

    auto ahead = [&](const Buffer<T>& ys, const State<T>& last, const memtape_recurrence_kept* kept, int64_t threads) {
        const auto end = last.pointers();
        one.sizes.threads = threads;
        if (forward(&one.sizes, &own, (const void*)given.data(), &begin, (void*)ys.data(), &end, kept))
            fail(one, "memory ran out in the forward pass");
        if (!ys.finite()) fail(one, "an output is not finite");
        if (!last.finite()) fail(one, "the last state is not finite");
    };
    const memtape_recurrence_kept* const nothing = nullptr;
    const Buffer<T> ys(one.steps() * one.fed());
    const State<T> last(one, NAN);
    if (!one.keep) return ahead(ys, last, nothing, threads);
    const Kept<T> kept(one);
    const auto all = kept.pointers();
    ahead(ys, last, &all, threads);

    const Buffer<T> other_ys(ys.count);
    const State<T> other_last(one, NAN);
    ahead(other_ys, other_last, nothing, 1);
    if (!ys.same(other_ys) || !last.same(other_last)) fail(one, "threads or saving change a result");

    const Buffer<T> d_ys(ys.count, 1.0);
    const State<T> d_last(one, 1.0);
    auto d_end = d_last.pointers();
    if (one.some_gradients_missing) d_end.fed = d_end.cell = nullptr;
    auto back = [&](const Parameters<T>& d_parameters, const Buffer<T>& d_given, const State<T>& d_first,
                    int64_t threads) {
        const auto d_own = d_parameters.pointers();
        const auto d_begin = d_first.pointers();
        one.sizes.threads = threads;
        if (backward(&one.sizes, &own, &begin, (const void*)ys.data(), &all,
                     (const void*)(one.some_gradients_missing ? nullptr : d_ys.data()), &d_end, (void*)d_given.data(),
                     &d_own, &d_begin))
            fail(one, "memory ran out in the backward pass");
        if (!d_parameters.finite()) fail(one, "a gradient of the parameters is not finite");
        if (!d_given.finite()) fail(one, "a gradient of what the inputs add is not finite");
        if (!d_first.finite()) fail(one, "a gradient of the first state is not finite");
    };
    const Parameters<T> d_parameters(one, NAN), other_d_parameters(one, NAN);
    const Buffer<T> d_given(given.count), other_d_given(given.count);
    const State<T> d_first(one, NAN), other_d_first(one, NAN);
    back(d_parameters, d_given, d_first, threads);
    back(other_d_parameters, other_d_given, other_d_first, 1);
    if (!d_given.same(other_d_given)) fail(one, "threads change a gradient of what the inputs add");
    if (!d_first.same(other_d_first)) fail(one, "threads change a gradient of the first state");
}

}  // namespace

// One recurrent layer of random sizes, of each dtype.
void run_recurrence(int64_t number) {
    memtape_recurrence_sizes s = {};
    s.kind = number % 5;
    s.batch = pick({0, 1, 2, 3, 5, 8, 9, 17});
    s.time = pick({1, 2, 15, 16, 17, 33});
    s.hidden = pick({1, 3, 7, 16, 33, 49});
    s.outputs = s.kind == 4 ? pick({1, 3, 17, 33}) : 0;
    s.activation = pick({0, 1, 2});
    s.feedback = pick({0, 1, 2, 3});
    s.threads = pick({1, 2, 5});
    s.epsilon = 1e-5;
    static const int64_t wanted = 0;
    s.lengths = pick({0, 1}) ? &wanted : nullptr;
    if (s.kind < 2 || s.kind == 3) s.activation = pick({0, 1});
    Case one{s,
             pick({0, 1}) != 0,
             pick({0, 1}) != 0,
             s.kind == 0 && pick({0, 1}),
             s.kind == 2 && pick({0, 1}),
             pick({0, 1, 1}) != 0,
             pick({0, 0, 1}) != 0,
             ""};
    char name[300];
    std::snprintf(name, sizeof name,
                  "layer %ld: kind %ld batch %ld time %ld hidden %ld outputs %ld activation %ld feedback %ld threads "
                  "%ld lengths %d gain %d bias %d peepholes %d leak %d keep %d some missing %d",
                  long(number), long(s.kind), long(s.batch), long(s.time), long(s.hidden), long(s.outputs),
                  long(s.activation), long(s.feedback), long(s.threads), s.lengths != nullptr, one.gain, one.bias,
                  one.peepholes, one.leak, one.keep, one.some_gradients_missing);
    one.name = name;
    if (std::getenv("MEMTAPE_DRIVER_VERBOSE")) std::fprintf(stderr, "%s\n", name);
    run<float>(one);
    run<double>(one);
}
