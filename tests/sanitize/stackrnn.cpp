// The recurrent networks with stacks of csrc/ over odd sizes; see driver.cpp.
#include "machines/stackrnn.hpp"

#include <array>

#include "machines.hpp"

namespace {

MACHINE(Kernel, stackrnn, StackRNNInterface)

struct StackRNN : Kernel {
    static constexpr std::array<int64_t, 0> weights{};

    static int64_t read(const Sizes& s) { return s.stacks * s.visible * s.width; }
    static std::vector<int64_t> state(const Sizes& s) { return {s.machine.batch * s.stacks * s.depth * s.width}; }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_stackrnn(int64_t number) {
    memtape_stackrnn_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number % 4;
    s.machine.shortcuts = pick({0, 1});
    s.stacks = pick({1, 2, 3, 10});
    s.depth = pick({1, 2, 15, 16, 17, 64});
    s.width = pick({1, 2, 3, 8, 17});
    s.visible = pick({1, 2, 5});
    s.no_op = pick({0, 1});
    s.joint_actions = pick({0, 1});
    s.push_activation = pick({0, 1, 2});
    s.empty = pick({0, 1}) ? -1.0 : 0.0;
    run_both<StackRNN>(number, s);
}
