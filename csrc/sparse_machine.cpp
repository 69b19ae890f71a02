// Sparse machine: whole sequences of a Sparse Access Memory, forwards and backwards.
//
// Here is its memory; machine.hpp has the rest. A row's memory is changed in place, and the slots that a step writes to
// are kept as they were before. The way back has the slots that were visited, and no others, in a store of its own,
// where it undoes the writes one step after another.
#include "sparse_machine.h"

#include "machine_passes.hpp"
#include "neighbours.hpp"
#include "recency.hpp"
#include "sparse_interface.hpp"

namespace {

// to += factor * from
template <typename T>
void add_scaled(const T* from, T factor, int64_t count, T* to) {
    by_register<T>(count, [&](int64_t i, int64_t some) {
        store(to + i, load(to + i, some) + load(from + i, some) * factor, some);
    });
}

template <typename T>
T dot(const T* a, const T* b, int64_t count) {
    return total<T>(count, [&](int64_t i, int64_t some) { return load(a + i, some) * load(b + i, some); });
}

// Where each head has read, and with which weight.
template <typename T>
struct Reading {
    const int32_t* slots;
    const T* weights;
    int64_t stride, count;  // from head to head, and of each

    int32_t slot(int64_t head, int64_t i) const { return slots[head * stride + i]; }
    T weight(int64_t head, int64_t i) const { return weights[head * stride + i]; }
};

template <typename T>
class SparseMemory {
  public:
    using Number = T;
    using Sizes = memtape_sparse_sizes;
    using State = memtape_sparse_state;

    const Sizes& sizes;
    const int64_t slots, width, heads, nearest, first_nearest, read_size, steps;
    const T threshold;
    const SparseInterface<T> interface;
    int64_t kept;  // numbers for the way back

    explicit SparseMemory(const Sizes& sizes)
        : sizes(sizes), slots(sizes.slots), width(sizes.width), heads(sizes.heads), nearest(sizes.nearest),
          first_nearest(sizes.first_nearest), read_size(heads * width), steps(sizes.machine.time),
          threshold(T(sizes.threshold)),
          interface(heads, width, sizes.squash != 0, Strengths(sizes.strengths), sizes.clip),
          first_written(std::min(slots, heads * (first_nearest + 1))), written(std::min(slots, heads * (nearest + 1))) {
        const int64_t rows = sizes.machine.batch, once = heads * first_nearest, each = heads * nearest;
        Sections sections;
        first_slots_at = sections.section(rows * once);
        first_weights_at = sections.section(rows * once);
        slots_at = sections.section(rows * steps * each);
        weights_at = sections.section(rows * steps * each);
        cosines_at = sections.section(rows * steps * each);
        least_at = sections.section(rows * steps * heads);
        overwritten_at = sections.section(rows * (first_written + (steps - 1) * written) * width);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return TOGETHER_BYTES / MOST_TOGETHER; }
    int64_t backward_bytes() const { return forward_bytes(); }

    int64_t length(int64_t row) const { return sizes.machine.lengths ? sizes.machine.lengths[row] : steps; }

    // What is kept: where the heads read before the first step, and in each, with which weights and cosines; the slots
    // that gave way; and what stood where a step wrote. A number has room for the number of a slot.
    int32_t* first_slots(T* block, int64_t row) const {
        return reinterpret_cast<int32_t*>(block + first_slots_at) + row * heads * first_nearest;
    }
    T* first_weights(T* block, int64_t row) const { return block + first_weights_at + row * heads * first_nearest; }
    int32_t* read_slots(T* block, int64_t row, int64_t t) const {
        return reinterpret_cast<int32_t*>(block + slots_at) + (row * steps + t) * heads * nearest;
    }
    T* read_weights(T* block, int64_t row, int64_t t) const {
        return block + weights_at + (row * steps + t) * heads * nearest;
    }
    T* cosines(T* block, int64_t row, int64_t t) const {
        return block + cosines_at + (row * steps + t) * heads * nearest;
    }
    int32_t* least(T* block, int64_t row, int64_t t) const {
        return reinterpret_cast<int32_t*>(block + least_at) + (row * steps + t) * heads;
    }
    T* overwritten(T* block, int64_t row, int64_t t) const {
        const int64_t before = t ? first_written + (t - 1) * written : 0;
        return block + overwritten_at + (row * (first_written + (steps - 1) * written) + before) * width;
    }

