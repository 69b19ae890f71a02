// Forward pass of a sparse memory.
#pragma once

#include "parts/recency.hpp"
#include "parts/sparse_memory.hpp"

template <typename T>
class SparseMemory<T>::Forward {
  public:
    Forward(const SparseMemory& m, const State&, const State& last, T* kept, int64_t together)
        : m(m), last(last), kept(kept), places(together), control(m.interface.control_size), followed(m.nearest),
          strongest(m.nearest) {}

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
        if (m.links) {
            own.links = LinkLists<T>(last.links, row, m.slots, m.links, m.sizes.unlinked != 0);
            own.blends = Lazy<Blend>(m.slots);
        }
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
        if (m.links) own.links.settle();
        own = Place();
    }

    void step(int64_t r, int64_t row, int64_t t, const T* raw, T* reads) {
        Place& own = places[r];
        m.interface.forward(raw, control.data());
        own.least.resize(m.heads);
        own.recency.oldest(m.heads, own.least.data());
        write(own, kept ? m.overwritten(kept, row, t) : nullptr);
        own.neighbours.changed(own.visited);
        if (m.links) {
            std::sort(own.visited.begin(), own.visited.end());
            own.links.write(own.visited, own.used, m.heads * (m.nearest + 1));
        }
        look_up(own);
        if (m.links) blend(own, kept ? m.along(kept, row, t) : nullptr);
        read(own, reads);
        note_accesses(own);
        if (!kept) return;
        std::copy(own.least.begin(), own.least.end(), m.least(kept, row, t));
        std::copy(own.slots.begin(), own.slots.end(), m.read_slots(kept, row, t));
        std::copy(own.weights.begin(), own.weights.end(), m.read_weights(kept, row, t));
        std::copy(own.content_slots.begin(), own.content_slots.end(), m.content_slots(kept, row, t));
        std::copy(own.content_weights.begin(), own.content_weights.end(), m.content_weights(kept, row, t));
        for (int64_t h = 0; h < m.heads; ++h)
            std::copy_n(own.neighbours.cosines_of(h), m.nearest, m.cosines(kept, row, t) + h * m.nearest);
    }

  private:
    // The terms that a head blends to the weight of a slot.
    struct Blend {
        T backward, content, forward;
        bool listed;

        T by(const T* modes) const { return modes[0] * backward + modes[1] * content + modes[2] * forward; }
    };

    // One row of the batch.
    struct Place {
        T *memory = nullptr, *read_weights = nullptr, *usage = nullptr;
        T latest = 0;  // the step of the last access of any slot
        Recency<T> recency;
        Neighbours<T> neighbours;
        int64_t count = 0;  // number of slots of the last read of each head
        std::vector<int32_t> slots;
        std::vector<T> weights;
        std::vector<int32_t> content_slots;  // the nearest, if they differ from those read
        std::vector<T> content_weights;
        LinkLists<T> links;
        Lazy<Blend> blends;               // of the slots
        std::vector<int32_t> candidates;  // the slots with blends
        std::vector<int32_t> least;
        Lazy<T> used;                  // the accesses of this step
        Lazy<uint8_t> seen;            // marks accessed slots
        std::vector<int32_t> visited;  // lists accessed slots
    };

    const SparseMemory& m;
    const State& last;
    T* const kept;
    std::vector<Place> places;
    Array<T> control;
    NearestBySlot<T> followed, strongest;
    std::vector<int32_t> slots_before;
    std::vector<T> weights_before;

    // Move the read weights out of the state, which is set to zeros. A head that has read fewer slots than there is
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

    static Blend& candidate(Place& own, int32_t slot) {
        Blend& blend = own.blends[slot];
        if (!blend.listed) own.candidates.push_back(slot);
        blend.listed = true;
        return blend;
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

    // Find the slots nearest to the keys; without links these are the slots that the heads read.
    void look_up(Place& own) {
        auto& slots = m.links ? own.content_slots : own.slots;
        auto& weights = m.links ? own.content_weights : own.weights;
        own.neighbours.find(control.data());
        slots.resize(m.heads * m.nearest);
        weights.resize(m.heads * m.nearest);
        for (int64_t h = 0; h < m.heads; ++h) {
            const T* cosines = own.neighbours.cosines_of(h);
            T* of_head = &weights[h * m.nearest];
            const T strength = control[m.interface.strengths + h];
            T sum = 0;
            for (int64_t i = 0; i < m.nearest; ++i) sum += of_head[i] = std::exp(strength * (cosines[i] - cosines[0]));
            for (int64_t i = 0; i < m.nearest; ++i) of_head[i] /= sum;
            std::copy_n(own.neighbours.slots_of(h), m.nearest, &slots[h * m.nearest]);
        }
    }

    // Blend the nearest slots with those written before and after the slots that the heads read last.
    void blend(Place& own, T* along) {
        own.slots.swap(slots_before);
        own.weights.swap(weights_before);
        const Reading<T> before{slots_before.data(), weights_before.data(), own.count, own.count};
        own.slots.resize(m.heads * m.nearest);
        own.weights.resize(m.heads * m.nearest);
        if (along) clear(along, m.along_size());
        for (int64_t h = 0; h < m.heads; ++h) {
            const T* modes = &control[m.interface.modes + h * MODES];
            m.followed(before, h, followed);
            for (int64_t i = h * m.nearest; i < (h + 1) * m.nearest; ++i)
                candidate(own, own.content_slots[i]).content = own.content_weights[i];
            for (int64_t n = 0; n < m.nearest && followed.filled(n); ++n) {
                const T weight = followed.cosines()[n];
                own.links.each_before(followed.slots()[n],
                                      [&](int32_t to, T link) { candidate(own, to).backward += weight * link; });
                own.links.each_after(followed.slots()[n],
                                     [&](int32_t to, T link) { candidate(own, to).forward += weight * link; });
            }
            strongest.clear();
            for (int32_t slot : own.candidates)
                if (const T weight = own.blends[slot].by(modes); !(weight <= 0)) strongest.offer(weight, slot);
            strongest.settle();
            int32_t* read = &own.slots[h * m.nearest];
            for (int64_t i = 0; i < m.nearest; ++i) {
                const bool filled = strongest.filled(i);  // with NaN the same slot can occur twice
                read[i] = filled ? strongest.slots()[i] : 0;
                own.weights[h * m.nearest + i] = filled ? own.blends[read[i]].by(modes) : T(0);
            }
            for (int32_t slot : own.candidates) own.blends[slot] = Blend();
            own.candidates.clear();
            for (int64_t n = 0; along && n < m.nearest && followed.filled(n); ++n) {
                T *backward = along + (2 * h * m.nearest + n) * m.nearest, *forward = backward + m.nearest * m.nearest;
                auto note = [&](T* to, int32_t slot, T link) {
                    const int64_t i = std::find(read, read + m.nearest, slot) - read;
                    if (i < m.nearest) to[i] += link;
                };
                own.links.each_before(followed.slots()[n], [&](int32_t to, T link) { note(backward, to, link); });
                own.links.each_after(followed.slots()[n], [&](int32_t to, T link) { note(forward, to, link); });
            }
        }
    }

    void read(Place& own, T* reads) {
        own.count = m.nearest;
        clear(reads, m.read_size);
        for (int64_t h = 0; h < m.heads; ++h)
            for (int64_t i = h * m.nearest; i < (h + 1) * m.nearest; ++i) {
                add_scaled((const T*)own.memory + own.slots[i] * m.width, own.weights[i], m.width, reads + h * m.width);
                visit(own, own.slots[i], own.weights[i]);
            }
    }

    // Slots of the same step are in the order of their indices.
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
