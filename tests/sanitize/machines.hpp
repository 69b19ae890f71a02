// Machines: the common part of the drivers of all machines, controllers with a memory. A kind of machine defines its
// structs, its interface vector and its functions, by MACHINE, and the number of numbers in each part of its state.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "buffer.hpp"
#include "failure.hpp"
#include "machine/abi.hpp"

// The struct KERNEL: structs, interface vector and functions, for both dtypes, of the machine NAME.
#define MACHINE(KERNEL, NAME, INTERFACE)                                                             \
    struct KERNEL {                                                                                  \
        using Sizes = memtape_##NAME##_sizes;                                                        \
        using State = memtape_##NAME##_state;                                                        \
        static constexpr const char* name = #NAME;                                                   \
        static int64_t interface(const Sizes& s) { return INTERFACE<float>(s).size; }                \
        template <typename T>                                                                        \
        static int64_t kept(const Sizes* sizes) {                                                    \
            constexpr bool single = std::is_same_v<T, float>;                                        \
            return (single ? memtape_##NAME##_kept_float32 : memtape_##NAME##_kept_float64)(sizes);  \
        }                                                                                            \
        template <typename T>                                                                        \
        static int forward(MEMTAPE_FORWARD(NAME)) {                                                  \
            constexpr bool single = std::is_same_v<T, float>;                                        \
            return (single ? memtape_##NAME##_forward_float32 : memtape_##NAME##_forward_float64)(   \
                sizes, parameters, xs, first, ys, last, kept);                                       \
        }                                                                                            \
        template <typename T>                                                                        \
        static int backward(MEMTAPE_BACKWARD(NAME)) {                                                \
            constexpr bool single = std::is_same_v<T, float>;                                        \
            return (single ? memtape_##NAME##_backward_float32 : memtape_##NAME##_backward_float64)( \
                sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);             \
        }                                                                                            \
    };

template <typename Kind>
struct Case {
    typename Kind::Sizes sizes;
    bool keep, some_gradients_missing;
    std::string name;
};

// Buffers of certain sizes, and the record of C that points to them.
template <typename T, typename Record>
class Buffers {
  public:
    Buffers(const std::vector<int64_t>& counts, double size) {
        for (int64_t count : counts) all.emplace_back(count, size);
    }
    Record pointers() const {
        Record record;
        std::vector<void*> at;
        for (auto& buffer : all) at.push_back(buffer.data());
        if (at.size() * sizeof(void*) != sizeof(record)) std::abort();
        std::memcpy(&record, at.data(), sizeof(record));
        return record;
    }
    bool finite() const {
        for (auto& buffer : all)
            if (!buffer.finite()) return false;
        return true;
    }
    bool same(const Buffers& other) const {
        for (size_t i = 0; i < all.size(); ++i)
            if (!all[i].same(other.all[i])) return false;
        return true;
    }

  protected:
    std::deque<Buffer<T>> all;
};

template <typename T, typename Kind>
class Parameters : public Buffers<T, memtape_machine_parameters> {
  public:
    Parameters(const typename Kind::Sizes& s, double size)
        : Buffers<T, memtape_machine_parameters>(counts(s, s.machine), size) {}

  private:
    static std::vector<int64_t> counts(const typename Kind::Sizes& s, const memtape_machine_sizes& m) {
        const int64_t gates = (m.controller < 2 ? 4 : 1) * m.hidden, fed = m.inputs + Kind::read(s),
                      vector = Kind::interface(s);
        const int64_t shown = (m.shortcuts ? m.layers : 1) * m.hidden;
        const int64_t query = m.program_key ? m.program_key : m.programs;
        const int64_t product = m.programs ? m.programs * vector + m.program_heads * (query + 1) : vector;
        return {gates * fed,
                (m.layers - 1) * gates * (m.hidden + (m.shortcuts ? fed : 0)),
                m.controller == 3 ? 0 : m.layers * gates * m.hidden,
                m.layers * gates,
                product * shown,
                product,
                m.program_heads * m.programs * m.program_key,
                m.units * m.hidden,
                m.units * (m.hidden + Kind::read(s)),
                m.units,
                m.outputs * (shown + Kind::read(s)),
                m.outputs};
    }
};

template <typename T, typename Kind>
class State : public Buffers<T, typename Kind::State> {
  public:
    State(const typename Kind::Sizes& s, double size)
        : Buffers<T, typename Kind::State>(counts(s, s.machine), size), sizes(s) {}

    // Make weights of the parts that the kind names: positive numbers that sum to less than 1.
    void focus() {
        if constexpr (std::size(Kind::weights) > 0)
            for (int64_t part : Kind::weights) {
                Buffer<T>& weights = this->all[part];
                for (int64_t i = 0; i < weights.count; ++i)
                    weights.data()[i] = (std::fabs(weights.data()[i]) + T(1e-3)) / T(Kind::among(sizes));
            }
    }

  private:
    const typename Kind::Sizes sizes;

    static std::vector<int64_t> counts(const typename Kind::Sizes& s, const memtape_machine_sizes& m) {
        std::vector<int64_t> all = Kind::state(s);
        const int64_t hidden = m.layers * m.batch * m.hidden;
        all.insert(all.end(),
                   {m.batch * Kind::read(s), hidden, m.controller == 0 ? hidden : 0, m.batch * m.cached * m.hidden});
        return all;
    }
};

// Random values of the sizes that all machines have.
inline memtape_machine_sizes random_machine() {
    static const int64_t wanted = 0;
    static const uint8_t some = 0;
    static const int64_t nowhere = -1;
    memtape_machine_sizes m = {};
    m.batch = pick({0, 1, 2, 3, 5, 8, 9, 17});
    m.time = pick({1, 2, 7, 8, 9, 17});
    m.inputs = pick({1, 3, 9});
    m.outputs = pick({1, 2, 17});
    m.hidden = pick({1, 3, 7, 16, 33});
    m.layers = pick({1, 2, 3});
    m.activation = pick({0, 1, 2});
    m.threads = pick({1, 2, 5});
    m.lengths = pick({0, 1}) ? &wanted : nullptr;
    m.accesses = pick({0, 1}) ? &some : nullptr;
    m.cached = pick({0, 0, 1, 2, 5});
    m.units = m.cached ? pick({1, 3, 17}) : 0;
    m.places = m.cached ? &nowhere : nullptr;
    return m;
}

// Programs for the heads of a machine, or none.
inline void add_programs(memtape_machine_sizes& m, int64_t heads) {
    m.programs = pick({0, 0, 1, 2, 5});
    if (!m.programs) return;
    m.program_heads = heads;
    m.program_key = pick({0, 1, 4, 17});
    m.squash_queries = pick({0, 1});
}

// The fields of a struct, with their values.
class Values {
  public:
    std::string text;

    explicit Values(const void* record) : record(static_cast<const char*>(record)) {}

    template <typename Type>
    void field(const char* name, size_t at) {
        if constexpr (std::is_class_v<Type>)
            Type::visit(*this, at);
        else if constexpr (std::is_pointer_v<Type>)
            text += std::string(" ") + name + (*reinterpret_cast<const Type*>(record + at) ? " given" : " none");
        else
            text += std::string(" ") + name + " " + std::to_string(*reinterpret_cast<const Type*>(record + at));
    }

  private:
    const char* const record;
};

// One machine of random sizes, of one dtype.
template <typename T, typename Kind>
void run(const Case<Kind>& one) {
    typename Kind::Sizes sizes = one.sizes;
    std::unique_ptr<int64_t[]> lengths;
    if (sizes.machine.lengths) {
        lengths.reset(new int64_t[sizes.machine.batch]);
        for (int64_t row = 0; row < sizes.machine.batch; ++row)
            lengths[row] = row ? random_below(sizes.machine.time + 1) : 0;
        sizes.machine.lengths = lengths.get();
    }
    std::unique_ptr<uint8_t[]> accesses;
    if (sizes.machine.accesses) {
        const int64_t steps = sizes.machine.batch * sizes.machine.time;
        accesses.reset(new uint8_t[steps]);
        for (int64_t step = 0; step < steps; ++step) accesses[step] = uint8_t(random_below(2));
        sizes.machine.accesses = accesses.get();
    }
    std::unique_ptr<int64_t[]> places;
    if (sizes.machine.places) {
        const int64_t steps = sizes.machine.batch * sizes.machine.time;
        places.reset(new int64_t[steps]);
        for (int64_t step = 0; step < steps; ++step) places[step] = random_below(sizes.machine.cached + 1) - 1;
        sizes.machine.places = places.get();
    }
    const Parameters<T, Kind> parameters(sizes, 0.5);
    State<T, Kind> first(sizes, 0.5);
    first.focus();
    const Buffer<T> xs(sizes.machine.batch * sizes.machine.time * sizes.machine.inputs, 1.0);
    const auto given = parameters.pointers();
    const auto begin = first.pointers();

    auto ahead = [&](const Buffer<T>& ys, const State<T, Kind>& last, void* kept, int64_t threads) {
        const auto end = last.pointers();
        sizes.machine.threads = threads;
        if (Kind::template forward<T>(&sizes, &given, (const void*)xs.data(), &begin, (void*)ys.data(), &end, kept))
            fail(one, "memory ran out in the forward pass");
        if (!ys.finite()) fail(one, "an output is not finite");
        if (!last.finite()) fail(one, "the last state is not finite");
    };
    const Buffer<T> ys(sizes.machine.batch * sizes.machine.time * sizes.machine.outputs);
    const State<T, Kind> last(sizes, NAN);
    if (!one.keep) return ahead(ys, last, nullptr, one.sizes.machine.threads);
    const Buffer<T> kept(Kind::template kept<T>(&sizes));
    ahead(ys, last, kept.data(), one.sizes.machine.threads);

    const Buffer<T> other_ys(ys.count);
    const State<T, Kind> other_last(sizes, NAN);
    ahead(other_ys, other_last, nullptr, 1);
    if (!ys.same(other_ys) || !last.same(other_last)) fail(one, "threads or saving change a result");

    const Buffer<T> d_ys(ys.count, 1.0);
    const State<T, Kind> d_last(sizes, 1.0);
    auto d_end = d_last.pointers();
    if (one.some_gradients_missing) {
        std::memset(&d_end, 0, sizeof(void*));  // the first part, what the memory holds
        d_end.machine.reads = d_end.machine.cell = d_end.machine.cache = nullptr;
    }
    auto back = [&](const Parameters<T, Kind>& d_parameters, const Buffer<T>& d_xs, const State<T, Kind>& d_first,
                    int64_t threads) {
        const auto d_given = d_parameters.pointers();
        const auto d_begin = d_first.pointers();
        sizes.machine.threads = threads;
        if (Kind::template backward<T>(&sizes, &given, (const void*)xs.data(), (const void*)kept.data(),
                                       (const void*)(one.some_gradients_missing ? nullptr : d_ys.data()), &d_end,
                                       &d_given, (void*)(one.some_gradients_missing ? nullptr : d_xs.data()), &d_begin))
            fail(one, "memory ran out in the backward pass");
        if (!d_parameters.finite()) fail(one, "a gradient of the parameters is not finite");
        if (!one.some_gradients_missing && !d_xs.finite()) fail(one, "a gradient of the inputs is not finite");
        if (!d_first.finite()) fail(one, "a gradient of the first state is not finite");
    };
    const Parameters<T, Kind> d_parameters(sizes, NAN), other_d_parameters(sizes, NAN);
    const Buffer<T> d_xs(xs.count), other_d_xs(xs.count);
    const State<T, Kind> d_first(sizes, NAN), other_d_first(sizes, NAN);
    back(d_parameters, d_xs, d_first, one.sizes.machine.threads);
    back(other_d_parameters, other_d_xs, other_d_first, 1);
    if (!d_first.same(other_d_first)) fail(one, "threads change a gradient of the first state");
}

// Both dtypes, with and without saving for the backward pass.
template <typename Kind>
void run_both(int64_t number, const typename Kind::Sizes& sizes) {
    Values values(&sizes);
    Kind::Sizes::visit(values);
    const std::string name = std::string(Kind::name) + " " + std::to_string(number) + ":" + values.text;
    const Case<Kind> one{sizes, pick({0, 1, 1}) != 0, pick({0, 0, 1}) != 0, name};
    if (std::getenv("MEMTAPE_DRIVER_VERBOSE"))
        std::fprintf(stderr, "%s keep %d some missing %d\n", name.c_str(), one.keep, one.some_gradients_missing);
    run<float>(one);
    run<double>(one);
}
