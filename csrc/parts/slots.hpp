// Slots: the memory of a Differentiable Neural Computer, for machine/engine.hpp.
//
// Slots and links are saved only at the start of each stretch of steps; the backward pass repeats the writes of the
// stretch from saved weights.
#pragma once

#include "machine/engine.hpp"
#include "machines/dnc.hpp"
#include "parts/allocation.hpp"
#include "parts/links.hpp"
#include "parts/look_ups.hpp"
#include "parts/sharpening.hpp"

// About the square root of the number of steps, which needs the least memory for links: those at the starts of
// stretches, and those of one stretch. At least the value that was fastest in measurements: short enough for the L2
// cache and long enough that copies are rare.
inline int64_t steps_between_links(int64_t time) {
    int64_t steps = 16;
    while (steps * steps < time) steps += 8;
    return steps;
}

constexpr double LINK_EPSILON = 1e-6;  // the same as in memtape/memory/dnc.py

template <typename T>
class Slots {
  public:
    using Number = T;
    using Sizes = memtape_dnc_sizes;
    using State = memtape_dnc_state;

    const int64_t count, slots, width, reads, writes, read_size, tape_size, links_size;  // slots are padded
    const int64_t steps, stretch, stretches;
    const bool masked, sharp, deallocate, usage_gradient;
    const DNCInterface<T> interface;
    const Blocks<T> written;  // the blocks that a write needs
    const Links<T> links;
    const Kinds readers, writers;
    const Allocation<T> allocation;
    // Read weights, write weights, usage, and precedence of the write heads, one array for each head.
    const int64_t writing, usage, precedence, places_size;
    const int64_t seen_size;  // the weights of each read head and mode
    int64_t kept;             // numbers saved for the backward pass

    explicit Slots(const Sizes& sizes)
        : count(sizes.slots), slots(padded<T>(sizes.slots)), width(sizes.width), reads(sizes.reads),
          writes(sizes.writes), read_size(reads * width), tape_size(width * slots), links_size(writes * slots * slots),
          steps(sizes.machine.time), stretch(steps_between_links(steps)), stretches((steps + stretch - 1) / stretch),
          masked(sizes.masked), sharp(sizes.sharpen), deallocate(sizes.deallocate),
          usage_gradient(sizes.usage_gradient), interface(sizes),
          written(interface.only({"erase", "add", "free_gates"})), links(slots),
          readers{count, slots, width, reads, 0, false, true, sizes.norm_epsilon, sizes.product_epsilon},
          writers{count, slots, width, writes, 0, false, true, sizes.norm_epsilon, sizes.product_epsilon},
          allocation(count, slots, writes, sizes.usage_epsilon, sizes.usage_tolerance), writing(reads * slots),
          usage(writing + writes * slots), precedence(usage + slots), places_size(precedence + writes * slots),
          seen_size(reads * interface.modes * slots) {
        Sections sections;
        places_at = sections.section(sizes.machine.batch * (steps + 1) * places_size);
        tapes_at = sections.section(sizes.machine.batch * stretches * tape_size);
        links_at = sections.section(sizes.machine.batch * stretches * links_size);
        seen_at = sections.section(sharp ? sizes.machine.batch * steps * seen_size : 0);
        orders_at = sections.section(sizes.machine.batch * steps * writes * count);
        kept = sections.size;
    }

    int64_t forward_bytes() const { return (tape_size + links_size) * int64_t(sizeof(T)); }
    int64_t backward_bytes() const { return (stretch + 2) * forward_bytes(); }

    // The parameters of a head, or their gradients; without masks these are not read.
    HeadParameters<T> reader(T* control, int64_t head) const {
        return {control + interface.read_keys + head * width, control + interface.read_strengths + head};
    }
    HeadParameters<T> writer(T* control, int64_t head) const {
        return {control + interface.write_keys + head * width, control + interface.write_strengths + head};
    }
    T* read_mask(T* control, int64_t head) const { return control + interface.read_masks + head * width; }
    T* write_mask(T* control, int64_t head) const { return control + interface.write_masks + head * width; }

    // Offsets, in the saved numbers, of the weights after `t` steps, and of tape and links at the start of a stretch.
    T* places(T* block, int64_t row, int64_t t) const {
        return block + places_at + (row * (steps + 1) + t) * places_size;
    }
    T* tape(T* block, int64_t row, int64_t stretch) const {
        return block + tapes_at + (row * stretches + stretch) * tape_size;
    }
    T* linked(T* block, int64_t row, int64_t stretch) const {
        return block + links_at + (row * stretches + stretch) * links_size;
    }

    // The weights of each read head and mode in a step, before sharpening.
    T* seen(T* block, int64_t row, int64_t t) const { return block + seen_at + (row * steps + t) * seen_size; }

    // The orders of the usages in a step.
    T* orders(T* block, int64_t row, int64_t t) const { return block + orders_at + (row * steps + t) * writes * count; }

    // Load a row's state, or zeros for null pointers.
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
    int64_t places_at, tapes_at, links_at, seen_at, orders_at;
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
