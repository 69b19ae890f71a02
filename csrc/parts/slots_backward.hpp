// Backward pass of slots.
#pragma once

#include "parts/slots.hpp"

template <typename T>
class Slots<T>::Backward {
  public:
    Backward(const Slots& m, const State& d_last, const State& d_first, T* kept, int64_t together)
        : m(m), d_last(d_last), d_first(d_first), kept(kept), readers(m.readers, m.masked),
          writers(m.writers, m.masked), allocation(m.allocation), tapes(together * (m.stretch + 1) * m.tape_size),
          links(together * m.stretch * m.links_size), d_tape(together * m.tape_size), d_links(together * m.links_size),
          d_places(together * m.places_size), chain((m.writes - 1) * m.tape_size),
          cleared(m.deallocate ? m.tape_size : 0), control(m.interface.size), retained((m.reads + 1) * m.slots),
          used((m.writes + 1) * m.slots), d_retained(m.slots), d_found(m.slots), d_free(m.writes * m.slots),
          along(m.reads * m.slots), against(m.reads * m.slots), d_ahead(m.reads * m.slots),
          read_back(m.reads * m.slots), d_back(m.sharp ? m.reads * m.slots : 0), sharp(m.sharp ? m.slots : 0),
          d_reading(m.reads * m.slots), again(together) {}

    void begin(int64_t r, int64_t row) {
        m.take(d_last, row, &d_tape[r * m.tape_size], &d_links[r * m.links_size], &d_places[r * m.places_size]);
        again[r] = NONE;
    }

    void end(int64_t r, int64_t row) {
        m.give(d_first, row, &d_tape[r * m.tape_size], &d_links[r * m.links_size], &d_places[r * m.places_size]);
    }

    // The interface vectors of the previous steps are in memory before `vector`.
    void step(int64_t r, int64_t row, int64_t t, const T* vector, const T* d_reads, T* d_vector) {
        if (again[r] != t / m.stretch) write_again(r, row, t, vector);
        m.interface.forward(vector, control.data());
        const T *before = m.places(kept, row, t), *after = m.places(kept, row, t + 1), *tape = tape_before(r, t);
        T *d_own_tape = &d_tape[r * m.tape_size], *d_own = &d_places[r * m.places_size];
        retain(m.slots, m.reads, &control[m.interface.free_gates], before, retained.data(), retained_by_all());
        clear(d_retained.data(), m.slots);
        contents_backward(tape + m.tape_size, after, d_reads, d_own_tape, d_own, d_vector);
        links_backward(links_before(r, t), m.seen(kept, row, t), before, after, &d_links[r * m.links_size], d_own,
                       d_vector);
        write_backward(tape, after, m.orders(kept, row, t), d_own_tape, d_own, d_vector);
        usage_backward(before, d_own, d_vector);
        m.interface.backward(vector, control.data(), d_vector);
    }

  private:
    static constexpr int64_t NONE = -1;
    const Slots& m;
    const State &d_last, &d_first;
    T* const kept;
    LookUps<T> readers, writers;
    Allocation<T> allocation;
    Array<T> tapes, links, d_tape, d_links, d_places, chain, cleared, control, retained, used, d_retained, d_found,
        d_free, along, against, d_ahead, read_back, d_back, sharp, d_reading;
    std::vector<int64_t> again;  // for each row the stretch whose tapes and links are recomputed

    T* tape_before(int64_t r, int64_t t) { return &tapes[(r * (m.stretch + 1) + t % m.stretch) * m.tape_size]; }
    T* retained_by_all() { return &retained[m.reads * m.slots]; }
    T* links_before(int64_t r, int64_t t) { return &links[(r * m.stretch + t % m.stretch) * m.links_size]; }

    // Recompute the tapes of a stretch up to the one after step `last`, and the links up to those before it.
    void write_again(int64_t r, int64_t row, int64_t last, const T* vector) {
        again[r] = last / m.stretch;
        const int64_t start = again[r] * m.stretch;
        copy((const T*)m.tape(kept, row, again[r]), m.tape_size, tape_before(r, start));
        copy((const T*)m.linked(kept, row, again[r]), m.links_size, links_before(r, start));
        for (int64_t t = start; t <= last; ++t) {
            const T *before = m.places(kept, row, t), *after = m.places(kept, row, t + 1);
            m.written.forward(vector - (last - t) * m.interface.size, control.data());
            T *tape = tape_before(r, t), *own_links = links_before(r, t);
            if (m.deallocate)
                retain(m.slots, m.reads, &control[m.interface.free_gates], before, retained.data(), retained_by_all());
            write_tape(m.width, m.slots, m.writes, without_freed(tape), after + m.writing, &control[m.interface.erase],
                       &control[m.interface.add], tape + m.tape_size);
            for (int64_t h = 0; t < last && h < m.writes; ++h) {
                T* own = own_links + h * m.slots * m.slots;
                m.links.write(own, own + m.links_size, after + m.writing + h * m.slots,
                              before + m.precedence + h * m.slots);
            }
        }
    }

