// Differentiable Neural Computer: whole sequences, forwards and backwards.
//
// Here is its memory; machine.hpp has the rest. Slots and links are kept only where a stretch of steps begins: on the
// way back the writes of the stretch, which are known, are done again.
#include "dnc.h"

#include "allocation.hpp"
#include "dnc_interface.hpp"
#include "links.hpp"
#include "machine_passes.hpp"

namespace {

// About the root of the number of steps, which keeps the fewest links: those where stretches begin, and those of one.
// Not less than what measured best, which is short enough for the second cache and long enough to copy seldom.
inline int64_t steps_between_links(int64_t time) {
    int64_t steps = 16;
    while (steps * steps < time) steps += 8;
    return steps;
}

template <typename T>
class Slots {
  public:
    using Number = T;
    using Sizes = memtape_dnc_sizes;
    using State = memtape_dnc_state;

    const int64_t count, slots, width, reads, writes, read_size, tape_size, links_size;  // slots are padded
    const int64_t steps, stretch, stretches;
    const bool deallocate, usage_gradient;
    const DNCInterface<T> interface;
    const Links<T> links;
    const Kinds readers, writers;
    const Allocation<T> allocation;
    // Where heads are: the arrays of the read heads, of the write heads, the usage, and the precedence of write heads.
    const int64_t writing, usage, precedence, places_size;
    int64_t kept;  // numbers for the way back

    explicit Slots(const Sizes& sizes)
        : count(sizes.slots), slots(padded<T>(sizes.slots)), width(sizes.width), reads(sizes.reads),
          writes(sizes.writes), read_size(reads * width), tape_size(width * slots),
          links_size(writes * slots * slots), steps(sizes.machine.time), stretch(steps_between_links(steps)),
          stretches((steps + stretch - 1) / stretch), deallocate(sizes.deallocate), usage_gradient(sizes.usage_gradient),
          interface(reads, writes, width, sizes.oneplus, sizes.squash, sizes.clip), links(slots),
          readers{count, slots, width, reads, 0, false, true, sizes.norm_epsilon, sizes.product_epsilon},
          writers{count, slots, width, writes, 0, false, true, sizes.norm_epsilon, sizes.product_epsilon},
          allocation(count, slots, writes, sizes.usage_epsilon), writing(reads * slots),
          usage(writing + writes * slots), precedence(usage + slots), places_size(precedence + writes * slots) {
        Sections sections;
        places_at = sections.section(sizes.machine.batch * (steps + 1) * places_size);
        tapes_at = sections.section(sizes.machine.batch * stretches * tape_size);
        links_at = sections.section(sizes.machine.batch * stretches * links_size);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return (tape_size + links_size) * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (stretch + 2) * forward_bytes(); }

    // Where in what is kept the places after `t` steps are, and tape and links at the begin of a stretch.
    T* places(T* block, int64_t row, int64_t t) const {
        return block + places_at + (row * (steps + 1) + t) * places_size;
    }
    T* tape(T* block, int64_t row, int64_t stretch) const {
        return block + tapes_at + (row * stretches + stretch) * tape_size;
    }
    T* linked(T* block, int64_t row, int64_t stretch) const {
        return block + links_at + (row * stretches + stretch) * links_size;
    }

    // Take a row's state, or zeros where there is none.
    void take(const State& state, int64_t row, T* tape, T* own_links, T* own_places) const {
        if (state.memory)
            to_tape(width, count, slots, (const T*)state.memory + row * count * width, tape);
        else
            clear(tape, tape_size);
        clear(own_links, links_size);
        for (int64_t h = 0; h < writes; ++h)
            take_padded((const T*)state.links, count, (row * writes + h) * count, count, slots,
                        own_links + h * slots * slots);
        take_padded((const T*)state.read_weights, reads, row * reads, count, slots, own_places);
        take_padded((const T*)state.write_weights, writes, row * writes, count, slots, own_places + writing);
        take_padded((const T*)state.usage, 1, row, count, slots, own_places + usage);
        take_padded((const T*)state.precedence, writes, row * writes, count, slots, own_places + precedence);
    }

