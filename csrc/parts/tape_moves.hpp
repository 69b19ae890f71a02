// Tape moves: one circular tape, its cells one after another, and the mixture of the moves of its head.
//
// A tape is stored twice in succession, so that the tape from any cell on is contiguous. All sizes are in numbers. The
// transpose of a move is the move with the opposite actions, so that the backward pass uses the same functions.
#pragma once

#include "base/vectors.hpp"

// The probabilities of the actions of a head; a far move is a jump, or a move with a blank cell.
template <typename T>
struct Moves {
    T stay, right, left, far_right, far_left;

    static Moves of(const T* actions) { return {actions[0], actions[1], actions[2], actions[3], actions[4]}; }

    Moves opposite() const { return {stay, left, right, far_left, far_right}; }

    // All moves by one cell, with and without a blank one.
    Moves near() const { return {stay, right + far_right, left + far_left, T(0), T(0)}; }
};

// Make the second copy of a tape.
template <typename T>
inline void repeat(int64_t size, T* tape) {
    copy((const T*)tape, size, tape + size);
}

// to[i] = stay M[i] + right M[i + cell] + left M[i - cell] for i in start..end-1, indices modulo the size.
template <typename T>
inline void move_near(int64_t start, int64_t end, int64_t size, int64_t cell, const T* from, T stay, T right, T left,
                      T* to) {
    const T *after = from + cell, *before = from + size - cell;
    by_register<T>(end - start, [&](int64_t j, int64_t count) {
        const int64_t i = start + j;
        store(to + i, stay * load(from + i, count) + right * load(after + i, count) + left * load(before + i, count),
              count);
    });
}

// The tape after moves by a cell and jumps of `jump` numbers, less than the size.
template <typename T>
inline void move_with_jumps(int64_t size, int64_t cell, int64_t jump, const T* from, Moves<T> a, T* to) {
    const T *after = from + cell, *before = from + size - cell, *far_after = from + jump,
            *far_before = from + size - jump;
    by_register<T>(size, [&](int64_t i, int64_t count) {
        const Vector<T> near =
            a.stay * load(from + i, count) + a.right * load(after + i, count) + a.left * load(before + i, count);
        const Vector<T> far = a.far_right * load(far_after + i, count) + a.far_left * load(far_before + i, count);
        store(to + i, near + far, count);
    });
}

// The tape after moves by a cell, of which the far ones lose the cell at an end and get a blank one at the other.
template <typename T>
inline void move_with_blanks(int64_t size, int64_t cell, const T* from, Moves<T> a, T* to) {
    const Moves<T> all = a.near();
    if (size == cell) return move_near(0, size, size, cell, from, a.stay, a.right, a.left, to);
    move_near(0, cell, size, cell, from, a.stay, all.right, a.left, to);
    move_near(cell, size - cell, size, cell, from, a.stay, all.right, all.left, to);
    move_near(size - cell, size, size, cell, from, a.stay, a.right, all.left, to);
}

// The gradients of the moves from the gradient `d` of the tape after them.
template <typename T>
inline Moves<T> moves_backward_with_jumps(int64_t size, int64_t cell, int64_t jump, const T* from, const T* d) {
    const T *after = from + cell, *before = from + size - cell, *far_after = from + jump,
            *far_before = from + size - jump;
    Vector<T> sums[5] = {};
    by_register<T>(size, [&](int64_t i, int64_t count) {
        const Vector<T> own = load(d + i, count);
        auto times = [&](const T* turned) { return own * load(turned + i, count); };
        sums[0] += times(from);
        sums[1] += times(after);
        sums[2] += times(before);
        sums[3] += times(far_after);
        sums[4] += times(far_before);
    });
    return {sum<T>(sums[0]), sum<T>(sums[1]), sum<T>(sums[2]), sum<T>(sums[3]), sum<T>(sums[4])};
}

template <typename T>
inline Moves<T> moves_backward_with_blanks(int64_t size, int64_t cell, const T* from, const T* d) {
    const int64_t inner = size - cell;
    const T far_right = dot(d, from + cell, inner), far_left = dot(d + cell, from, inner);
    return {dot(d, from, size), far_right + dot(d + inner, from, cell), far_left + dot(d, from + inner, cell),
            far_right, far_left};
}
