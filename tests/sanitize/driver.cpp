// Driver: calls the kernels of csrc/ over odd sizes, with every buffer on the heap and exactly as large as the headers
// say, so that a sanitizer sees each step over an end. It prints nothing unless something is wrong, and a count at the
// end. Here are the Turing machines; dnc.cpp has the Differentiable Neural Computers, sparse.cpp the Sparse Access
// Memories, and recurrence.cpp the recurrent layers.
//
// Two arguments: the level of the x86-64 architecture that it was built for, without which it refuses to run (code 77),
// and how many of each to run. With MEMTAPE_DRIVER_SAYS set it names each before it runs.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <type_traits>
#include <vector>

#include "machines/ntm.hpp"
#include "machines.hpp"

extern "C" int64_t memtape_x86_64_level(void);

void run_recurrence(int64_t number);
void run_dnc(int64_t number);
void run_sparse(int64_t number);

namespace {

struct Turing {
    using Sizes = memtape_turing_sizes;
    using State = memtape_turing_state;
    static constexpr int64_t places[] = {1};

    static int64_t read(const Sizes& s) { return s.reads * s.width; }
    static int64_t raw(const Sizes& s) {
        const int64_t heads = s.reads + s.writes;
        return heads * (s.width + 1 + (s.location ? 2 + 2 * s.reach + 1 : 0)) + 2 * s.writes * s.width;
    }
    static std::vector<int64_t> state(const Sizes& s) {
        return {s.machine.batch * s.slots * s.width, s.machine.batch * (s.reads + s.writes) * s.slots};
    }
    template <typename T, typename... Given>
    static int forward(Given... given) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_turing_forward_float32(given...);
        else
            return memtape_turing_forward_float64(given...);
    }
    template <typename T, typename... Given>
    static int backward(Given... given) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_turing_backward_float32(given...);
        else
            return memtape_turing_backward_float64(given...);
    }
    template <typename T>
    static int64_t kept(const Sizes* sizes) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_turing_kept_float32(sizes);
        else
            return memtape_turing_kept_float64(sizes);
    }
};

void run_turing(int64_t number) {
    const int64_t odd[] = {1, 3, 63, 64, 100, 129};
    memtape_turing_sizes s = {};
    s.machine = random_machine();
    s.slots = odd[number % 6];  // every number of slots with every controller, the rest at random
    s.machine.controller = number / 6 % 4;
    s.width = pick({1, 3, 4, 17, 20});
    s.reads = pick({1, 2, 4});
    s.writes = pick({1, 2, 3});
    s.location = pick({0, 1, 1});
    s.reach = s.location ? pick({1, 2, 4}) : 0;
    s.cosine = pick({0, 1});
    s.read_first = pick({0, 1});
    s.squash = pick({0, 1});
    s.clip = pick({0, 1}) ? 0.5 : std::numeric_limits<double>::infinity();
    char name[200];
    std::snprintf(
        name, sizeof name,
        " slots %ld width %ld reads %ld writes %ld reach %ld location %ld cosine %ld read_first %ld squash %ld "
        "clip %g",
        long(s.slots), long(s.width), long(s.reads), long(s.writes), long(s.reach), long(s.location), long(s.cosine),
        long(s.read_first), long(s.squash), s.clip);
    run_both<Turing>(s, named("Turing machine", number, s.machine) + name);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s LEVEL CASES\n", argv[0]);
        return 2;
    }
    if (memtape_x86_64_level() < std::atoi(argv[1])) return 77;
    const int64_t cases = std::atoi(argv[2]);
    int64_t done = 0;
    for (int64_t number = 0; number < cases; ++number) {
        offset = number % 2;
        run_turing(number);
        run_dnc(number);
        run_sparse(number);
        run_recurrence(number);
        ++done;
    }
    std::printf(
        "%ld Turing machines, Differentiable Neural Computers, Sparse Access Memories and recurrent layers of float32 and "
        "of float64\n",
        long(done));
    return 0;
}
