// The Sparse Access Memories of csrc/, with links and without, over odd sizes; see driver.cpp.
#include <cstdio>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "machines/sam.hpp"
#include "machines.hpp"

namespace {

struct Sparse {
    using Sizes = memtape_sparse_sizes;
    using State = memtape_sparse_state;
    static constexpr int64_t places[] = {1};
    static inline const void* memory = nullptr;  // after the last way forward

    static int64_t read(const Sizes& s) { return s.heads * s.width; }
    static int64_t raw(const Sizes& s) {
        return s.heads * (2 * s.width + 2 + (s.strengths ? 1 : 0) + (s.links ? 3 : 0));
    }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t rows = s.machine.batch * s.slots;
        const int64_t links = rows * s.links, last = s.machine.batch * s.links;
        return {rows * s.width, rows * s.heads, rows, links, links, links, links, last, last};
    }

    // Lists with weights that are none too small, of slots and of what is none.
    template <typename T>
    static void begin_lists(void* places, void* weights, const void* from, int64_t count, const Sizes& s) {
        for (int64_t i = 0; i < count; ++i) {
            const T number = ((const T*)from)[i];
            static_cast<T*>(places)[i] = s.unlinked     ? T(0)
                                         : i % 97 == 13 ? T(-3)
                                         : i % 89 == 7  ? T(1e12)
                                                        : T(i % s.slots);
            static_cast<T*>(weights)[i] = s.unlinked || number < 0 ? T(0) : number;
        }
    }

    // The parts that are changed in place begin as they are in `first`, or empty.
    template <typename T>
    static int forward(const Sizes* s, const memtape_machine_parameters* parameters, const void* xs, const State* first,
                       void* ys, const State* last, void* kept) {
        const int64_t rows = s->machine.batch * s->slots * sizeof(T);
        auto begin = [&](void* to, const void* from, int64_t bytes, bool empty) {
            empty ? std::memset(to, 0, bytes) : std::memcpy(to, from, bytes);
        };
        begin(last->memory, first->memory, rows * s->width, s->empty);
        begin(last->read_weights, first->read_weights, rows * s->heads, s->unread);
        begin(last->usage, first->usage, rows, s->unused);
        const auto &links = last->links, &from = first->links;
        const int64_t count = s->machine.batch * s->links;
        begin_lists<T>(links.before_places, links.before_weights, from.before_weights, count * s->slots, *s);
        begin_lists<T>(links.after_places, links.after_weights, from.after_weights, count * s->slots, *s);
        begin_lists<T>(links.last_places, links.last_weights, from.last_weights, count, *s);
        memory = last->memory;
        if constexpr (std::is_same_v<T, float>)
            return memtape_sparse_forward_float32(s, parameters, xs, first, ys, last, kept);
        else
            return memtape_sparse_forward_float64(s, parameters, xs, first, ys, last, kept);
    }

    template <typename T>
    static int backward(const Sizes* sizes, const memtape_machine_parameters* parameters, const void* xs,
                        const void* kept, const void* d_ys, const State* d_last,
                        const memtape_machine_parameters* d_parameters, void* d_xs, const State* d_first) {
        Sizes s = *sizes;
        s.memory = memory;
        const int64_t rows = s.machine.batch * s.slots * sizeof(T), lists = rows * s.links;
        std::memset(d_first->usage, 0, rows);  // has no gradient, nor have links
        for (void* part : {d_first->links.before_places, d_first->links.before_weights, d_first->links.after_places,
                           d_first->links.after_weights})
            std::memset(part, 0, lists);
        for (void* part : {d_first->links.last_places, d_first->links.last_weights})
            std::memset(part, 0, s.machine.batch * s.links * sizeof(T));
        if constexpr (std::is_same_v<T, float>)
            return memtape_sparse_backward_float32(&s, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
        else
            return memtape_sparse_backward_float64(&s, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
    }

    template <typename T>
    static int64_t kept(const Sizes* sizes) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_sparse_kept_float32(sizes);
        else
            return memtape_sparse_kept_float64(sizes);
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_sparse(int64_t number) {
    const int64_t odd[] = {5, 9, 31, 130, 700};
    memtape_sparse_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number / 5 % 4;
    s.machine.shortcuts = pick({0, 1});
    s.slots = odd[number % 5];
    s.width = pick({1, 3, 4, 17, 32});
    s.heads = pick({1, 2, 4, 5});
    s.nearest = pick({1, 3, 4, 5});
    s.first_nearest = s.slots;
    s.links = pick({0, 0, 0, 1, 2, 5, 8});
    s.few = pick({0, 1, 20});
    s.squash = pick({0, 1});
    s.strengths = pick({0, 1, 2});
    s.empty = pick({0, 1});
    s.unread = pick({0, 1});
    s.unused = pick({0, 1});
    s.unlinked = pick({0, 1});
    s.threshold = pick({0, 1}) ? 0.005 : 0.5;
    s.clip = pick({0, 1}) ? 0.5 : std::numeric_limits<double>::infinity();
    char name[300];
    std::snprintf(name, sizeof name,
                  " slots %ld width %ld heads %ld nearest %ld links %ld few %ld squash %ld strengths %ld empty %ld "
                  "unread %ld unused %ld unlinked %ld threshold %g clip %g",
                  long(s.slots), long(s.width), long(s.heads), long(s.nearest), long(s.links), long(s.few),
                  long(s.squash), long(s.strengths), long(s.empty), long(s.unread), long(s.unused), long(s.unlinked),
                  s.threshold, s.clip);
    run_both<Sparse>(s, named("Sparse Access Memory", number, s.machine) + name);
}
