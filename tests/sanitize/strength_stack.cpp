// The recurrent networks with a strength stack, queue or deque of csrc/ over odd sizes; see driver.cpp.
#include "machines/strength_stack.hpp"

#include <array>

#include "machines.hpp"

namespace {

MACHINE(Kernel, strength_stack, StrengthStackInterface)

struct StrengthStack : Kernel {
    static constexpr std::array<int64_t, 0> weights{};

    static int64_t read(const Sizes& s) { return s.ends * s.width; }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t items = s.machine.batch * s.ends * s.items;
        return {items * s.width, items};
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_strength_stack(int64_t number) {
    memtape_strength_stack_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number % 4;
    s.machine.shortcuts = pick({0, 1});
    s.access = pick({0, 1, 2});
    s.ends = s.access == 2 ? 2 : 1;
    s.items = pick({1, 2, 15, 16, 17, 40});
    s.width = pick({1, 2, 3, 8, 17});
    run_both<StrengthStack>(number, s);
}
