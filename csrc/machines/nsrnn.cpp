// Recurrent network with a nondeterministic stack: parts/runs.hpp contains its memory, machine/engine.hpp the rest.
#include "machines/nsrnn.hpp"

#include "machine/passes.hpp"
#include "parts/runs_backward.hpp"
#include "parts/runs_forward.hpp"

MEMTAPE_DEFINE_MACHINE(nsrnn, Runs, NSRNNInterface)
