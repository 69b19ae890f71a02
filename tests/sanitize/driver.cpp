// Driver: calls the kernels of csrc/ over odd sizes, with every buffer on the heap and exactly as large as the headers
// require, so that a sanitizer detects each access outside of a buffer. It prints nothing unless something is wrong,
// and a count at the end. The kernels are called in ntm.cpp, dnc.cpp, sam.cpp, stackrnn.cpp, strength_stack.cpp,
// nsrnn.cpp, tape.cpp, recurrence.cpp, scan.cpp and entity.cpp.
//
// Two arguments: the level of the x86-64 architecture that it was built for, without which it refuses to run (code 77),
// and the number of cases of each kind. With MEMTAPE_DRIVER_VERBOSE set it prints each case before it runs it.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "buffer.hpp"

extern "C" int64_t memtape_x86_64_level(void);

void run_ntm(int64_t number);
void run_scan(int64_t number);
void run_entity(int64_t number);
void run_dnc(int64_t number);
void run_sam(int64_t number);
void run_stackrnn(int64_t number);
void run_strength_stack(int64_t number);
void run_nsrnn(int64_t number);
void run_tape(int64_t number);
void run_recurrence(int64_t number);

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
        run_ntm(number);
        run_dnc(number);
        run_sam(number);
        run_stackrnn(number);
        run_strength_stack(number);
        run_nsrnn(number);
        run_tape(number);
        run_recurrence(number);
        run_scan(number);
        run_entity(number);
        ++done;
    }
    std::printf(
        "%ld each of ntm, dnc, sam, stackrnn, strength_stack, nsrnn, tape, recurrence, scan, entity, of both dtypes\n",
        long(done));
    return 0;
}