    // Where the heads read before step t.
    Reading<T> before(T* block, int64_t row, int64_t t) const {
        if (!t) return {first_slots(block, row), first_weights(block, row), first_nearest, first_nearest};
        return {read_slots(block, row, t - 1), read_weights(block, row, t - 1), nearest, nearest};
    }

    class Forward;
    class Backward;

  private:
    const int64_t first_written, written;  // the most slots that the first step, and another, writes to
    int64_t first_slots_at, first_weights_at, slots_at, weights_at, cosines_at, least_at, overwritten_at;
};

template <typename T>
class SparseMemory<T>::Forward {
  public:
    Forward(const SparseMemory& m, const State&, const State& last, T* kept, int64_t together)
        : m(m), last(last), kept(kept), places(together), control(m.interface.control_size) {}

    void begin(int64_t r, int64_t row) {
        Place& own = places[r];
        own.memory = (T*)last.memory + row * m.slots * m.width;
        own.read_weights = (T*)last.read_weights + row * m.heads * m.slots;
        own.usage = (T*)last.usage + row * m.slots;
        own.used = Lazy<T>(m.slots);
        own.seen = Lazy<uint8_t>(m.slots);
        own.latest = 0;
        for (int64_t i = 0; !m.sizes.unused && i < m.slots; ++i) {
            own.usage[i] = std::nearbyint(own.usage[i]);
            own.latest = i ? std::max(own.latest, own.usage[i]) : own.usage[i];
        }
        own.recency = Recency<T>(m.slots, m.sizes.unused ? nullptr : own.usage);
        own.neighbours =
            Neighbours<T>(own.memory, m.slots, m.width, m.heads, m.nearest, m.sizes.few, m.sizes.empty != 0);
        take_reading(own);
        if (!kept) return;
        std::copy(own.slots.begin(), own.slots.end(), m.first_slots(kept, row));
        std::copy(own.weights.begin(), own.weights.end(), m.first_weights(kept, row));
    }

    void end(int64_t r, int64_t) {
        Place& own = places[r];
        for (int64_t h = 0; h < m.heads; ++h)
            for (int64_t i = 0; i < own.count; ++i) {
                const T weight = own.weights[h * own.count + i];
                if (weight != 0) own.read_weights[h * m.slots + own.slots[h * own.count + i]] = weight;
            }
        own = Place();
    }

    void step(int64_t r, int64_t row, int64_t t, const T* raw, T* reads) {
        Place& own = places[r];
        m.interface.forward(raw, control.data());
        own.least.resize(m.heads);
        own.recency.oldest(m.heads, own.least.data());
        write(own, kept ? m.overwritten(kept, row, t) : nullptr);
        own.neighbours.changed(own.visited);
        read(own, reads);
        note_accesses(own);
        if (!kept) return;
        std::copy(own.least.begin(), own.least.end(), m.least(kept, row, t));
        std::copy(own.slots.begin(), own.slots.end(), m.read_slots(kept, row, t));
        std::copy(own.weights.begin(), own.weights.end(), m.read_weights(kept, row, t));
        for (int64_t h = 0; h < m.heads; ++h)
            std::copy_n(own.neighbours.cosines_of(h), m.nearest, m.cosines(kept, row, t) + h * m.nearest);
    }

  private:
    // One row of the batch.
    struct Place {
        T *memory = nullptr, *read_weights = nullptr, *usage = nullptr;
        T latest = 0;  // the step of the last access of any slot
        Recency<T> recency;
        Neighbours<T> neighbours;
        int64_t count = 0;  // where each head has read last
        std::vector<int32_t> slots;
        std::vector<T> weights;
        std::vector<int32_t> least;
        Lazy<T> used;                  // what the heads do in this step
        Lazy<uint8_t> seen;            // at the slots that are marked here
        std::vector<int32_t> visited;  // and listed here
    };

    const SparseMemory& m;
    const State& last;
    T* const kept;
    std::vector<Place> places;
    Array<T> control;

    // Take the read weights out of the state, where they leave zeros. A head that has read fewer slots than there is
    // room for gets slot 0 with weight 0.
    void take_reading(Place& own) const {
        own.count = m.first_nearest;
        own.slots.assign(m.heads * own.count, 0);
        own.weights.assign(m.heads * own.count, T(0));
        for (int64_t h = 0; !m.sizes.unread && h < m.heads; ++h) {
            int64_t n = h * own.count;
            T* weights = own.read_weights + h * m.slots;
            for (int64_t i = 0; i < m.slots; ++i)
                if (weights[i] != 0) own.slots[n] = int32_t(i), own.weights[n++] = weights[i], weights[i] = 0;
        }
    }