    // The part of a tape that is left when the heads write.
    const T* without_freed(const T* tape) {
        if (!m.deallocate) return tape;
        keep_tape(m.width, m.slots, tape, retained_by_all(), cleared.data());
        return cleared.data();
    }

    // Backward pass of the reads and of their content weights.
    void contents_backward(const T* tape, const T* after, const T* d_reads, T* d_tape, T* d_reading, T* d_vector) {
        for (int64_t h = 0; h < m.reads; ++h)
            over_features<T, true>(m.width, m.slots, tape, d_reads + h * m.width, d_reading + h * m.slots);
        add_outer(m.width, m.slots, m.reads, d_tape, d_reads, after);
        readers.prepare(tape);
        for (int64_t h = 0; h < m.reads; ++h) {
            const T* d_own = d_reading + h * m.slots;
            const int64_t mode = m.interface.read_modes + h * m.interface.modes + m.writes;
            const HeadParameters<T> head = m.reader(control.data(), h);
            const T* mask = m.read_mask(control.data(), h);
            d_vector[mode] = product(m.slots, readers.find(head, mask), d_own);
            mix(m.slots, control[mode], d_own, T(0), d_own, d_found.data());
            readers.find_backward(h, head, mask, d_found.data(), m.reader(d_vector, h), m.read_mask(d_vector, h));
        }
        readers.add_tape_gradient(d_tape);
    }

    // Backward pass of following and updating the links: `d` becomes the gradient of the previous read weights and
    // precedence.
    void links_backward(const T* links, const T* seen, const T* before, const T* after, T* d_links, T* d, T* d_vector) {
        clear(d_reading.data(), m.reads * m.slots);
        for (int64_t h = 0; h < m.writes; ++h) {
            const T *writing = after + m.writing + h * m.slots, *precedence = before + m.precedence + h * m.slots;
            T *d_writing = d + m.writing + h * m.slots, *d_precedence = d + m.precedence + h * m.slots;
            precedence_backward(writing, precedence, d_writing, d_precedence);
            auto pass = [&](const T* ahead, const T* back, const T* read_back) {
                m.links.backward(m.reads, {links + h * m.slots * m.slots, writing, precedence, before, ahead, back,
                                           d_ahead.data(), read_back, d_links + h * m.slots * m.slots, d_writing,
                                           d_precedence, along.data(), against.data()});
            };
            if (m.sharp)
                sharpened_backward(h, seen, before, d, d_vector, pass);
            else
                followed_backward(h, before, d, d_vector, pass);
        }
        copy((const T*)d_reading.data(), m.reads * m.slots, d);
    }

    // The index, in the control, of a read head's mode along the links of a write head.
    int64_t share(int64_t read, int64_t write, bool ahead) const {
        return m.interface.read_modes + read * m.interface.modes + mode(write, ahead);
    }
    int64_t mode(int64_t write, bool ahead) const { return write + (ahead ? m.writes + 1 : 0); }

    // The vectors are multiplied without the modes, so that the products also give the gradients of the modes.
    template <typename Pass>
    void followed_backward(int64_t write, const T* before, const T* d, T* d_vector, Pass pass) {
        for (int64_t read = 0; read < m.reads; ++read) {
            const int64_t at = read * m.slots;
            mix(m.slots, control[share(read, write, true)], d + at, T(0), d + at, &d_ahead[at]);
            mix(m.slots, control[share(read, write, false)], before + at, T(0), before + at, &read_back[at]);
        }
        pass(d, d, read_back.data());
        for (int64_t read = 0; read < m.reads; ++read) {
            const int64_t at = read * m.slots, ahead = share(read, write, true), back = share(read, write, false);
            d_vector[ahead] = product(m.slots, before + at, &along[at]);
            d_vector[back] = product(m.slots, before + at, &against[at]);
            for (int64_t i = at; i < at + m.slots; i += LANES<T>)
                store(&d_reading[i],
                      load(&d_reading[i]) + control[ahead] * load(&along[i]) + control[back] * load(&against[i]));
        }
    }