    void give(const State& state, int64_t row, const T* tape, const T* own_links, const T* own_places) const {
        from_tape(width, count, slots, tape, (T*)state.memory + row * count * width);
        for (int64_t h = 0; h < writes; ++h)
            give_padded(own_links + h * slots * slots, count, (row * writes + h) * count, count, slots,
                        (T*)state.links);
        give_padded(own_places, reads, row * reads, count, slots, (T*)state.read_weights);
        give_padded(own_places + writing, writes, row * writes, count, slots, (T*)state.write_weights);
        give_padded(own_places + usage, 1, row, count, slots, (T*)state.usage);
        give_padded(own_places + precedence, writes, row * writes, count, slots, (T*)state.precedence);
    }

    class Forward;
    class Backward;

  private:
    int64_t places_at, tapes_at, links_at;
};

// to = a x + b y
template <typename T>
inline void mix(int64_t slots, T a, const T* x, T b, const T* y, T* to) {
    for (int64_t i = 0; i < slots; i += LANES<T>) store(to + i, a * load(x + i) + b * load(y + i));
}

template <typename T>
inline T product(int64_t slots, const T* x, const T* y) {
    return total<T>(slots, [&](int64_t i, int64_t) { return load(x + i) * load(y + i); });
}

template <typename T>
class Slots<T>::Forward {
  public:
    Forward(const Slots& m, const State& first, const State& last, T* kept, int64_t together)
        : m(m), first(first), last(last), kept(kept), readers(m.readers), writers(m.writers), allocation(m.allocation),
          tapes(together * m.tape_size), links(together * m.links_size), places(together * m.places_size),
          control(m.interface.size), retained((m.reads + 1) * m.slots), used((m.writes + 1) * m.slots),
          seen(m.reads * m.interface.modes * m.slots) {}

    void begin(int64_t r, int64_t row) {
        m.take(first, row, own_tape(r), own_links(r), own_places(r));
        keep(r, row, 0);
    }

    void end(int64_t r, int64_t row) { m.give(last, row, own_tape(r), own_links(r), own_places(r)); }

    void step(int64_t r, int64_t row, int64_t t, const T* raw, T* reads) {
        m.interface.forward(raw, control.data());
        if (kept && t % m.stretch == 0) {
            copy(own_tape(r), m.tape_size, m.tape(kept, row, t / m.stretch));
            copy(own_links(r), m.links_size, m.linked(kept, row, t / m.stretch));
        }
        count_usage(own_places(r));
        write(own_tape(r), own_places(r));
        read(own_tape(r), own_links(r), own_places(r));
        for (int64_t h = 0; h < m.reads; ++h)
            over_slots(m.width, m.slots, own_tape(r), own_places(r) + h * m.slots, reads + h * m.width);
        keep(r, row, t + 1);
    }

  private:
    const Slots& m;
    const State &first, &last;
    T* const kept;
    Lookup<T> readers, writers;
    Allocation<T> allocation;
    Array<T> tapes, links, places, control, retained, used, seen;

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
        writers.face(tape);
        for (int64_t h = 0; h < m.writes; ++h)
            mix(m.slots, write_gates[h] * gates[h], allocation.weights(h), write_gates[h] * (T(1) - gates[h]),
                writers.find(m.interface.writer(control.data(), h)), places + m.writing + h * m.slots);
        if (m.deallocate) keep_tape(m.width, m.slots, tape, &retained[m.reads * m.slots], tape);
        write_tape(m.width, m.slots, m.writes, tape, places + m.writing, &control[m.interface.erase],
                   &control[m.interface.add], tape);
    }

