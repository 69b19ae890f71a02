// Sparse Access Memory, with or without links: parts/sparse_memory.hpp contains its memory, machine/engine.hpp the
// rest.
#include "machines/sam.hpp"

#include "machine/passes.hpp"
#include "parts/sparse_memory_backward.hpp"
#include "parts/sparse_memory_forward.hpp"

MEMTAPE_DEFINE_MACHINE(sam, SparseMemory, SAMInterface)
