// The entity kernel of csrc/ over odd sizes; see driver.cpp.
#include "recurrence/entity.hpp"

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "buffer.hpp"
#include "failure.hpp"

namespace {

struct Case {
    memtape_entity_sizes sizes;
    bool keeps, some_gradients_missing;
    std::string name;
};

template <typename T>
void run(Case one) {
    constexpr bool single = std::is_same_v<T, float>;
    memtape_entity_sizes& s = one.sizes;
    const int64_t threads = s.threads;
    std::vector<int64_t> lengths(s.batch);
    for (int64_t& length : lengths) length = random_below(5);
    s.lengths = lengths.data();
    const int64_t sentences = std::accumulate(lengths.begin(), lengths.end(), int64_t(0));
    const int64_t wide = (s.size + MEMTAPE_ENTITY_WIDE - 1) / MEMTAPE_ENTITY_WIDE * MEMTAPE_ENTITY_WIDE;
    const int64_t contents = s.slots * s.size, gates_count = sentences * s.slots, saved = gates_count * wide;
    const Buffer<T> vectors(sentences * s.size, 1.0), by_key(gates_count, 1.0), by_sentence(sentences * s.size, 1.0);
    const Buffer<T> constant(contents, 1.0), first(contents, 1.0), weights(s.size * s.size, 1.0), slopes(s.size, 1.0);

    struct Results {
        Buffer<T> last, gates, before, sums, norms;
        Results(const Case& one, int64_t contents, int64_t gates, int64_t saved)
            : last(one.sizes.batch * contents), gates(gates), before(one.keeps ? saved : 0),
              sums(one.keeps ? saved : 0), norms(one.keeps ? gates : 0) {}
    };
    auto forward = [&](const Results& r, int64_t threads) {
        s.threads = threads;
        const auto read = single ? memtape_entity_forward_float32 : memtape_entity_forward_float64;
        if (read(&s, vectors.data(), by_key.data(), by_sentence.data(), constant.data(), first.data(), weights.data(),
                 slopes.data(), r.last.data(), r.gates.data(), one.keeps ? r.before.data() : nullptr,
                 one.keeps ? r.sums.data() : nullptr, one.keeps ? r.norms.data() : nullptr))
            fail(one, "memory ran out in the forward pass");
        if (!r.last.finite() || !r.gates.finite() || !r.before.finite() || !r.sums.finite() || !r.norms.finite())
            fail(one, "a result is not finite");
    };
    const Results r(one, contents, gates_count, saved), other(one, contents, gates_count, saved);
    forward(r, threads);
    forward(other, 1);
    if (!r.last.same(other.last) || !r.gates.same(other.gates)) fail(one, "threads change a result");
    if (!one.keeps) return;

    const Buffer<T> d_last(s.batch * contents, 1.0), d_gates(gates_count, 1.0);
    struct Gradients {
        Buffer<T> vectors, by_key, by_sentence, first, sums, slopes;
        Gradients(const memtape_entity_sizes& s, int64_t sentences, int64_t wide)
            : vectors(sentences * s.size), by_key(sentences * s.slots), by_sentence(sentences * s.size),
              first(s.batch * s.slots * s.size), sums(sentences * s.slots * wide), slopes(s.size) {}
    };
    auto backward = [&](const Gradients& d, int64_t threads) {
        s.threads = threads;
        const auto read_back = single ? memtape_entity_backward_float32 : memtape_entity_backward_float64;
        if (read_back(&s, one.some_gradients_missing ? nullptr : d_last.data(),
                      one.some_gradients_missing ? nullptr : d_gates.data(), vectors.data(), weights.data(),
                      slopes.data(), r.last.data(), r.gates.data(), r.before.data(), r.sums.data(), r.norms.data(),
                      d.vectors.data(), d.by_key.data(), d.by_sentence.data(), d.first.data(), d.sums.data(),
                      d.slopes.data()))
            fail(one, "memory ran out in the backward pass");
        if (!d.vectors.finite() || !d.by_key.finite() || !d.by_sentence.finite() || !d.first.finite() ||
            !d.sums.finite() || !d.slopes.finite())
            fail(one, "a gradient is not finite");
    };
    const Gradients d(s, sentences, wide), others(s, sentences, wide);
    backward(d, threads);
    backward(others, 1);
    if (!d.vectors.same(others.vectors) || !d.by_key.same(others.by_key) || !d.sums.same(others.sums) ||
        !d.by_sentence.same(others.by_sentence) || !d.first.same(others.first) || !d.slopes.same(others.slopes))
        fail(one, "threads change a gradient");
}

}  // namespace

// One batch of stories of random sizes, of each dtype.
void run_entity(int64_t number) {
    memtape_entity_sizes s = {};
    s.batch = pick({0, 1, 2, 3, 5, 9});
    s.slots = pick({1, 2, 3, 7, 20});
    s.size = pick({1, 3, 7, 16, 33, 49, 100});
    s.threads = pick({1, 2, 5});
    Case one{s, pick({0, 1, 1}) != 0, pick({0, 0, 1}) != 0, ""};
    char name[200];
    std::snprintf(name, sizeof name, "entity %ld: batch %ld slots %ld size %ld threads %ld keeps %d some missing %d",
                  long(number), long(s.batch), long(s.slots), long(s.size), long(s.threads), one.keeps,
                  one.some_gradients_missing);
    one.name = name;
    if (std::getenv("MEMTAPE_DRIVER_VERBOSE")) std::fprintf(stderr, "%s\n", name);
    run<float>(one);
    run<double>(one);
}
