// Allocation: the allocation weights of a Differentiable Neural Computer (Graves et al. 2016, "Dynamic memory
// allocation"), forward and backward.
//
// The equations are those of memtape/ops/allocation.py.
#pragma once

#include <algorithm>

#include "base/vectors.hpp"

// Sort numbers in ascending order, NaN last; numbers that differ by at most a tolerance, relative for numbers above 1,
// are in the order of their indices.
template <typename T>
class Order {
  public:
    using Word = typename Register<T>::Word;

    Order(int64_t count, double tolerance)
        : count(count), tolerance(T(tolerance)), keys(padded<T>(count)), order(padded<T>(count) + LANES<T>),
          ascending(order.size(), std::numeric_limits<T>::quiet_NaN()), runs(count), next(count) {
        for (int lane = 0; lane < LANES<T>; ++lane) lanes[lane] = lane;
    }

    // Fill `indices` with the index of the smallest number, of the next, and so on.
    void find(const T* numbers, Word* indices) {
        sort(numbers);
        if (all_runs_are_sorted())
            copy(order.data(), count, indices);
        else
            sort_runs(indices);
    }

  private:
    const int64_t count;
    const T tolerance;
    Array<Word> keys, order;
    Array<T> ascending;            // the numbers in `order`, then NaN
    std::vector<Word> runs, next;  // where the run of each index starts, and the next free place of each run
    Bits<T> lanes;

    // Sort by counting how many numbers come before each one; of equal ones the first index comes first.
    void sort(const T* numbers) {
        for (int64_t i = 0; i < count; ++i) keys[i] = key(numbers[i]);
        for (int64_t i = 0; i < count; i += LANES<T>) {
            const Bits<T> own = at(&keys[i]), above = own + 1;
            Bits<T> before = {};  // a true comparison is -1
            const int64_t end = std::min<int64_t>(count, i + LANES<T>);
            int64_t j = 0;
            for (; j < i; ++j) before -= keys[j] < above;
            for (; j < end; ++j) before -= keys[j] < own - (lanes > Word(j - i));
            for (; j < count; ++j) before -= keys[j] < own;
            for (int64_t lane = 0; lane < end - i; ++lane) {
                order[before[lane]] = Word(i + lane);
                ascending[before[lane]] = numbers[i + lane];
            }
        }
    }

    // Usually they are, since most near-ties are equal numbers.
    bool all_runs_are_sorted() const {
        Bits<T> inverted = {};
        for (int64_t k = 0; k < count; k += LANES<T>) {
            const Vector<T> lower = load(&ascending[k]), upper = load(&ascending[k + 1]);
            const Bits<T> joined = upper - lower <= tolerance * larger<T>(upper, all(T(1)));
            inverted |= joined & (at(&order[k]) > at(&order[k + 1]));
        }
        for (int lane = 1; lane < LANES<T>; ++lane) inverted[0] |= inverted[lane];
        return !inverted[0];
    }

    void sort_runs(Word* indices) {
        Word start = 0;
        for (int64_t k = 0; k < count; ++k) {
            const T lower = ascending[k ? k - 1 : 0], upper = ascending[k];
            start = upper - lower <= tolerance * std::max(T(1), upper) ? start : Word(k);
            runs[order[k]] = start;
            next[k] = Word(k);
        }
        for (int64_t i = 0; i < count; ++i) indices[next[runs[i]]++] = Word(i);
    }

    static Bits<T> at(const Word* from) {
        Bits<T> words;
        std::memcpy(&words, from, sizeof(words));
        return words;
    }

    // An integer with the same order as the number, below the largest one.
    static Word key(T number) {
        if (number != number) return std::numeric_limits<Word>::max() - 1;
        number += T(0);  // -0 is 0
        Word word;
        std::memcpy(&word, &number, sizeof(word));
        return word < 0 ? word ^ std::numeric_limits<Word>::max() : word;
    }
};

// The allocation weights of each write head, after the allocations of the previous ones.
template <typename T>
class Allocation {
  public:
    Allocation(int64_t count, int64_t slots, int64_t heads, double epsilon, double tolerance)
        : count(count), slots(slots), heads(heads), epsilon(T(epsilon)), order(count, tolerance), orders(heads * count),
          usages(heads * slots), raised(slots), ascending(heads * count), taken(heads * count), found(heads * slots),
          d_used(slots) {}

    // The allocation weights of a head, after `find`.
    const T* weights(int64_t head) const { return &found[head * slots]; }

    // `gates` are the allocation gates and `write_gates` the write gates of the heads. `saved` is what `save` stored of
    // the same step; null sorts the usages.
    void find(const T* usage, const T* gates, const T* write_gates, const T* saved = nullptr) {
        if (saved) restore(saved);
        copy(usage, slots, usages.data());
        for (int64_t h = 0; h < heads; ++h) {
            if (h) {
                const T amount = gates[h - 1] * write_gates[h - 1];
                for (int64_t i = 0; i < slots; i += LANES<T>) {
                    const Vector<T> used = load(before(h) + i);
                    store(&usages[h * slots + i], used + (T(1) - used) * amount * load(weights(h - 1) + i));
                }
            }
            find_one(h, !saved);
        }
    }

    // Store the orders of the usages.
    void save(T* to) const { std::memcpy(to, orders.data(), orders.size() * sizeof(T)); }

