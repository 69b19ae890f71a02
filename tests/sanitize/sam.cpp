// The Sparse Access Memories of csrc/, with links and without, over odd sizes; see driver.cpp.
#include "machines/sam.hpp"

#include <cstring>
#include <limits>

#include "machines.hpp"

namespace {

MACHINE(Kernel, sam, SAMInterface)

struct SAM : Kernel {
    static constexpr int64_t weights[] = {1};
    static int64_t among(const Sizes& s) { return s.slots; }
    static inline const void* memory = nullptr;  // after the last forward pass

    static int64_t read(const Sizes& s) { return s.heads * s.width; }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t rows = s.machine.batch * s.slots;
        const int64_t links = rows * s.links, last = s.machine.batch * s.links;
        return {rows * s.width, rows * s.heads, rows, links, links, links, links, last, last};
    }

    // Lists of slots with weights away from 0, and of unused places.
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

    // The parts that are changed in place are copies of `first`, or empty.
    template <typename T>
    static int forward(MEMTAPE_FORWARD(sam)) {
        const Sizes* s = sizes;
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
        return Kernel::forward<T>(s, parameters, xs, first, ys, last, kept);
    }

    template <typename T>
    static int backward(MEMTAPE_BACKWARD(sam)) {
        Sizes s = *sizes;
        s.memory = memory;
        const int64_t rows = s.machine.batch * s.slots * sizeof(T), lists = rows * s.links;
        std::memset(d_first->usage, 0, rows);  // has no gradient, nor have links
        for (void* part : {d_first->links.before_places, d_first->links.before_weights, d_first->links.after_places,
                           d_first->links.after_weights})
            std::memset(part, 0, lists);
        for (void* part : {d_first->links.last_places, d_first->links.last_weights})
            std::memset(part, 0, s.machine.batch * s.links * sizeof(T));
        return Kernel::backward<T>(&s, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_sam(int64_t number) {
    const int64_t odd[] = {5, 9, 31, 130, 700};
    memtape_sam_sizes s = {};
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
    run_both<SAM>(number, s);
}
