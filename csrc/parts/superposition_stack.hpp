// Superposition stack: one stack, its cells one after another from the top, and its operations.
//
// A step is a sum of shifted stacks: the cells moved down by a push, moved up by a pop, and left in place. All
// sizes are in numbers. Behind their last cell the arrays hold two cells of zeros.
#pragma once

#include "base/vectors.hpp"

// The probabilities of the actions of a stack, or their gradients; `none` is null for a stack without no-op.
template <typename T>
struct Actions {
    T *push, *pop, *none;
};

// to = push [pushed, from] + pop from[1..] + none from, of `size` numbers; `from` is zero from there on.
template <typename T>
inline void superpose(int64_t width, int64_t size, const T* from, Actions<const T> actions, const T* pushed, T* to) {
    const T push = *actions.push, pop = *actions.pop, none = actions.none ? *actions.none : T(0);
    for (int64_t i = 0; i < width; ++i) to[i] = push * pushed[i] + pop * from[width + i] + none * from[i];
    const T *above = from - width, *below = from + width;
    by_register<T>(size - width, [&](int64_t j, int64_t count) {
        const int64_t i = width + j;
        store(to + i, push * load(above + i, count) + pop * load(below + i, count) + none * load(from + i, count),
              count);
    });
}

// Backward pass: from the gradient `d` of the new cells, which is zero from `size` numbers on, compute that of the old
// ones, of the actions and of the pushed value.
template <typename T>
inline void superpose_backward(int64_t width, int64_t size, const T* from, Actions<const T> actions, const T* pushed,
                               const T* d, T* d_from, Actions<T> d_actions, T* d_pushed) {
    const T push = *actions.push, pop = *actions.pop, none = actions.none ? *actions.none : T(0);
    for (int64_t i = 0; i < width; ++i) d_pushed[i] = push * d[i];
    auto product = [&](const T* a, const T* b, int64_t numbers) {
        return total<T>(numbers, [&](int64_t i, int64_t count) { return load(a + i, count) * load(b + i, count); });
    };
    const int64_t inner = std::max<int64_t>(0, size - width);
    *d_actions.push = product(d, pushed, width) + product(d + width, from, inner);
    *d_actions.pop = product(d, from + width, size);
    if (d_actions.none) *d_actions.none = product(d, from, size);
    for (int64_t i = 0; i < width; ++i) d_from[i] = push * d[width + i] + none * d[i];
    by_register<T>(size, [&](int64_t j, int64_t count) {
        const int64_t i = width + j;
        store(d_from + i, push * load(d + width + i, count) + pop * load(d + j, count) + none * load(d + i, count),
              count);
    });
}