    static void visit(Place& own, int32_t slot, T weight) {
        if (!own.seen[slot]) own.visited.push_back(slot);
        own.seen[slot] = 1;
        own.used[slot] += weight;
    }

    void write(Place& own, T* overwritten) {
        const T *add = &control[m.interface.add], *open = &control[m.interface.write_gates];
        const T* again = &control[m.interface.gates];
        own.visited.clear();
        for (int64_t h = 0; h < m.heads; ++h)
            for (int64_t i = h * own.count; i < (h + 1) * own.count; ++i)
                if (own.weights[i] != 0) visit(own, own.slots[i], open[h] * again[h] * own.weights[i]);
        for (int64_t h = 0; h < m.heads; ++h) visit(own, own.least[h], open[h] * (1 - again[h]));
        if (overwritten)
            for (int32_t slot : own.visited)
                overwritten = copy((const T*)own.memory + slot * m.width, m.width, overwritten);
        for (int32_t slot : own.least) clear(own.memory + slot * m.width, m.width);
        for (int64_t h = 0; h < m.heads; ++h) {
            for (int64_t i = h * own.count; i < (h + 1) * own.count; ++i)
                if (own.weights[i] != 0)
                    add_scaled(add + h * m.width, open[h] * again[h] * own.weights[i], m.width,
                               own.memory + own.slots[i] * m.width);
            add_scaled(add + h * m.width, open[h] * (1 - again[h]), m.width, own.memory + own.least[h] * m.width);
        }
    }

    void read(Place& own, T* reads) {
        own.neighbours.find(control.data());
        own.count = m.nearest;
        own.slots.resize(m.heads * m.nearest);
        own.weights.resize(m.heads * m.nearest);
        clear(reads, m.read_size);
        for (int64_t h = 0; h < m.heads; ++h) {
            const int32_t* slots = own.neighbours.slots_of(h);
            const T* cosines = own.neighbours.cosines_of(h);
            T* weights = &own.weights[h * m.nearest];
            const T strength = control[m.interface.strengths + h];
            T sum = 0;
            for (int64_t i = 0; i < m.nearest; ++i) sum += weights[i] = std::exp(strength * (cosines[i] - cosines[0]));
            for (int64_t i = 0; i < m.nearest; ++i) {
                weights[i] /= sum;
                own.slots[h * m.nearest + i] = slots[i];
                add_scaled((const T*)own.memory + slots[i] * m.width, weights[i], m.width, reads + h * m.width);
                visit(own, slots[i], weights[i]);
            }
        }
    }

    // Slots of the same step are in their own order.
    void note_accesses(Place& own) const {
        std::sort(own.visited.begin(), own.visited.end());
        const T now = own.latest + 1;
        for (int32_t slot : own.visited) {
            if (own.used[slot] > m.threshold) {
                own.recency.access(slot);
                own.latest = own.usage[slot] = now;
            }
            own.used[slot] = 0;
            own.seen[slot] = 0;
        }
    }
};

template <typename T>
class SparseMemory<T>::Backward {
  public:
    Backward(const SparseMemory& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), places(together), control(m.interface.control_size) {}

    void begin(int64_t r, int64_t row) {
        Place& own = places[r];
        own.store_of = Lazy<int32_t>(m.slots);
        own.marks = 0;
        own.d_weights.assign(m.heads * m.nearest, T(0));
        const int64_t done = m.length(row);
        if (!d_last.read_weights || !done) return;
        const T* d = (const T*)d_last.read_weights + row * m.heads * m.slots;
        const int32_t* slots = m.read_slots(kept, row, done - 1);
        for (int64_t i = 0; i < m.heads * m.nearest; ++i) own.d_weights[i] = d[i / m.nearest * m.slots + slots[i]];
    }

