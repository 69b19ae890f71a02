// The scan of csrc/ over odd sizes; see driver.cpp.
#include "recurrence/scan.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "buffer.hpp"
#include "failure.hpp"

namespace {

struct Case {
    memtape_scan_sizes sizes;
    bool wants_decay, some_gradients_missing;
    std::string name;

    int64_t state() const { return sizes.batch * sizes.planes * sizes.units; }
    int64_t steps() const { return state() * sizes.time; }
    int64_t decay() const { return sizes.varying ? steps() : sizes.planes * sizes.units; }
};

template <typename T>
void run(Case one) {
    constexpr bool single = std::is_same_v<T, float>;
    memtape_scan_sizes& s = one.sizes;
    const int64_t threads = s.threads;
    std::unique_ptr<int64_t[]> lengths;
    std::unique_ptr<uint8_t[]> starts;
    if (s.lengths) {
        lengths.reset(new int64_t[s.batch]);
        for (int64_t row = 0; row < s.batch; ++row) lengths[row] = row ? random_below(s.time + 1) : 0;
        s.lengths = lengths.get();
    }
    if (s.starts) {
        starts.reset(new uint8_t[s.batch * s.time]);
        for (int64_t i = 0; i < s.batch * s.time; ++i) starts[i] = random_below(3) == 0;
        s.starts = starts.get();
    }
    const Buffer<T> decay(one.decay(), 0.6), added(one.steps(), 1.0), first(one.state(), 1.0);
    const Buffer<T> initial(one.state(), 1.0);
    const void* const back_to = s.starts ? initial.data() : nullptr;

    auto forward = [&](const Buffer<T>& states, const Buffer<T>& last, int64_t threads) {
        s.threads = threads;
        const auto scan = single ? memtape_scan_forward_float32 : memtape_scan_forward_float64;
        if (scan(&s, decay.data(), added.data(), first.data(), back_to, states.data(), last.data()))
            fail(one, "memory ran out in the forward pass");
        if (!states.finite() || !last.finite()) fail(one, "a state is not finite");
    };
    const Buffer<T> states(one.steps()), last(one.state()), other_states(one.steps()), other_last(one.state());
    forward(states, last, threads);
    forward(other_states, other_last, 1);
    if (!states.same(other_states) || !last.same(other_last)) fail(one, "threads change a state");

    const Buffer<T> d_states(one.steps(), 1.0), d_last(one.state(), 1.0);
    struct Gradients {
        Buffer<T> decay, added, first, initial;
        explicit Gradients(const Case& one)
            : decay(one.wants_decay ? one.decay() : 0), added(one.steps()), first(one.state()),
              initial(one.sizes.starts ? one.state() : 0) {}
    };
    auto backward = [&](const Gradients& d, int64_t threads) {
        s.threads = threads;
        const auto scan = single ? memtape_scan_backward_float32 : memtape_scan_backward_float64;
        if (scan(&s, decay.data(), states.data(), first.data(), back_to,
                 one.some_gradients_missing ? nullptr : d_states.data(),
                 one.some_gradients_missing ? nullptr : d_last.data(), one.wants_decay ? d.decay.data() : nullptr,
                 d.added.data(), d.first.data(), s.starts ? d.initial.data() : nullptr))
            fail(one, "memory ran out in the backward pass");
        if (!d.decay.finite() || !d.added.finite() || !d.first.finite() || !d.initial.finite())
            fail(one, "a gradient is not finite");
    };
    const Gradients d(one), other(one);
    backward(d, threads);
    backward(other, 1);
    if (!d.decay.same(other.decay) || !d.added.same(other.added) || !d.first.same(other.first) ||
        !d.initial.same(other.initial))
        fail(one, "threads change a gradient");
}

}  // namespace

// One scan of random sizes, of each dtype.
void run_scan(int64_t number) {
    static const int64_t wanted = 0;
    static const uint8_t nowhere = 0;
    memtape_scan_sizes s = {};
    s.batch = pick({0, 1, 2, 3, 5, 8, 9, 17});
    s.time = pick({1, 2, 15, 16, 33});
    s.units = pick({1, 3, 7, 16, 33, 49, 130});
    s.planes = 1 + number % 2;
    s.varying = pick({0, 1});
    s.threads = pick({1, 2, 5});
    s.lengths = pick({0, 1}) ? &wanted : nullptr;
    s.starts = pick({0, 1}) ? &nowhere : nullptr;
    Case one{s, pick({0, 1, 1}) != 0, pick({0, 0, 1}) != 0, ""};
    char name[300];
    std::snprintf(
        name, sizeof name,
        "scan %ld: batch %ld time %ld units %ld planes %ld varying %ld threads %ld lengths %d starts %d wants "
        "decay %d some missing %d",
        long(number), long(s.batch), long(s.time), long(s.units), long(s.planes), long(s.varying), long(s.threads),
        s.lengths != nullptr, s.starts != nullptr, one.wants_decay, one.some_gradients_missing);
    one.name = name;
    if (std::getenv("MEMTAPE_DRIVER_VERBOSE")) std::fprintf(stderr, "%s\n", name);
    run<float>(one);
    run<double>(one);
}
