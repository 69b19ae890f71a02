// The Differentiable Neural Computers of csrc/ over odd sizes; see driver.cpp.
#include "machines/dnc.hpp"

#include <limits>

#include "machines.hpp"

namespace {

MACHINE(Kernel, dnc, DNCInterface)

struct DNC : Kernel {
    static constexpr int64_t weights[] = {1, 2, 3, 4, 5};
    static int64_t among(const Sizes& s) { return s.slots; }

    static int64_t read(const Sizes& s) { return s.reads * s.width; }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t rows = s.machine.batch * s.slots;
        return {rows * s.width, rows * s.reads, rows * s.writes, rows, rows * s.writes * s.slots, rows * s.writes};
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_dnc(int64_t number) {
    const int64_t odd[] = {1, 3, 16, 31, 65};
    memtape_dnc_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number / 5 % 4;
    s.machine.shortcuts = pick({0, 1});
    s.machine.time = pick({1, 2, 15, 16, 17, 33});
    s.slots = odd[number % 5];
    s.width = pick({1, 3, 4, 17});
    s.reads = pick({1, 2, 3, 4, 5, 9});
    s.writes = pick({1, 1, 2, 3});
    s.oneplus = pick({0, 1});
    s.squash = pick({0, 1});
    s.masked = pick({0, 1});
    s.sharpen = pick({0, 1});
    s.mask_floor = pick({0, 1}) ? 0.1 : 0;
    s.deallocate = pick({0, 1});
    s.usage_gradient = pick({0, 1});
    s.clip = pick({0, 1}) ? 0.5 : std::numeric_limits<double>::infinity();
    s.usage_epsilon = pick({0, 1}) ? 1e-6 : 0;
    s.usage_tolerance = pick({0, 1}) ? 1e-5 : 0;
    s.norm_epsilon = 1e-12;
    s.product_epsilon = pick({0, 1}) ? 1e-6 : 0;
    add_programs(s.machine, s.reads + s.writes);
    run_both<DNC>(number, s);
}
