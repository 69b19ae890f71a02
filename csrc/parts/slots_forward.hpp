// Forward pass of slots: a step updates the usage, writes, updates the links, and then reads.
#pragma once

#include "parts/slots.hpp"

template <typename T>
class Slots<T>::Forward {
  public:
    Forward(const Slots& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), readers(m.readers, m.masked), writers(m.writers, m.masked),
          allocation(m.allocation), tapes(together * m.tape_size), links(together * m.links_size),
          places(together * m.places_size), control(m.interface.size), retained((m.reads + 1) * m.slots),
          used((m.writes + 1) * m.slots), seen(m.seen_size), sharp(m.sharp ? m.slots : 0) {}

    void begin(int64_t r, int64_t row) {
        m.take(first, row, own_tape(r), own_links(r), own_places(r));
        keep(r, row, 0);
    }

    void end(int64_t r, int64_t row) { m.give(last, row, own_tape(r), own_links(r), own_places(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* vector, T* reads) {
        m.interface.forward(vector, control.data());
        if (kept && t % m.stretch == 0) {
            copy(own_tape(r), m.tape_size, m.tape(kept, row, t / m.stretch));
            copy(own_links(r), m.links_size, m.linked(kept, row, t / m.stretch));
        }
        count_usage(own_places(r));
        write(own_tape(r), own_places(r));
        if (kept) allocation.save(m.orders(kept, row, t));
        read(own_tape(r), own_links(r), own_places(r), kept ? m.seen(kept, row, t) : nullptr);
        for (int64_t h = 0; h < m.reads; ++h)
            over_slots(m.width, m.slots, own_tape(r), own_places(r) + h * m.slots, reads + h * m.width);
        keep(r, row, t + 1);
    }

  private:
    const Slots& m;
    const State &first, &last;
    T* const kept;
    LookUps<T> readers, writers;
    Allocation<T> allocation;
    Array<T> tapes, links, places, control, retained, used, seen, sharp;

    T* own_tape(int64_t r) { return &tapes[r * m.tape_size]; }
    T* own_links(int64_t r) { return &links[r * m.links_size]; }
    T* own_places(int64_t r) { return &places[r * m.places_size]; }

    void keep(int64_t r, int64_t row, int64_t t) {
        if (kept) copy(own_places(r), m.places_size, m.places(kept, row, t));
    }

    void count_usage(T* places) {
        T* retained_by_all = &retained[m.reads * m.slots];
        retain(m.slots, m.reads, &control[m.interface.free_gates], places, retained.data(), retained_by_all);
        use(m.slots, m.writes, places + m.usage, places + m.writing, used.data());
        for (int64_t i = 0; i < m.slots; i += LANES<T>)
            store(places + m.usage + i, load(&used[m.writes * m.slots + i]) * load(retained_by_all + i));
    }

    void write(T* tape, T* places) {
        const T *gates = &control[m.interface.allocation_gates], *write_gates = &control[m.interface.write_gates];
        allocation.find(places + m.usage, gates, write_gates);
        writers.prepare(tape);
        for (int64_t h = 0; h < m.writes; ++h)
            mix(m.slots, write_gates[h] * gates[h], allocation.weights(h), write_gates[h] * (T(1) - gates[h]),
                writers.find(m.writer(control.data(), h), m.write_mask(control.data(), h)),
                places + m.writing + h * m.slots);
        if (m.deallocate) keep_tape(m.width, m.slots, tape, &retained[m.reads * m.slots], tape);
        write_tape(m.width, m.slots, m.writes, tape, places + m.writing, &control[m.interface.erase],
                   &control[m.interface.add], tape);
    }

    // The weights of the read heads: backward, by content and forward.
    void read(const T* tape, T* links, T* places, T* kept_seen) {
        const int64_t modes = m.interface.modes, stride = modes * m.slots;
        for (int64_t h = 0; h < m.writes; ++h) {
            const T* writing = places + m.writing + h * m.slots;
            T* precedence = places + m.precedence + h * m.slots;
            m.links.write_and_follow(links + h * m.slots * m.slots, writing, precedence, m.reads, places,
                                     &seen[h * m.slots], &seen[(m.writes + 1 + h) * m.slots], stride);
            mix(m.slots, T(1) - sum_of(writing), precedence, T(1), writing, precedence);
        }
        if (m.sharp) sharpen_links(kept_seen);
        readers.prepare(tape);
        for (int64_t h = 0; h < m.reads; ++h) {
            T* own = &seen[h * stride];
            copy(readers.find(m.reader(control.data(), h), m.read_mask(control.data(), h)), m.slots,
                 own + m.writes * m.slots);
            over_modes(modes, &control[m.interface.read_modes + h * modes], own, places + h * m.slots);
        }
    }

    void sharpen_links(T* kept_seen) {
        if (kept_seen) copy((const T*)seen.data(), m.seen_size, kept_seen);
        for (int64_t head = 0; head < m.reads; ++head)
            for (int64_t mode = 0; mode < m.interface.modes; ++mode) {
                if (mode == m.writes) continue;
                T* own = &seen[(head * m.interface.modes + mode) * m.slots];
                sharpen(m.count, m.slots, control[m.interface.exponent(head, mode)], T(LINK_EPSILON), own,
                        sharp.data());
                copy((const T*)sharp.data(), m.slots, own);
            }
    }

    void over_modes(int64_t modes, const T* shares, const T* seen, T* to) const {
        for (int64_t i = 0; i < m.slots; i += LANES<T>) {
            Vector<T> value = {};
            for (int64_t mode = 0; mode < modes; ++mode) value += shares[mode] * load(seen + mode * m.slots + i);
            store(to + i, value);
        }
    }

    T sum_of(const T* x) const {
        return total<T>(m.slots, [&](int64_t i, int64_t) { return load(x + i); });
    }
};
