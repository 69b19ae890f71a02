// Failure: the message of a case whose check fails, and the end of the driver.
#pragma once

#include <cstdio>
#include <cstdlib>

// The case has its text in `name`.
template <typename Case>
[[noreturn]] void fail(const Case& one, const char* what) {
    std::fprintf(stderr, "driver: %s: %s\n", one.name.c_str(), what);
    std::exit(1);
}
