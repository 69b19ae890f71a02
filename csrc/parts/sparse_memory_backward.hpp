// Backward pass of a sparse memory.
#pragma once

#include "parts/sparse_memory.hpp"

template <typename T>
class SparseMemory<T>::Backward {
  public:
    Backward(const SparseMemory& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), places(together), control(m.interface.control_size),
          followed(m.nearest), d_content(m.nearest) {}

    void begin(int64_t r, int64_t row) {
        Place& own = places[r];
        m.make_valid(kept, row);
        own.store_of = Lazy<int32_t>(m.slots);
        own.marks = 0;
        own.d_weights.assign(m.heads * m.nearest, T(0));
        own.d_followed.assign(m.links ? m.heads * m.nearest : 0, T(0));
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
        if (m.interface.size < m.interface.control_size) {  // strengths that are all 1
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
    // One row of the batch: the slots accessed from a step on, with their contents in that step and their gradients.
    struct Place {
        Lazy<int32_t> store_of;  // index of a slot in the store, from 1 on; 0 for none
        std::vector<int32_t> slots, marked;
        int32_t marks = 0;
        Array<T> contents, gradients, d_weights;
        Array<T> d_followed;  // of the read weights from which links were followed

        T* slot(int64_t i, const SparseMemory& m) { return &contents[i * m.width]; }
        T* d_slot(int64_t i, const SparseMemory& m) { return &gradients[i * m.width]; }
    };

    const SparseMemory& m;
    const State &d_last, &d_first;
    T* const kept;
    std::vector<Place> places;
    Array<T> control, spare;
    NearestBySlot<T> followed;
    Array<T> d_content;
    std::vector<int32_t> visited;

    // Return the index of a slot in the store; it is loaded at its last access, after which it was not changed.
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
        const int32_t *slots = m.read_slots(kept, row, t), *content = m.content_slots(kept, row, t);
        const T *weights = m.read_weights(kept, row, t), *content_weights = m.content_weights(kept, row, t);
        const T* cosines = m.cosines(kept, row, t);
        for (int64_t h = 0; h < m.heads; ++h) {
            const int64_t first = h * m.nearest;
            const T *asked = d_reads + h * m.width, *key = &control[h * m.width];
            T *d_weights = &own.d_weights[first], *d_key = d_control + h * m.width;
            for (int64_t i = 0; i < m.nearest; ++i) {
                const int32_t place = fetch(own, row, slots[first + i]);
                d_weights[i] += dot<T>(own.slot(place, m), asked, m.width);
                add_scaled(asked, weights[first + i], m.width, own.d_slot(place, m));
            }
            if (m.links) leave_blend(own, row, t, h, d_control);
            const T* d_looked_up = m.links ? d_content.data() : d_weights;
            T mean = 0;
            for (int64_t i = 0; i < m.nearest; ++i) mean += content_weights[first + i] * d_looked_up[i];
            const T strength = control[m.interface.strengths + h];
            const T key_norm = Neighbours<T>::inverse_norm(dot(key, key, m.width));
            for (int64_t i = 0; i < m.nearest; ++i) {
                const int32_t place = fetch(own, row, content[first + i]);
                const T* slot = own.slot(place, m);
                const T norm = Neighbours<T>::inverse_norm(dot(slot, slot, m.width)), cosine = cosines[first + i];
                const T d = content_weights[first + i] * (d_looked_up[i] - mean), d_cosine = d * strength;
                d_control[m.interface.strengths + h] += d * cosine;
                add_scaled(slot, d_cosine * key_norm * norm, m.width, d_key);
                add_scaled(key, -d_cosine * cosine * key_norm * key_norm, m.width, d_key);
                add_scaled(key, d_cosine * key_norm * norm, m.width, own.d_slot(place, m));
                add_scaled(slot, -d_cosine * cosine * norm * norm, m.width, own.d_slot(place, m));
            }
        }
    }

    // From the gradients of a head's weights to those of its modes, its content weights and its previous read weights.
    void leave_blend(Place& own, int64_t row, int64_t t, int64_t h, T* d_control) {
        const int64_t first = h * m.nearest, square = m.nearest * m.nearest;
        const int32_t *read = m.read_slots(kept, row, t) + first, *content = m.content_slots(kept, row, t) + first;
        const T *content_weights = m.content_weights(kept, row, t) + first, *d_weights = &own.d_weights[first];
        const T *modes = &control[m.interface.modes + h * MODES], *along = m.along(kept, row, t) + 2 * h * square;
        T* d_modes = d_control + m.interface.modes + h * MODES;
        m.followed(m.before(kept, row, t), h, followed);
        for (int64_t n = 0; n < m.nearest; ++n) {
            const T backward = dot(along + n * m.nearest, d_weights, m.nearest);
            const T forward = dot(along + square + n * m.nearest, d_weights, m.nearest);
            own.d_followed[first + n] = modes[0] * backward + modes[2] * forward;
            if (!followed.filled(n)) continue;
            d_modes[0] += followed.cosines()[n] * backward;
            d_modes[2] += followed.cosines()[n] * forward;
        }
        for (int64_t i = 0; i < m.nearest; ++i) {
            const int64_t at = std::find(read, read + m.nearest, content[i]) - read;
            const T d = at < m.nearest ? d_weights[at] : T(0);
            d_content[i] = modes[1] * d;
            d_modes[1] += content_weights[i] * d;
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
            if (!m.links) continue;
            m.followed(m.before(kept, row, 0), h, followed);
            for (int64_t n = 0; n < m.nearest && followed.filled(n); ++n)
                to[followed.slots()[n]] += own.d_followed[h * m.nearest + n];
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
        if (t && m.links) gather((const T*)own.d_followed.data(), m.heads * m.nearest, own.d_weights.data());
        for (int64_t h = 0; h < m.heads; ++h) clear(own.d_slot(own.store_of[least[h]] - 1, m), m.width);
        const T* overwritten = m.overwritten(kept, row, t);
        for (int32_t place : visited) {
            copy(overwritten, m.width, own.slot(place, m));
            overwritten += m.width;
        }
    }
};
