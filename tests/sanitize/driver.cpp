// Driver: calls the kernels of csrc/ over odd sizes, with every buffer on the heap and exactly as large as the headers
// say, so that a sanitizer sees each step over an end. It prints nothing unless something is wrong, and a count at the
// end. Here are the Turing machines; recurrence.cpp has the recurrent layers.
//
// Two arguments: the level of the x86-64 architecture that it was built for, without which it refuses to run (code 77),
// and how many of each to run. With MEMTAPE_DRIVER_SAYS set it names each before it runs.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "../../csrc/turing_machine.h"
#include "buffer.hpp"

extern "C" int64_t memtape_x86_64_level(void);

void run_recurrence(int64_t number);

namespace {

struct Case {
    memtape_turing_sizes sizes;
    bool keep, some_gradients_missing;
    std::string name;
};

template <typename T>
struct Parameters {
    Buffer<T> first_weight, upper_weights, own_weights, biases, interface_weight, interface_bias, output_weight,
        output_bias;

    static int64_t gates(const memtape_turing_sizes& s) { return (s.machine.controller < 2 ? 4 : 1) * s.machine.hidden; }
    static int64_t raw(const memtape_turing_sizes& s) {
        const int64_t heads = s.reads + s.writes;
        return heads * (s.width + 1 + (s.location ? 2 + 2 * s.reach + 1 : 0)) + 2 * s.writes * s.width;
    }
    Parameters(const memtape_turing_sizes& s, double size)
        : first_weight(gates(s) * (s.machine.inputs + s.reads * s.width), size),
          upper_weights((s.machine.layers - 1) * gates(s) * s.machine.hidden, size),
          own_weights(s.machine.controller == 3 ? 0 : s.machine.layers * gates(s) * s.machine.hidden, size), biases(s.machine.layers * gates(s), size),
          interface_weight(raw(s) * s.machine.hidden, size), interface_bias(raw(s), size),
          output_weight(s.machine.outputs * (s.machine.hidden + s.reads * s.width), size), output_bias(s.machine.outputs, size) {}
    memtape_machine_parameters pointers() const {
        return {first_weight.data(),     upper_weights.data(),  own_weights.data(),   biases.data(),
                interface_weight.data(), interface_bias.data(), output_weight.data(), output_bias.data()};
    }
    bool finite() const {
        return first_weight.finite() && upper_weights.finite() && own_weights.finite() && biases.finite() &&
               interface_weight.finite() && interface_bias.finite() && output_weight.finite() && output_bias.finite();
    }
};

template <typename T>
struct State {
    Buffer<T> memory, weights, reads, hidden, cell;

