// Allocation: which slots of a Differentiable Neural Computer are free (Graves et al. 2016, "Dynamic memory
// allocation"), forwards and backwards.
//
// The equations are those of memtape/ops/allocation.py.
#pragma once

#include "base/vectors.hpp"
#include "parts/near_ties.hpp"

// The order of numbers from the least to the largest, NaN last; of numbers that differ by no more than a tolerance, or
// that part of a number above 1, their own order.
template <typename T>
class Order {
  public:
    Order(int64_t count, double tolerance) : count(count), tolerance(T(tolerance)), keys(padded<T>(count)), marks(count) {
        for (int lane = 0; lane < LANES<T>; ++lane) lanes[lane] = lane;
    }

    // Fill `order` with the index of the least number, of the next, and so on.
    void find(const T* numbers, int64_t* order) {
        for (int64_t i = 0; i < count; ++i) keys[i] = key(numbers[i]);
        for (int64_t i = 0; i < count; i += LANES<T>) {
            const Bits<T> own = at(i);
            Bits<T> before = {};  // how many come before each, a comparison that holds being -1
            int64_t j = 0;
            for (; j < i; ++j) before -= keys[j] <= own;
            for (; j < std::min<int64_t>(count, i + LANES<T>); ++j) {
                const Bits<T> later = lanes > Word(j - i);
                before -= (keys[j] < own) | ((keys[j] == own) & later);
            }
            for (; j < count; ++j) before -= keys[j] < own;
            for (int lane = 0; lane < LANES<T> && i + lane < count; ++lane) order[before[lane]] = i + lane;
        }
        order_near_ties(
            order, count, count,
            [&](int64_t a, int64_t b) { return numbers[b] - numbers[a] <= tolerance * std::max(T(1), numbers[b]); },
            [](int64_t a, int64_t b) { return a < b; }, [&](int64_t* first, int64_t* end) { sort(first, end); });
    }

  private:
    using Word = typename Register<T>::Word;
    static constexpr int64_t FEW = 16;
    const int64_t count;
    const T tolerance;
    Array<Word> keys;
    std::vector<uint8_t> marks;  // of the numbers of a run
    Bits<T> lanes;

    // Runs are often long, since slots that nobody writes to are all used alike.
    void sort(int64_t* first, int64_t* end) {
        if (end - first <= FEW) return std::sort(first, end);
        const auto [least, most] = std::minmax_element(first, end);
        const int64_t from = *least, to = *most;
        for (int64_t* one = first; one != end; ++one) marks[*one] = 1;
        for (int64_t i = from; i <= to; ++i) {
            *first = i;
            first += marks[i];
            marks[i] = 0;
        }
    }

    Bits<T> at(int64_t i) const {
        Bits<T> own;
        std::memcpy(&own, &keys[i], sizeof(own));
        return own;
    }

    // A whole number that is less where a number is less.
    static Word key(T number) {
        if (number != number) return std::numeric_limits<Word>::max();
        number += T(0);  // -0 is 0
        Word word;
        std::memcpy(&word, &number, sizeof(word));
        return word < 0 ? word ^ std::numeric_limits<Word>::max() : word;
    }
};

// Where each write head finds room, after the ones before it took some.
template <typename T>
class Allocation {
  public:
    Allocation(int64_t count, int64_t slots, int64_t heads, double epsilon, double tolerance)
        : count(count), slots(slots), heads(heads), epsilon(T(epsilon)), order(count, tolerance), orders(heads * count),
          usages(heads * slots), raised(slots), ascending(heads * count), taken(heads * count), found(heads * slots),
          d_used(slots) {}

    // Of a head, after `find`.
    const T* weights(int64_t head) const { return &found[head * slots]; }

    // `gates` say how much of where it writes each head allocates, `write_gates` how much it writes at all.
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

    // From the gradients of the weights, which are changed, to those of the usage and the gates, which are added to.
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

    // The usage that the head before `head` saw.
    const T* before(int64_t head) const { return &usages[(head - 1) * slots]; }

    // a[k-th] = (1 - u[k-th]) prod of those before
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

// The gradient of the weights is added to; d_retained is changed.
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

// d_usage becomes the gradient of the usage before; that of the weights is given unless null.
template <typename T>
inline void use_backward(int64_t slots, int64_t heads, const T* weights, const T* seen, T* d_usage, T* d_weights) {
    for (int64_t h = heads - 1; h >= 0; --h)
        for (int64_t i = 0; i < slots; i += LANES<T>) {
            const Vector<T> d = load(d_usage + i);
            if (d_weights) store(d_weights + h * slots + i, d * (T(1) - load(seen + h * slots + i)));
            store(d_usage + i, d * (T(1) - load(weights + h * slots + i)));
        }
}
