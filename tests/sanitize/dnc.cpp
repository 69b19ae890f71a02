// The Differentiable Neural Computers of csrc/ over odd sizes; see driver.cpp.
#include "machines/dnc.hpp"

#include <cstdio>
#include <limits>
#include <type_traits>
#include <vector>

#include "machines.hpp"

namespace {

struct Computer {
    using Sizes = memtape_dnc_sizes;
    using State = memtape_dnc_state;
    static constexpr int64_t places[] = {1, 2, 3, 4, 5};

    static int64_t read(const Sizes& s) { return s.reads * s.width; }
    static int64_t raw(const Sizes& s) {
        return s.reads * (s.width + 2 + 1 + 2 * s.writes) + s.writes * (3 * s.width + 3) +
               (s.masked ? (s.reads + s.writes) * s.width : 0) + (s.sharpen ? 2 * s.reads * s.writes : 0);
    }
    static std::vector<int64_t> state(const Sizes& s) {
        const int64_t rows = s.machine.batch * s.slots;
        return {rows * s.width, rows * s.reads, rows * s.writes, rows, rows * s.writes * s.slots, rows * s.writes};
    }
    template <typename T, typename... Given>
    static int forward(Given... given) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_dnc_forward_float32(given...);
        else
            return memtape_dnc_forward_float64(given...);
    }
    template <typename T, typename... Given>
    static int backward(Given... given) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_dnc_backward_float32(given...);
        else
            return memtape_dnc_backward_float64(given...);
    }
    template <typename T>
    static int64_t kept(const Sizes* sizes) {
        if constexpr (std::is_same_v<T, float>)
            return memtape_dnc_kept_float32(sizes);
        else
            return memtape_dnc_kept_float64(sizes);
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
    s.norm_epsilon = 1e-12;
    s.product_epsilon = pick({0, 1}) ? 1e-6 : 0;
    char name[200];
    std::snprintf(name, sizeof name,
                  " slots %ld width %ld reads %ld writes %ld oneplus %ld squash %ld masked %ld sharpen %ld deallocate "
                  "%ld usage_gradient %ld "
                  "clip %g usage_epsilon %g product_epsilon %g",
                  long(s.slots), long(s.width), long(s.reads), long(s.writes), long(s.oneplus), long(s.squash),
                  long(s.masked), long(s.sharpen), long(s.deallocate), long(s.usage_gradient), s.clip, s.usage_epsilon,
                  s.product_epsilon);
    run_both<Computer>(s, named("Differentiable Neural Computer", number, s.machine) + name);
}