    // Add the gradients of the usage and the gates, from those of the weights, which are changed.
    void backward(const T* gates, const T* write_gates, T* d_found, T* d_usage, T* d_gates, T* d_write_gates) {
        clear(d_used.data(), slots);
        for (int64_t h = heads - 1; h >= 0; --h) {
            find_one_backward(h, d_found + h * slots);
            if (h == 0) break;
            const T amount = gates[h - 1] * write_gates[h - 1];
            T* d_own = d_found + (h - 1) * slots;
            Vector<T> d_amount = {};
            for (int64_t i = 0; i < slots; i += LANES<T>) {
                const Vector<T> d = load(&d_used[i]), own = load(weights(h - 1) + i);
                const Vector<T> d_room = d * (T(1) - load(before(h) + i));
                d_amount += d_room * own;
                store(d_own + i, load(d_own + i) + d_room * amount);
                store(&d_used[i], d * (T(1) - amount * own));
            }
            d_gates[h - 1] += sum<T>(d_amount) * write_gates[h - 1];
            d_write_gates[h - 1] += sum<T>(d_amount) * gates[h - 1];
        }
        gather<T>(d_used.data(), slots, d_usage);
    }

  private:
    const int64_t count, slots, heads;
    const T epsilon;
    Order<T> order;
    std::vector<typename Order<T>::Word> orders;
    Array<T> usages, raised, ascending, taken, found, d_used;

    // Saved data may have been changed since; an invalid index is replaced by a valid one.
    void restore(const T* saved) {
        using Word = typename Order<T>::Word;
        std::memcpy(orders.data(), saved, orders.size() * sizeof(T));
        for (Word& index : orders) index = std::min(std::max<Word>(index, 0), Word(count - 1));
    }

    // The usage before the allocation of the previous head.
    const T* before(int64_t head) const { return &usages[(head - 1) * slots]; }

    // a[k-th] = (1 - u[k-th]) prod of the usages before it
    void find_one(int64_t h, bool sorts) {
        auto* own_order = &orders[h * count];
        T *own_ascending = &ascending[h * count], *own_taken = &taken[h * count], *own = &found[h * slots];
        for (int64_t i = 0; i < slots; i += LANES<T>)
            store(&raised[i], epsilon + (T(1) - epsilon) * load(&usages[h * slots + i]));
        if (sorts) order.find(raised.data(), own_order);
        T product = 1;
        for (int64_t k = 0; k < count; ++k) {
            const T used = raised[own_order[k]];
            own_ascending[k] = used;
            own_taken[k] = product;
            own[own_order[k]] = (T(1) - used) * product;
            product *= used;
        }
    }

    void find_one_backward(int64_t h, const T* d_found) {
        const auto* own_order = &orders[h * count];
        const T *own_ascending = &ascending[h * count], *own_taken = &taken[h * count];
        T d_product = 0;  // the gradient of the product after the k-th, in units of the one before it
        for (int64_t k = count - 1; k >= 0; --k) {
            const T used = own_ascending[k], d = d_found[own_order[k]];
            const T d_raised = own_taken[k] * (d_product - d);
            d_used[own_order[k]] += (T(1) - epsilon) * d_raised;
            d_product = d * (T(1) - used) + used * d_product;
        }
    }
};

// retained = prod over heads of (1 - gate weights); `kept` gets the products of the heads before each.
template <typename T>
inline void retain(int64_t slots, int64_t heads, const T* gates, const T* weights, T* kept, T* retained) {
    for (int64_t i = 0; i < slots; i += LANES<T>) {
        Vector<T> value = all(T(1));
        for (int64_t h = 0; h < heads; ++h) {
            store(kept + h * slots + i, value);
            value *= T(1) - gates[h] * load(weights + h * slots + i);
        }
        store(retained + i, value);
    }
}

// The gradient is added to that of the weights; d_retained is changed.
template <typename T>
inline void retain_backward(int64_t slots, int64_t heads, const T* gates, const T* weights, const T* kept,
                            T* d_retained, T* d_weights, T* d_gates) {
    for (int64_t h = heads - 1; h >= 0; --h) {
        Vector<T> d_gate = {};
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> d = load(d_retained + i), own = load(weights + h * slots + i);
            const Vector<T> lost = d * load(kept + h * slots + i);
            d_gate += lost * own;
            store(d_weights + h * slots + i, load(d_weights + h * slots + i) - lost * gates[h]);
            store(d_retained + i, d * (T(1) - gates[h] * own));
        }
        d_gates[h] = -sum<T>(d_gate);
    }
}

// usage += (1 - usage) weights, head by head; `seen` gets the usages before each head, and after the last.
template <typename T>
inline void use(int64_t slots, int64_t heads, const T* usage, const T* weights, T* seen) {
    copy(usage, slots, seen);
    for (int64_t h = 0; h < heads; ++h)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> used = load(seen + h * slots + i);
            store(seen + (h + 1) * slots + i, used + (T(1) - used) * load(weights + h * slots + i));
        }
}

// d_usage becomes the gradient of the previous usage; that of the weights is computed unless null.
template <typename T>
inline void use_backward(int64_t slots, int64_t heads, const T* weights, const T* seen, T* d_usage, T* d_weights) {
    for (int64_t h = heads - 1; h >= 0; --h)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> d = load(d_usage + i);
            if (d_weights) store(d_weights + h * slots + i, d * (T(1) - load(seen + h * slots + i)));
            store(d_usage + i, d * (T(1) - load(weights + h * slots + i)));
        }
}
