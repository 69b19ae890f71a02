// The recurrent networks with nondeterministic stacks of csrc/ over odd sizes; see driver.cpp.
#include "machines/nsrnn.hpp"

#include "machines.hpp"

namespace {

MACHINE(Kernel, nsrnn, NSRNNInterface)

struct NSRNN : Kernel {
    static constexpr int64_t weights[] = {0, 1, 2};
    static int64_t among(const Sizes& s) { return s.cells; }

    static int64_t read(const Sizes& s) {
        return (s.reading ? 1 : s.states) * s.symbols * (s.parts > 1 ? s.parts - 1 : 1);
    }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t batch = s.machine.batch, sources = s.cells * s.states * s.symbols;
        return {batch * sources * s.symbols * s.parts * s.cells * s.states, batch * sources,
                batch * s.states * s.symbols * s.parts, batch};
    }
};

}  // namespace

// One machine of random sizes, of each dtype.
void run_nsrnn(int64_t number) {
    memtape_nsrnn_sizes s = {};
    s.machine = random_machine();
    s.machine.controller = number % 4;
    s.machine.shortcuts = pick({0, 1});
    s.symbols = pick({1, 2, 3, 5});
    s.cells = pick({1, 2, 5, 18});
    s.states = pick({1, 2, 3, 4, 5});
    s.parts = pick({1, 1, 2, 4});
    s.normalised = pick({0, 1});
    s.reading = pick({0, 1});
    run_both<NSRNN>(number, s);
}
