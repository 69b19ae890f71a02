// Scan: run units that are linear in their own state, without connections to one another, over whole sequences, forward
// and backward.
//
// A thread computes all steps of some units of a row. It reads and writes memory sequentially, step by step, so that
// memory bandwidth is the limit: algorithms that are parallel over time do more work and would be slower.
#include "recurrence/scan.hpp"

#include "base/denormals.hpp"
#include "base/rows.hpp"
#include "base/vectors.hpp"

namespace {

struct Range {
    int64_t begin, end;
};

// The sizes of a scan, and its distribution over threads: every row has as many parts as keep all threads busy.
template <typename T>
class Scan {
  public:
    const int64_t batch, time, units, planes;
    const bool varying;

    explicit Scan(const memtape_scan_sizes& s)
        : batch(s.batch), time(s.time), units(s.units), planes(s.planes), varying(s.varying), lengths(s.lengths),
          started(s.starts),
          parts(std::max<int64_t>(
              1, std::min((s.threads + s.batch - 1) / std::max<int64_t>(1, s.batch), padded<T>(s.units) / LANES<T>))),
          part_size(padded<T>((s.units + parts - 1) / parts)), part_lengths(all_lengths()),
          shares(s.batch * parts, s.time, part_lengths.data(), s.threads) {}

    int64_t size() const { return planes * units; }
    int64_t length(int64_t row) const { return lengths ? lengths[row] : time; }
    bool starts(int64_t row, int64_t t) const { return started && started[row * time + t]; }

    template <typename N>
    N* of_row(N* from, int64_t row) const {
        return from + row * size();
    }
    template <typename N>
    N* of_step(N* from, int64_t row, int64_t t) const {
        return from + (row * time + t) * size();
    }
    const T* decay(const T* from, int64_t row, int64_t t) const { return varying ? of_step(from, row, t) : from; }

    // The state before a step; the initial state at a start.
    const T* before(int64_t row, int64_t t, const T* states, const T* first, const T* initial) const {
        if (starts(row, t)) return of_row(initial, row);
        return t ? of_step(states, row, t - 1) : of_row(first, row);
    }

    // Call work(row, units of the row) for everything, distributed over threads.
    template <typename Work>
    void share(Work work) const {
        shares.share([&](int64_t, const std::vector<int64_t>& own) {
            const WithoutDenormals quick;
            for (int64_t item : own) {
                const int64_t begin = item % parts * part_size;
                if (begin < units) work(item / parts, Range{begin, std::min(units, begin + part_size)});
            }
        });
    }

    // Some units of all planes of a vector.
    void copy_units(const T* from, Range some, T* to) const {
        for (int64_t p = 0; p < planes; ++p)
            copy(from + p * units + some.begin, some.end - some.begin, to + p * units + some.begin);
    }
    void clear_units(Range some, T* to) const {
        for (int64_t p = 0; p < planes; ++p) clear(to + p * units + some.begin, some.end - some.begin);
    }
    void gather_units(const T* from, Range some, T* to) const {
        for (int64_t p = 0; p < planes; ++p)
            gather(from + p * units + some.begin, some.end - some.begin, to + p * units + some.begin);
    }

  private:
    const int64_t* const lengths;
    const uint8_t* const started;
    const int64_t parts, part_size;
    const std::vector<int64_t> part_lengths;
    const Rows shares;