    State(const memtape_turing_sizes& s, double size)
        : memory(s.machine.batch * s.slots * s.width, size), weights(s.machine.batch * (s.reads + s.writes) * s.slots, size),
          reads(s.machine.batch * s.reads * s.width, size), hidden(s.machine.layers * s.machine.batch * s.machine.hidden, size),
          cell(s.machine.controller == 0 ? s.machine.layers * s.machine.batch * s.machine.hidden : 0, size) {}
    memtape_turing_state pointers() const {
        return {memory.data(), weights.data(), {reads.data(), hidden.data(), cell.data()}};
    }
    bool finite() const {
        return memory.finite() && weights.finite() && reads.finite() && hidden.finite() && cell.finite();
    }
    bool same(const State& other) const {
        return memory.same(other.memory) && weights.same(other.weights) && reads.same(other.reads) &&
               hidden.same(other.hidden) && cell.same(other.cell);
    }
    // Places of heads: positive numbers that sum to 1.
    void focus(int64_t slots) {
        for (int64_t from = 0; from < weights.count; from += slots) {
            double total = 0;
            for (int64_t i = 0; i < slots; ++i)
                total += weights.data()[from + i] = std::fabs(weights.data()[from + i]) + T(1e-3);
            for (int64_t i = 0; i < slots; ++i) weights.data()[from + i] /= T(total);
        }
    }
};

[[noreturn]] void fail(const Case& one, const char* what) {
    std::fprintf(stderr, "driver: %s: %s\n", one.name.c_str(), what);
    std::exit(1);
}

template <typename T>
void run(const Case& one) {
    constexpr bool single = std::is_same_v<T, float>;
    auto forward = [](auto... arguments) {
        if constexpr (single)
            return memtape_turing_forward_float32(arguments...);
        else
            return memtape_turing_forward_float64(arguments...);
    };
    auto backward = [](auto... arguments) {
        if constexpr (single)
            return memtape_turing_backward_float32(arguments...);
        else
            return memtape_turing_backward_float64(arguments...);
    };
    auto kept_numbers = [](auto... arguments) {
        if constexpr (single)
            return memtape_turing_kept_float32(arguments...);
        else
            return memtape_turing_kept_float64(arguments...);
    };
    memtape_turing_sizes sizes = one.sizes;
    std::unique_ptr<int64_t[]> lengths;
    if (sizes.machine.lengths) {
        lengths.reset(new int64_t[sizes.machine.batch]);
        for (int64_t row = 0; row < sizes.machine.batch; ++row) lengths[row] = row ? random_below(sizes.machine.time + 1) : 0;
        sizes.machine.lengths = lengths.get();
    }
    const Parameters<T> parameters(sizes, 0.5);
    State<T> first(sizes, 0.5);
    first.focus(sizes.slots);
    const Buffer<T> xs(sizes.machine.batch * sizes.machine.time * sizes.machine.inputs, 1.0);
    const auto given = parameters.pointers();
    const auto begin = first.pointers();

    auto ahead = [&](const Buffer<T>& ys, const State<T>& last, void* kept, int64_t threads) {
        const auto end = last.pointers();
        sizes.machine.threads = threads;
        if (forward(&sizes, &given, (const void*)xs.data(), &begin, (void*)ys.data(), &end, kept))
            fail(one, "memory ran out on the way forward");
        if (!ys.finite()) fail(one, "an output is not finite");
        if (!last.finite()) fail(one, "the last state is not finite");
    };
    const Buffer<T> ys(sizes.machine.batch * sizes.machine.time * sizes.machine.outputs);
    const State<T> last(sizes, NAN);
    if (!one.keep) return ahead(ys, last, nullptr, one.sizes.machine.threads);
    const Buffer<T> kept(kept_numbers(&sizes));
    ahead(ys, last, kept.data(), one.sizes.machine.threads);

    const Buffer<T> other_ys(ys.count);
    const State<T> other_last(sizes, NAN);
    ahead(other_ys, other_last, nullptr, 1);
    if (!ys.same(other_ys) || !last.same(other_last)) fail(one, "threads or keeping change a result");

    const Buffer<T> d_ys(ys.count, 1.0);
    const State<T> d_last(sizes, 1.0);
    auto d_end = d_last.pointers();
    if (one.some_gradients_missing) d_end.memory = d_end.machine.reads = d_end.machine.cell = nullptr;
    auto back = [&](const Parameters<T>& d_parameters, const Buffer<T>& d_xs, const State<T>& d_first,
                    int64_t threads) {
        const auto d_given = d_parameters.pointers();
        const auto d_begin = d_first.pointers();
        sizes.machine.threads = threads;
        if (backward(&sizes, &given, (const void*)xs.data(), (const void*)kept.data(),
                     (const void*)(one.some_gradients_missing ? nullptr : d_ys.data()), &d_end, &d_given,
                     (void*)(one.some_gradients_missing ? nullptr : d_xs.data()), &d_begin))
            fail(one, "memory ran out on the way back");
        if (!d_parameters.finite()) fail(one, "a gradient of the parameters is not finite");
        if (!one.some_gradients_missing && !d_xs.finite()) fail(one, "a gradient of the inputs is not finite");
        if (!d_first.finite()) fail(one, "a gradient of the first state is not finite");
    };
    const Parameters<T> d_parameters(sizes, NAN), other_d_parameters(sizes, NAN);
    const Buffer<T> d_xs(xs.count), other_d_xs(xs.count);
    const State<T> d_first(sizes, NAN), other_d_first(sizes, NAN);
    back(d_parameters, d_xs, d_first, one.sizes.machine.threads);
    back(other_d_parameters, other_d_xs, other_d_first, 1);
    if (!d_first.same(other_d_first)) fail(one, "threads change a gradient of the first state");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s LEVEL CASES\n", argv[0]);
        return 2;
    }
    if (memtape_x86_64_level() < std::atoi(argv[1])) return 77;
    const int64_t cases = std::atoi(argv[2]);
    const int64_t odd[] = {1, 3, 63, 64, 100, 129};
    int64_t done = 0;
    for (int64_t number = 0; number < cases; ++number) {
        memtape_turing_sizes s = {};
        s.slots = odd[number % 6];  // every number of slots with every controller, the rest at random
        s.machine.controller = number / 6 % 4;
        s.machine.batch = pick({0, 1, 2, 3, 5, 8, 9, 17});
        s.machine.time = pick({1, 2, 7, 8, 9, 17});
        s.machine.inputs = pick({1, 3, 9});
        s.machine.outputs = pick({1, 2, 17});
        s.machine.hidden = pick({1, 3, 7, 16, 33});
        s.machine.layers = pick({1, 2, 3});
        s.width = pick({1, 3, 4, 17, 20});
        s.reads = pick({1, 2, 4});
        s.writes = pick({1, 2, 3});
        s.location = pick({0, 1, 1});
        s.reach = s.location ? pick({1, 2, 4}) : 0;
        s.cosine = pick({0, 1});
        s.read_first = pick({0, 1});
        s.squash = pick({0, 1});
        s.clip = pick({0, 1}) ? 0.5 : std::numeric_limits<double>::infinity();
        s.machine.threads = pick({1, 2, 5});
        static const int64_t wanted = 0;
        s.machine.lengths = pick({0, 1}) ? &wanted : nullptr;
        Case one{s, pick({0, 1, 1}) != 0, pick({0, 0, 1}) != 0, ""};
        char name[400];
        std::snprintf(name, sizeof name,
                      "case %ld: batch %ld time %ld inputs %ld outputs %ld hidden %ld layers %ld slots %ld width %ld "
                      "reads %ld writes %ld reach %ld "
                      "controller %ld location %ld cosine %ld read_first %ld squash %ld threads %ld clip %g lengths %d "
                      "keep %d some missing %d",
                      long(number), long(s.machine.batch), long(s.machine.time), long(s.machine.inputs), long(s.machine.outputs), long(s.machine.hidden),
                      long(s.machine.layers), long(s.slots), long(s.width), long(s.reads), long(s.writes), long(s.reach),
                      long(s.machine.controller), long(s.location), long(s.cosine), long(s.read_first), long(s.squash),
                      long(s.machine.threads), s.clip, s.machine.lengths != nullptr, one.keep, one.some_gradients_missing);
        one.name = name;
        offset = number % 2;
        if (std::getenv("MEMTAPE_DRIVER_SAYS")) std::fprintf(stderr, "%s\n", name);
        run<float>(one);
        run<double>(one);
        run_recurrence(number);
        ++done;
    }
    std::printf("%ld machines and %ld recurrent layers of float32 and of float64\n", long(done), long(done));
    return 0;
}