    // Where the read heads look: back, by content and ahead.
    void read(const T* tape, T* links, T* places) {
        const int64_t modes = m.interface.modes, stride = modes * m.slots;
        for (int64_t h = 0; h < m.writes; ++h) {
            const T* writing = places + m.writing + h * m.slots;
            T* precedence = places + m.precedence + h * m.slots;
            m.links.write_and_follow(links + h * m.slots * m.slots, writing, precedence, m.reads, places,
                                     &seen[h * m.slots], &seen[(m.writes + 1 + h) * m.slots], stride);
            mix(m.slots, T(1) - sum_of(writing), precedence, T(1), writing, precedence);
        }
        readers.face(tape);
        for (int64_t h = 0; h < m.reads; ++h) {
            T* own = &seen[h * stride];
            copy(readers.find(m.interface.reader(control.data(), h)), m.slots, own + m.writes * m.slots);
            over_modes(modes, &control[m.interface.read_modes + h * modes], own, places + h * m.slots);
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

template <typename T>
class Slots<T>::Backward {
  public:
    Backward(const Slots& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), readers(m.readers), writers(m.writers),
          allocation(m.allocation), tapes(together * (m.stretch + 1) * m.tape_size),
          links(together * m.stretch * m.links_size), d_tape(together * m.tape_size),
          d_links(together * m.links_size), d_places(together * m.places_size), chain((m.writes - 1) * m.tape_size),
          cleared(m.deallocate ? m.tape_size : 0),
          control(m.interface.size), retained((m.reads + 1) * m.slots), used((m.writes + 1) * m.slots),
          d_retained(m.slots), d_found(m.slots), d_free(m.writes * m.slots), along(m.reads * m.slots),
          against(m.reads * m.slots), asked_ahead(m.reads * m.slots), read_back(m.reads * m.slots),
          d_reading(m.reads * m.slots), again(together) {}

    void begin(int64_t r, int64_t row) {
        m.take(d_last, row, &d_tape[r * m.tape_size], &d_links[r * m.links_size], &d_places[r * m.places_size]);
        again[r] = NONE;
    }

    void end(int64_t r, int64_t row) {
        m.give(d_first, row, &d_tape[r * m.tape_size], &d_links[r * m.links_size], &d_places[r * m.places_size]);
    }

    // The raw numbers of the steps before stand before `raw`.
    void step(int64_t r, int64_t row, int64_t t, const T* raw, const T* d_reads, T* d_raw) {
        if (again[r] != t / m.stretch) write_again(r, row, t, raw);
        m.interface.forward(raw, control.data());
        const T *before = m.places(kept, row, t), *after = m.places(kept, row, t + 1), *tape = tape_before(r, t);
        T *d_own_tape = &d_tape[r * m.tape_size], *d_own = &d_places[r * m.places_size];
        retain(m.slots, m.reads, &control[m.interface.free_gates], before, retained.data(), retained_by_all());
        clear(d_retained.data(), m.slots);
        leave_contents(tape + m.tape_size, after, d_reads, d_own_tape, d_own, d_raw);
        leave_links(links_before(r, t), before, after, &d_links[r * m.links_size], d_own, d_raw);
        leave_write(tape, after, d_own_tape, d_own, d_raw);
        leave_usage(before, d_own, d_raw);
        m.interface.backward(raw, control.data(), d_raw);
    }

  private:
    static constexpr int64_t NONE = -1;
    const Slots& m;
    const State &d_last, &d_first;
    T* const kept;
    Lookup<T> readers, writers;
    Allocation<T> allocation;
    Array<T> tapes, links, d_tape, d_links, d_places, chain, cleared, control, retained, used, d_retained, d_found, d_free,
        along, against, asked_ahead, read_back, d_reading;
    std::vector<int64_t> again;  // the stretch of each row whose tapes and links are there

    T* tape_before(int64_t r, int64_t t) { return &tapes[(r * (m.stretch + 1) + t % m.stretch) * m.tape_size]; }
    T* retained_by_all() { return &retained[m.reads * m.slots]; }
    T* links_before(int64_t r, int64_t t) { return &links[(r * m.stretch + t % m.stretch) * m.links_size]; }

    // Write the tapes of a stretch up to that which step `last` left, and the links up to those that it found.
    void write_again(int64_t r, int64_t row, int64_t last, const T* raw) {
        again[r] = last / m.stretch;
        const int64_t start = again[r] * m.stretch;
        copy((const T*)m.tape(kept, row, again[r]), m.tape_size, tape_before(r, start));
        copy((const T*)m.linked(kept, row, again[r]), m.links_size, links_before(r, start));
        for (int64_t t = start; t <= last; ++t) {
            const T *before = m.places(kept, row, t), *after = m.places(kept, row, t + 1);
            m.interface.what_is_written(raw - (last - t) * m.interface.size, control.data());
            T *tape = tape_before(r, t), *own_links = links_before(r, t);
            if (m.deallocate)
                retain(m.slots, m.reads, &control[m.interface.free_gates], before, retained.data(), retained_by_all());
            write_tape(m.width, m.slots, m.writes, without_freed(tape), after + m.writing,
                       &control[m.interface.erase], &control[m.interface.add], tape + m.tape_size);
            for (int64_t h = 0; t < last && h < m.writes; ++h) {
                T* own = own_links + h * m.slots * m.slots;
                m.links.write(own, own + m.links_size, after + m.writing + h * m.slots,
                              before + m.precedence + h * m.slots);
            }
        }
    }

    // What of a tape is there when the heads write.
    const T* without_freed(const T* tape) {
        if (!m.deallocate) return tape;
        keep_tape(m.width, m.slots, tape, retained_by_all(), cleared.data());
        return cleared.data();
    }

    // The way back through what was read, and where by its content.
    void leave_contents(const T* tape, const T* after, const T* d_reads, T* d_tape, T* d_reading, T* d_raw) {
        for (int64_t h = 0; h < m.reads; ++h)
            over_features<T, true>(m.width, m.slots, tape, d_reads + h * m.width, d_reading + h * m.slots);
        add_outer(m.width, m.slots, m.reads, d_tape, d_reads, after);
        readers.face(tape);
        for (int64_t h = 0; h < m.reads; ++h) {
            const T* d_own = d_reading + h * m.slots;
            const int64_t mode = m.interface.read_modes + h * m.interface.modes + m.writes;
            const Told<T> told = m.interface.reader(control.data(), h);
            d_raw[mode] = product(m.slots, readers.find(told), d_own);
            mix(m.slots, control[mode], d_own, T(0), d_own, d_found.data());
            readers.find_backward(h, told, d_found.data(), m.interface.reader(d_raw, h));
        }
        readers.settle(d_tape);
    }

    // The way back through steps along the links and what was linked: `d` becomes the gradient of where the read heads
    // were, and of the precedence, before.
    void leave_links(const T* links, const T* before, const T* after, T* d_links, T* d, T* d_raw) {
        clear(d_reading.data(), m.reads * m.slots);
        for (int64_t h = 0; h < m.writes; ++h) {
            const T *writing = after + m.writing + h * m.slots, *precedence = before + m.precedence + h * m.slots;
            T *d_writing = d + m.writing + h * m.slots, *d_precedence = d + m.precedence + h * m.slots;
            leave_precedence(writing, precedence, d_writing, d_precedence);
            auto mode = [&](int64_t read, bool ahead) {
                return m.interface.read_modes + read * m.interface.modes + h + (ahead ? m.writes + 1 : 0);
            };
            for (int64_t read = 0; read < m.reads; ++read) {
                const int64_t at = read * m.slots;
                mix(m.slots, control[mode(read, true)], d + at, T(0), d + at, &asked_ahead[at]);
                mix(m.slots, control[mode(read, false)], before + at, T(0), before + at, &read_back[at]);
            }
            m.links.backward(m.reads, {links + h * m.slots * m.slots, writing, precedence, before, d,
                                       asked_ahead.data(), read_back.data(), d_links + h * m.slots * m.slots, d_writing,
                                       d_precedence, along.data(), against.data()});
            for (int64_t read = 0; read < m.reads; ++read) {
                const int64_t at = read * m.slots;
                d_raw[mode(read, true)] = product(m.slots, before + at, &along[at]);
                d_raw[mode(read, false)] = product(m.slots, before + at, &against[at]);
                for (int64_t i = at; i < at + m.slots; i += LANES<T>)
                    store(&d_reading[i], load(&d_reading[i]) + control[mode(read, true)] * load(&along[i]) +
                                             control[mode(read, false)] * load(&against[i]));
            }
        }
        copy((const T*)d_reading.data(), m.reads * m.slots, d);
    }

    // p = (1 - sum w) p' + w
    void leave_precedence(const T* writing, const T* precedence, T* d_writing, T* d_precedence) const {
        const T rest = T(1) - total<T>(m.slots, [&](int64_t i, int64_t) { return load(writing + i); });
        const T lost = product(m.slots, d_precedence, precedence);
        for (int64_t i = 0; i < m.slots; i += LANES<T>) {
            const Vector<T> d = load(d_precedence + i);
            store(d_writing + i, load(d_writing + i) + (d - lost));
            store(d_precedence + i, d * rest);
        }
    }

    // The way back through the write and where it went: the gradient of the tape becomes that of the tape before, and
    // that of the usage gets what the allocation asks.
    void leave_write(const T* tape, const T* after, T* d_tape, T* d, T* d_raw) {
        const T *writing = after + m.writing, *gates = &control[m.interface.allocation_gates],
                *write_gates = &control[m.interface.write_gates];
        T *d_writing = d + m.writing, *d_gates = d_raw + m.interface.allocation_gates,
          *d_write_gates = d_raw + m.interface.write_gates;
        for (int64_t h = 0; h < m.writes; ++h)
            add_backward(m.width, m.slots, d_tape, writing + h * m.slots, &control[m.interface.add + h * m.width],
                         d_writing + h * m.slots, d_raw + m.interface.add + h * m.width);
        erases_backward(m.width, m.slots, m.writes, without_freed(tape), writing, &control[m.interface.erase],
                        chain.data(), d_tape, d_writing, d_raw + m.interface.erase);
        if (m.deallocate) keep_backward(m.width, m.slots, tape, retained_by_all(), d_tape, d_retained.data());
        allocation.find(after + m.usage, gates, write_gates);
        writers.face(tape);
        for (int64_t h = 0; h < m.writes; ++h) {
            const T *free = allocation.weights(h), *d_own = d_writing + h * m.slots;
            const Told<T> told = m.interface.writer(control.data(), h);
            const T* content = writers.find(told);
            const T by_room = product(m.slots, free, d_own), by_content = product(m.slots, content, d_own);
            d_write_gates[h] = gates[h] * by_room + (T(1) - gates[h]) * by_content;
            d_gates[h] = write_gates[h] * (by_room - by_content);
            mix(m.slots, write_gates[h] * gates[h], d_own, T(0), d_own, &d_free[h * m.slots]);
            mix(m.slots, write_gates[h] * (T(1) - gates[h]), d_own, T(0), d_own, d_found.data());
            writers.find_backward(h, told, d_found.data(), m.interface.writer(d_raw, h));
        }
        writers.settle(d_tape);
        allocation.backward(gates, write_gates, d_free.data(), d + m.usage, d_gates, d_write_gates);
    }

    // The way back through what was counted as used and as freed: `d` becomes the gradient of all places before.
    void leave_usage(const T* before, T* d, T* d_raw) {
        T *d_usage = d + m.usage, *d_writing = d + m.writing;
        const T* free_gates = &control[m.interface.free_gates];
        use(m.slots, m.writes, before + m.usage, before + m.writing, used.data());
        for (int64_t i = 0; i < m.slots; i += LANES<T>) {
            const Vector<T> of_usage = load(d_usage + i);
            store(&d_retained[i], load(&d_retained[i]) + of_usage * load(&used[m.writes * m.slots + i]));
            store(d_usage + i, of_usage * load(retained_by_all() + i));
        }
        retain_backward(m.slots, m.reads, free_gates, before, retained.data(), d_retained.data(), d,
                        d_raw + m.interface.free_gates);
        if (!m.usage_gradient) clear(d_writing, m.writes * m.slots);
        use_backward(m.slots, m.writes, before + m.writing, used.data(), d_usage,
                     m.usage_gradient ? d_writing : nullptr);
    }
};

}  // namespace

extern "C" {

int64_t memtape_dnc_kept_float32(const memtape_dnc_sizes* sizes) { return kept_numbers<Slots<float>>(sizes); }
int64_t memtape_dnc_kept_float64(const memtape_dnc_sizes* sizes) { return kept_numbers<Slots<double>>(sizes); }

int memtape_dnc_forward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept) {
    return forward<Slots<float>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_dnc_forward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                const void* xs, const memtape_dnc_state* first, void* ys, const memtape_dnc_state* last,
                                void* kept) {
    return forward<Slots<double>>(sizes, parameters, xs, first, ys, last, kept);
}

int memtape_dnc_backward_float32(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first) {
    return backward<Slots<float>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}

int memtape_dnc_backward_float64(const memtape_dnc_sizes* sizes, const memtape_machine_parameters* parameters,
                                 const void* xs, const void* kept, const void* d_ys, const memtape_dnc_state* d_last,
                                 const memtape_machine_parameters* d_parameters, void* d_xs,
                                 const memtape_dnc_state* d_first) {
    return backward<Slots<double>>(sizes, parameters, xs, kept, d_ys, d_last, d_parameters, d_xs, d_first);
}
}
