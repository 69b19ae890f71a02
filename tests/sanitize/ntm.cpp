// The Neural Turing Machines of csrc/ over odd sizes; see driver.cpp.
#include "machines/ntm.hpp"

#include <limits>

#include "machines.hpp"

namespace {

MACHINE(Kernel, ntm, NTMInterface)

struct NTM : Kernel {
    static constexpr int64_t weights[] = {1, 2};
    static int64_t among(const Sizes& s) { return s.slots; }

    static int64_t read(const Sizes& s) { return s.reads * s.width; }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t rows = s.machine.batch * s.slots;
        return {rows * s.width, rows * s.reads, rows * s.writes};
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_ntm(int64_t number) {
    const int64_t odd[] = {1, 3, 63, 64, 100, 129};
    memtape_ntm_sizes s = {};
    s.machine = random_machine();
    s.slots = odd[number % 6];  // every number of slots with every controller, the rest at random
    s.machine.controller = number / 6 % 4;
    s.machine.shortcuts = pick({0, 1});
    s.width = pick({1, 3, 4, 17, 20});
    s.reads = pick({1, 2, 4});
    s.writes = pick({1, 2, 3});
    s.location = pick({0, 1, 1});
    s.shift_range = s.location ? pick({1, 2, 4}) : 0;
    s.cosine = pick({0, 1});
    s.read_first = pick({0, 1});
    s.squash = pick({0, 1});
    s.clip = pick({0, 1}) ? 0.5 : std::numeric_limits<double>::infinity();
    add_programs(s.machine, s.reads + s.writes);
    run_both<NTM>(number, s);
}
