// Differentiable Neural Computer: parts/slots.hpp contains its memory, machine/engine.hpp the rest.
#include "machines/dnc.hpp"

#include "machine/passes.hpp"
#include "parts/slots_backward.hpp"
#include "parts/slots_forward.hpp"

MEMTAPE_DEFINE_MACHINE(dnc, Slots, DNCInterface)