    template <typename Pass>
    void sharpened_backward(int64_t write, const T* seen, const T* before, const T* d, T* d_vector, Pass pass) {
        for (int64_t read = 0; read < m.reads; ++read)
            for (bool ahead : {true, false}) {
                const int64_t exponent = m.interface.exponent(read, mode(write, ahead));
                const int64_t at = read * m.slots, mode_share = share(read, write, ahead);
                const T* own = seen + (read * m.interface.modes + mode(write, ahead)) * m.slots;
                T* asked = ahead ? &d_ahead[at] : &d_back[at];
                sharpen(m.count, m.slots, control[exponent], T(LINK_EPSILON), own, sharp.data());
                d_vector[mode_share] = product(m.slots, (const T*)sharp.data(), d + at);
                mix(m.slots, control[mode_share], d + at, T(0), d + at, asked);
                d_vector[exponent] =
                    sharpen_backward(m.slots, control[exponent], T(LINK_EPSILON), own, (const T*)sharp.data(), asked);
            }
        pass(d_ahead.data(), d_back.data(), before);
        gather((const T*)along.data(), m.reads * m.slots, d_reading.data());
        gather((const T*)against.data(), m.reads * m.slots, d_reading.data());
    }

    // p = (1 - sum w) p' + w
    void precedence_backward(const T* writing, const T* precedence, T* d_writing, T* d_precedence) const {
        const T rest = T(1) - total<T>(m.slots, [&](int64_t i, int64_t) { return load(writing + i); });
        const T lost = product(m.slots, d_precedence, precedence);
        for (int64_t i = 0; i < m.slots; i += LANES<T>) {
            const Vector<T> d = load(d_precedence + i);
            store(d_writing + i, load(d_writing + i) + (d - lost));
            store(d_precedence + i, d * rest);
        }
    }

    // Backward pass of the write and of the write weights: the gradient of the tape becomes that of the previous tape,
    // and the gradient of the allocation is added to that of the usage.
    void write_backward(const T* tape, const T* after, const T* orders, T* d_tape, T* d, T* d_vector) {
        const T *writing = after + m.writing, *gates = &control[m.interface.allocation_gates],
                *write_gates = &control[m.interface.write_gates];
        T *d_writing = d + m.writing, *d_gates = d_vector + m.interface.allocation_gates,
          *d_write_gates = d_vector + m.interface.write_gates;
        for (int64_t h = 0; h < m.writes; ++h)
            add_backward(m.width, m.slots, d_tape, writing + h * m.slots, &control[m.interface.add + h * m.width],
                         d_writing + h * m.slots, d_vector + m.interface.add + h * m.width);
        erases_backward(m.width, m.slots, m.writes, without_freed(tape), writing, &control[m.interface.erase],
                        chain.data(), d_tape, d_writing, d_vector + m.interface.erase);
        if (m.deallocate) keep_backward(m.width, m.slots, tape, retained_by_all(), d_tape, d_retained.data());
        allocation.find(after + m.usage, gates, write_gates, orders);
        writers.prepare(tape);
        for (int64_t h = 0; h < m.writes; ++h) {
            const T *free = allocation.weights(h), *d_own = d_writing + h * m.slots;
            const HeadParameters<T> head = m.writer(control.data(), h);
            const T *mask = m.write_mask(control.data(), h), *content = writers.find(head, mask);
            const T by_room = product(m.slots, free, d_own), by_content = product(m.slots, content, d_own);
            d_write_gates[h] = gates[h] * by_room + (T(1) - gates[h]) * by_content;
            d_gates[h] = write_gates[h] * (by_room - by_content);
            mix(m.slots, write_gates[h] * gates[h], d_own, T(0), d_own, &d_free[h * m.slots]);
            mix(m.slots, write_gates[h] * (T(1) - gates[h]), d_own, T(0), d_own, d_found.data());
            writers.find_backward(h, head, mask, d_found.data(), m.writer(d_vector, h), m.write_mask(d_vector, h));
        }
        writers.add_tape_gradient(d_tape);
        allocation.backward(gates, write_gates, d_free.data(), d + m.usage, d_gates, d_write_gates);
    }

    // Backward pass of usage and freeing: `d` becomes the gradient of all previous weights.
    void usage_backward(const T* before, T* d, T* d_vector) {
        T *d_usage = d + m.usage, *d_writing = d + m.writing;
        const T* free_gates = &control[m.interface.free_gates];
        use(m.slots, m.writes, before + m.usage, before + m.writing, used.data());
        for (int64_t i = 0; i < m.slots; i += LANES<T>) {
            const Vector<T> of_usage = load(d_usage + i);
            store(&d_retained[i], load(&d_retained[i]) + of_usage * load(&used[m.writes * m.slots + i]));
            store(d_usage + i, of_usage * load(retained_by_all() + i));
        }
        retain_backward(m.slots, m.reads, free_gates, before, retained.data(), d_retained.data(), d,
                        d_vector + m.interface.free_gates);
        if (!m.usage_gradient) clear(d_writing, m.writes * m.slots);
        use_backward(m.slots, m.writes, before + m.writing, used.data(), d_usage,
                     m.usage_gradient ? d_writing : nullptr);
    }
};