    std::vector<int64_t> all_lengths() const {
        std::vector<int64_t> all(batch * parts);
        for (int64_t i = 0; i < batch * parts; ++i) all[i] = length(i / parts);
        return all;
    }
};

// to = decay * before + added
template <typename T>
void step(const Scan<T>& scan, Range some, const T* decay, const T* before, const T* added, T* to) {
    if (scan.planes == 1)
        by_register<T>(some.end - some.begin, [&](int64_t k, int64_t count) {
            const int64_t i = some.begin + k;
            store(to + i, load(decay + i, count) * load(before + i, count) + load(added + i, count), count);
        });
    else
        by_register<T>(some.end - some.begin, [&](int64_t k, int64_t count) {
            const int64_t re = some.begin + k, im = re + scan.units;
            const Vector<T> a_re = load(decay + re, count), a_im = load(decay + im, count);
            const Vector<T> h_re = load(before + re, count), h_im = load(before + im, count);
            store(to + re, a_re * h_re - a_im * h_im + load(added + re, count), count);
            store(to + im, a_re * h_im + a_im * h_re + load(added + im, count), count);
        });
}

// One step of the backward pass. `carried` is the gradient of the state after the step from all later steps, and
// becomes that of the state before it; d_state, which may be null, is that from the step's own output. d_decay, which
// may be null, is added to.
template <typename T>
void step_back(const Scan<T>& scan, Range some, const T* decay, const T* before, const T* d_state, T* carried,
               T* d_decay, T* d_added) {
    const Vector<T> none = {};
    if (scan.planes == 1)
        by_register<T>(some.end - some.begin, [&](int64_t k, int64_t count) {
            const int64_t i = some.begin + k;
            const Vector<T> d = load(carried + i, count) + (d_state ? load(d_state + i, count) : none);
            store(d_added + i, d, count);
            if (d_decay) store(d_decay + i, load(d_decay + i, count) + d * load(before + i, count), count);
            store(carried + i, d * load(decay + i, count), count);
        });
    else
        by_register<T>(some.end - some.begin, [&](int64_t k, int64_t count) {
            const int64_t re = some.begin + k, im = re + scan.units;
            const Vector<T> d_re = load(carried + re, count) + (d_state ? load(d_state + re, count) : none);
            const Vector<T> d_im = load(carried + im, count) + (d_state ? load(d_state + im, count) : none);
            store(d_added + re, d_re, count);
            store(d_added + im, d_im, count);
            if (d_decay) {
                const Vector<T> h_re = load(before + re, count), h_im = load(before + im, count);
                store(d_decay + re, load(d_decay + re, count) + (d_re * h_re + d_im * h_im), count);
                store(d_decay + im, load(d_decay + im, count) + (d_im * h_re - d_re * h_im), count);
            }
            const Vector<T> a_re = load(decay + re, count), a_im = load(decay + im, count);
            store(carried + re, a_re * d_re + a_im * d_im, count);
            store(carried + im, a_re * d_im - a_im * d_re, count);
        });
}

template <typename T>
void forward(const Scan<T>& scan, const T* decay, const T* added, const T* first, const T* initial, T* states,
             T* last) {
    scan.share([&](int64_t row, Range some) {
        const int64_t length = scan.length(row);
        for (int64_t t = 0; t < length; ++t)
            step(scan, some, scan.decay(decay, row, t), scan.before(row, t, states, first, initial),
                 scan.of_step(added, row, t), scan.of_step(states, row, t));
        for (int64_t t = length; t < scan.time; ++t) scan.clear_units(some, scan.of_step(states, row, t));
        const T* end = length ? scan.of_step(states, row, length - 1) : scan.of_row(first, row);
        scan.copy_units(end, some, scan.of_row(last, row));
    });
}

template <typename T>
void backward(const Scan<T>& scan, const T* decay, const T* states, const T* first, const T* initial, const T* d_states,
              const T* d_last, T* d_decay, T* d_added, T* d_first, T* d_initial) {
    Array<T> of_rows(d_decay && !scan.varying ? scan.batch * scan.size() : 0);  // gradients of a shared decay
    scan.share([&](int64_t row, Range some) {
        T* const carried = scan.of_row(d_first, row);
        if (d_last)
            scan.copy_units(scan.of_row(d_last, row), some, carried);
        else
            scan.clear_units(some, carried);
        if (d_initial) scan.clear_units(some, scan.of_row(d_initial, row));
        auto d_decay_of = [&](int64_t t) {
            return !d_decay ? nullptr : scan.varying ? scan.of_step(d_decay, row, t) : scan.of_row(of_rows.data(), row);
        };
        for (int64_t t = scan.time - 1; t >= 0; --t) {
            if (d_decay && scan.varying) scan.clear_units(some, d_decay_of(t));
            if (t >= scan.length(row)) {
                scan.clear_units(some, scan.of_step(d_added, row, t));
                continue;
            }
            step_back(scan, some, scan.decay(decay, row, t), scan.before(row, t, states, first, initial),
                      d_states ? scan.of_step(d_states, row, t) : nullptr, carried, d_decay_of(t),
                      scan.of_step(d_added, row, t));
            if (scan.starts(row, t)) {
                scan.gather_units(carried, some, scan.of_row(d_initial, row));
                scan.clear_units(some, carried);
            }
        }
    });
    if (!d_decay || scan.varying) return;
    clear(d_decay, scan.size());
    for (int64_t row = 0; row < scan.batch; ++row) gather(scan.of_row(of_rows.data(), row), scan.size(), d_decay);
}

template <typename T>
int forward_of(const memtape_scan_sizes* sizes, const void* decay, const void* added, const void* first,
               const void* initial, void* states, void* last) {
    return unless_out_of_memory([&] {
        forward<T>(Scan<T>(*sizes), (const T*)decay, (const T*)added, (const T*)first, (const T*)initial, (T*)states,
                   (T*)last);
    });
}

template <typename T>
int backward_of(const memtape_scan_sizes* sizes, const void* decay, const void* states, const void* first,
                const void* initial, const void* d_states, const void* d_last, void* d_decay, void* d_added,
                void* d_first, void* d_initial) {
    return unless_out_of_memory([&] {
        backward<T>(Scan<T>(*sizes), (const T*)decay, (const T*)states, (const T*)first, (const T*)initial,
                    (const T*)d_states, (const T*)d_last, (T*)d_decay, (T*)d_added, (T*)d_first, (T*)d_initial);
    });
}

}  // namespace

extern "C" {

const char* memtape_scan_layout(void) {
    static const std::string text = Layout::of<memtape_scan_sizes>("sizes") +
                                    signature("forward", MEMTAPE_TEXT(MEMTAPE_SCAN_FORWARD)) +
                                    signature("backward", MEMTAPE_TEXT(MEMTAPE_SCAN_BACKWARD));
    return text.c_str();
}

int memtape_scan_forward_float32(MEMTAPE_SCAN_FORWARD) {
    return forward_of<float>(sizes, decay, added, first, initial, states, last);
}
int memtape_scan_forward_float64(MEMTAPE_SCAN_FORWARD) {
    return forward_of<double>(sizes, decay, added, first, initial, states, last);
}
int memtape_scan_backward_float32(MEMTAPE_SCAN_BACKWARD) {
    return backward_of<float>(sizes, decay, states, first, initial, d_states, d_last, d_decay, d_added, d_first,
                              d_initial);
}
int memtape_scan_backward_float64(MEMTAPE_SCAN_BACKWARD) {
    return backward_of<double>(sizes, decay, states, first, initial, d_states, d_last, d_decay, d_added, d_first,
                               d_initial);
}
}
