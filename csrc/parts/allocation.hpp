// Allocation: the allocation weights of a Differentiable Neural Computer (Graves et al. 2016, "Dynamic memory
// allocation"), forward and backward.
//
// The equations are those of memtape/ops/allocation.py.
#pragma once

#include "base/vectors.hpp"

// Sort numbers in ascending order, NaN last; numbers that differ by at most a tolerance, relative for numbers above 1,
// are in the order of their indices.
template <typename T>
class Order {
  public:
    Order(int64_t count, double tolerance)
        : count(count), tolerance(T(tolerance)), keys(padded<T>(count)), ascending(count), runs(count),
          next(count) {
        for (int lane = 0; lane < LANES<T>; ++lane) lanes[lane] = lane;
    }

    // Fill `order` with the index of the smallest number, of the next, and so on.
    void find(const T* numbers, int64_t* order) {
        sort(numbers, order);
        for (int64_t k = 0; k < count; ++k) ascending[k] = numbers[order[k]];
        bool sorted = true;
        for (int64_t k = 1; k < count; ++k)
            sorted &= (order[k - 1] < order[k]) | !joins(ascending[k - 1], ascending[k]);
        if (!sorted) sort_runs(order);
    }

  private:
    using Word = typename Register<T>::Word;
    const int64_t count;
    const T tolerance;
    Array<Word> keys;
    std::vector<T> ascending;
    std::vector<int32_t> runs, next;  // the run of each index, and the next free place of each run
    Bits<T> lanes;

    bool joins(T a, T b) const { return b - a <= tolerance * std::max(T(1), b); }

    // Sort the indices of each run.
    void sort_runs(int64_t* order) {
        int32_t run = 0;
        for (int64_t k = 0; k < count; ++k) {
            if (k == 0 || !joins(ascending[k - 1], ascending[k])) run = next[k] = int32_t(k);
            runs[order[k]] = run;
        }
        for (int64_t i = 0; i < count; ++i) order[next[runs[i]]++] = i;
    }

    // Sort by counting how many numbers come before each one; of equal ones the first index comes first.
    void sort(const T* numbers, int64_t* order) {
        for (int64_t i = 0; i < count; ++i) keys[i] = key(numbers[i]);
        for (int64_t i = 0; i < count; i += LANES<T>) {
            const Bits<T> own = at(i), above = own + 1;
            Bits<T> before = {};  // a true comparison is -1
            const int64_t end = std::min<int64_t>(count, i + LANES<T>);
            int64_t j = 0;
            for (; j < i; ++j) before -= keys[j] < above;
            for (; j < end; ++j) before -= keys[j] < own - (lanes > Word(j - i));
            for (; j < count; ++j) before -= keys[j] < own;
            for (int64_t lane = 0; lane < end - i; ++lane) order[before[lane]] = i + lane;
        }
    }

    Bits<T> at(int64_t i) const {
        Bits<T> own;
        std::memcpy(&own, &keys[i], sizeof(own));
        return own;
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

    // `gates` are the allocation gates and `write_gates` the write gates of the heads.
    void find(const T* usage, const T* gates, const T* write_gates) {
        copy(usage, slots, usages.data());
        for (int64_t h = 0; h < heads; ++h) {
            if (h) {
                const T amount = gates[h - 1] * write_gates[h - 1];
                for (int64_t i = 0; i < slots; i += LANES<T>) {
                    const Vector<T> used = load(before(h) + i);
                    store(&usages[h * slots + i], used + (T(1) - used) * amount * load(weights(h - 1) + i));
                }
            }
            find_one(h);
        }
    }

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
    std::vector<int64_t> orders;
    Array<T> usages, raised, ascending, taken, found, d_used;

    // The usage before the allocation of the previous head.
    const T* before(int64_t head) const { return &usages[(head - 1) * slots]; }

    // a[k-th] = (1 - u[k-th]) prod of the usages before it
    void find_one(int64_t h) {
        int64_t* own_order = &orders[h * count];
        T *own_ascending = &ascending[h * count], *own_taken = &taken[h * count], *own = &found[h * slots];
        for (int64_t i = 0; i < slots; i += LANES<T>)
            store(&raised[i], epsilon + (T(1) - epsilon) * load(&usages[h * slots + i]));
        order.find(raised.data(), own_order);
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
        const int64_t* own_order = &orders[h * count];
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