    void end(int64_t r, int64_t row) {
        Place& own = places[r];
        if (d_first.memory) {
            T* to = (T*)d_first.memory + row * m.slots * m.width;
            take((const T*)d_last.memory, row * m.slots * m.width, m.slots * m.width, to);
            for (size_t i = 0; i < own.slots.size(); ++i)
                copy((const T*)own.d_slot(i, m), m.width, to + own.slots[i] * m.width);
        }
        if (d_first.read_weights && !m.length(row)) {
            const int64_t size = m.heads * m.slots;
            take((const T*)d_last.read_weights, row * size, size, (T*)d_first.read_weights + row * size);
        }
        if (m.sizes.rolled_back)
            for (size_t i = 0; i < own.slots.size(); ++i)
                copy((const T*)own.slot(i, m), m.width,
                     (T*)m.sizes.rolled_back + (row * m.slots + own.slots[i]) * m.width);
        own = Place();
    }

    void step(int64_t r, int64_t row, int64_t t, const T* raw, const T* d_reads, T* d_raw) {
        Place& own = places[r];
        m.interface.forward(raw, control.data());
        T* d_control = d_raw;
        if (m.interface.size < m.interface.control_size) {  // strengths that are told nobody
            spare.assign(m.interface.control_size, T(0));
            d_control = spare.data();
        }
        leave_read(own, row, t, d_reads, d_control);
        if (!t && d_first.read_weights) leave_first_weights(own, row);
        leave_write(own, row, t, d_control);
        m.interface.backward(raw, control.data(), d_control);
        if (d_control != d_raw) copy((const T*)d_control, m.interface.size, d_raw);
    }

  private:
    // One row of the batch: the slots that were visited from a step on, as they were in it, with their gradients.
    struct Place {
        Lazy<int32_t> store_of;  // where a slot's place in the store is, from 1 on; 0 for none
        std::vector<int32_t> slots, marked;
        int32_t marks = 0;
        Array<T> contents, gradients, d_weights;

        T* slot(int64_t i, const SparseMemory& m) { return &contents[i * m.width]; }
        T* d_slot(int64_t i, const SparseMemory& m) { return &gradients[i * m.width]; }
    };

    const SparseMemory& m;
    const State &d_last, &d_first;
    T* const kept;
    std::vector<Place> places;
    Array<T> control, spare;
    std::vector<int32_t> visited;

    // Return where a slot is in the store; it is fetched at the last visit to it, since when nobody has changed it.
    int32_t fetch(Place& own, int64_t row, int32_t slot) const {
        int32_t& place = own.store_of[slot];
        if (!place) {
            const int64_t at = (row * m.slots + slot) * m.width, size = own.contents.size();
            own.slots.push_back(slot);
            own.marked.push_back(0);
            own.contents.resize(size + m.width);
            own.gradients.resize(size + m.width);
            copy((const T*)m.sizes.memory + at, m.width, &own.contents[size]);
            take((const T*)d_last.memory, at, m.width, &own.gradients[size]);
            place = int32_t(own.slots.size());
        }
        return place - 1;
    }

    void leave_read(Place& own, int64_t row, int64_t t, const T* d_reads, T* d_control) {
        const int32_t* slots = m.read_slots(kept, row, t);
        const T *weights = m.read_weights(kept, row, t), *cosines = m.cosines(kept, row, t);
        for (int64_t h = 0; h < m.heads; ++h) {
            const int64_t first = h * m.nearest;
            const T *asked = d_reads + h * m.width, *key = &control[h * m.width];
            T *d_weights = &own.d_weights[first], *d_key = d_control + h * m.width;
            T mean = 0;
            for (int64_t i = 0; i < m.nearest; ++i) {
                const int32_t place = fetch(own, row, slots[first + i]);
                d_weights[i] += dot<T>(own.slot(place, m), asked, m.width);
                add_scaled(asked, weights[first + i], m.width, own.d_slot(place, m));
                mean += weights[first + i] * d_weights[i];
            }
            const T strength = control[m.interface.strengths + h];
            const T key_norm = Neighbours<T>::inverse_norm(dot(key, key, m.width));
            for (int64_t i = 0; i < m.nearest; ++i) {
                const int32_t place = own.store_of[slots[first + i]] - 1;
                const T* slot = own.slot(place, m);
                const T norm = Neighbours<T>::inverse_norm(dot(slot, slot, m.width)), cosine = cosines[first + i];
                const T d = weights[first + i] * (d_weights[i] - mean), d_cosine = d * strength;
                d_control[m.interface.strengths + h] += d * cosine;
                add_scaled(slot, d_cosine * key_norm * norm, m.width, d_key);
                add_scaled(key, -d_cosine * cosine * key_norm * key_norm, m.width, d_key);
                add_scaled(key, d_cosine * key_norm * norm, m.width, own.d_slot(place, m));
                add_scaled(slot, -d_cosine * cosine * norm * norm, m.width, own.d_slot(place, m));
            }
        }
    }

