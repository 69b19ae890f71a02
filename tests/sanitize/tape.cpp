// The tape machines of csrc/ over odd sizes; see driver.cpp.
#include "machines/tape.hpp"

#include <array>

#include "machines.hpp"

namespace {

MACHINE(Kernel, tape, TapeInterface)

struct Tape : Kernel {
    static constexpr std::array<int64_t, 0> weights{};

    static int64_t read(const Sizes& s) { return s.tapes * s.width; }
    static std::vector<int64_t> state(const Sizes& s) {
        return {s.machine.batch * s.tapes * s.slots * s.width, s.machine.batch * s.tapes * s.slots,
                s.machine.batch * s.machine.time};
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_tape(int64_t number) {
    memtape_tape_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number % 4;
    s.machine.shortcuts = pick({0, 1});
    s.tapes = pick({1, 2, 3});
    s.slots = pick({1, 2, 3, 15, 16, 17, 64});
    s.width = pick({1, 2, 3, 8, 17});
    s.moves = pick({0, 1});
    s.values = pick({0, 1, 2});
    run_both<Tape>(number, s);
}