    // The gradient of the read weights before the first step, also where they are 0.
    void leave_first_weights(Place& own, int64_t row) {
        for (int64_t h = 0; h < m.heads; ++h) {
            const T scale = control[m.interface.write_gates + h] * control[m.interface.gates + h];
            const T* add = &control[m.interface.add + h * m.width];
            T* to = (T*)d_first.read_weights + (row * m.heads + h) * m.slots;
            if (d_last.memory) {
                const T* d = (const T*)d_last.memory + row * m.slots * m.width;
                for (int64_t i = 0; i < m.slots; ++i) to[i] = scale * dot(d + i * m.width, add, m.width);
            } else {
                clear(to, m.slots);
            }
            for (size_t i = 0; i < own.slots.size(); ++i)
                to[own.slots[i]] = scale * dot<T>(own.d_slot(i, m), add, m.width);
        }
    }

    void leave_write(Place& own, int64_t row, int64_t t, T* d_control) {
        const Reading<T> before = m.before(kept, row, t);
        const int32_t* least = m.least(kept, row, t);
        visited.clear();
        ++own.marks;
        auto visit = [&](int32_t slot) {
            const int32_t place = fetch(own, row, slot);
            if (own.marked[place] != own.marks) own.marked[place] = own.marks, visited.push_back(place);
        };
        for (int64_t h = 0; h < m.heads; ++h)
            for (int64_t i = 0; i < before.count; ++i)
                if (before.weight(h, i) != 0) visit(before.slot(h, i));
        for (int64_t h = 0; h < m.heads; ++h) visit(least[h]);

        Array<T> d_weights(t ? m.heads * m.nearest : 0);
        for (int64_t h = 0; h < m.heads; ++h) {
            const T open = control[m.interface.write_gates + h], again = control[m.interface.gates + h];
            const T* add = &control[m.interface.add + h * m.width];
            T* d_add = d_control + m.interface.add + h * m.width;
            T &d_open = d_control[m.interface.write_gates + h], &d_again = d_control[m.interface.gates + h];
            for (int64_t i = 0; i < before.count; ++i) {
                const T weight = before.weight(h, i);
                if (weight == 0) continue;
                const T* d = own.d_slot(own.store_of[before.slot(h, i)] - 1, m);
                const T asked = dot(d, add, m.width);
                d_open += asked * again * weight;
                d_again += asked * open * weight;
                add_scaled(d, open * again * weight, m.width, d_add);
                if (t) d_weights[h * m.nearest + i] = asked * open * again;
            }
            const T* d = own.d_slot(own.store_of[least[h]] - 1, m);
            const T asked = dot(d, add, m.width);
            d_open += asked * (1 - again);
            d_again -= asked * open;
            add_scaled(d, open * (1 - again), m.width, d_add);
        }
        if (t) own.d_weights = std::move(d_weights);
        for (int64_t h = 0; h < m.heads; ++h) clear(own.d_slot(own.store_of[least[h]] - 1, m), m.width);
        const T* overwritten = m.overwritten(kept, row, t);
        for (int32_t place : visited) {
            copy(overwritten, m.width, own.slot(place, m));
            overwritten += m.width;
        }
    }
};

}  // namespace

extern "C" {

int64_t memtape_sparse_kept_float32(const memtape_sparse_sizes* sizes) {
    return kept_numbers<SparseMemory<float>>(sizes);
}
int64_t memtape_sparse_kept_float64(const memtape_sparse_sizes* sizes) {
    return kept_numbers<SparseMemory<double>>(sizes);
}

int memtape_sparse_forward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept) {
    return forward<SparseMemory<float>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_sparse_forward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                   const void* xs, const memtape_sparse_state* first, void* ys,
                                   const memtape_sparse_state* last, void* kept) {
    return forward<SparseMemory<double>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_sparse_backward_float32(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first) {
    return backward<SparseMemory<float>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}

int memtape_sparse_backward_float64(const memtape_sparse_sizes* sizes, const memtape_machine_parameters* parameters,
                                    const void* xs, const void* kept, const void* d_ys,
                                    const memtape_sparse_state* d_last, const memtape_machine_parameters* d_parameters,
                                    void* d_xs, const memtape_sparse_state* d_first) {
    return backward<SparseMemory<double>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}
}
