// Entity: the slots of a recurrent entity network (Henaff et al. 2017), which read the sentences of stories one after
// another, forward and backward.
//
// A thread reads one story at a time, so that its slots stay in the cache, and one product with the weights serves all
// slots. Contents are padded with zeros to whole registers. The gradient of the weights is one product over all sentences,
// which the caller computes.
#include "recurrence/entity.hpp"

#include <cmath>

#include "base/denormals.hpp"
#include "base/matrix.hpp"
#include "base/rows.hpp"
#include "base/vectors.hpp"

namespace {

constexpr double LEAST_NORM = 1e-12;

// The sizes of a batch of stories.
class Stories {
  public:
    const int64_t batch, slots, size, wide, content;

    explicit Stories(const memtape_entity_sizes& s)
        : batch(s.batch), slots(s.slots), size(s.size),
          wide((s.size + MEMTAPE_ENTITY_WIDE - 1) / MEMTAPE_ENTITY_WIDE * MEMTAPE_ENTITY_WIDE), content(slots * wide),
          rows(s.batch, 0, s.lengths, s.threads), starts(s.batch) {
        for (int64_t row = 1; row < s.batch; ++row) starts[row] = starts[row - 1] + s.lengths[row - 1];
    }

    // Call work(story, its first sentence, its length) for all stories, distributed over threads; make() returns the
    // work of a thread.
    template <typename Make>
    void share(Make make) const {
        rows.share([&](int64_t, const std::vector<int64_t>& own) {
            const WithoutDenormals quick;
            auto work = make();
            for (int64_t row : own) work(row, starts[row], rows.length(row));
        });
    }

    // Copy contents from rows of `size` numbers to rows of `wide`, and back.
    template <typename T>
    void widen(int64_t count, const T* from, T* to) const {
        for (int64_t j = 0; j < count; ++j) copy(from + j * size, size, to + j * wide);
    }
    template <typename T>
    void narrow(int64_t count, const T* from, T* to) const {
        for (int64_t j = 0; j < count; ++j) copy(from + j * wide, size, to + j * size);
    }
    template <typename T>
    Array<T> widened(int64_t count, const T* from) const {
        Array<T> all(count * wide);
        widen(count, from, all.data());
        return all;
    }

  private:
    const Rows rows;
    std::vector<int64_t> starts;
};

// A matrix of D x D for products with contents.
template <typename T>
class Weights {
  public:
    const int64_t stride;  // of the results

    Weights(const Stories& stories, const T* weights, bool transposed)
        : stride(std::max(whole_panels<T>(stories.size), stories.wide)), stories(stories),
          packed(stories.size, stories.size) {
        const int64_t size = stories.size;
        packed.place(0, size, transposed ? size : 1, 0, size, transposed ? 1 : size, weights);
    }

    void multiply(const T* contents, T* results) const {
        packed.multiply(stories.slots, contents, stories.wide, results, stride);
    }

  private:
    static_assert(MEMTAPE_ENTITY_WIDE % LANES<T> == 0);
    const Stories& stories;
    Packed<T> packed;
};

// One slot reads a sentence; `sum` is at first the product with the weights. Returns the norm.
template <typename T>
T update(int64_t wide, T gate, const T* constant, const T* given, const T* slopes, const T* before, T* sum, T* after) {
    const T squares = total<T>(wide, [&](int64_t i, int64_t) {
        const Vector<T> a = load(sum + i) + load(constant + i) + load(given + i);
        const Vector<T> candidate = a > T(0) ? a : a * load(slopes + i);
        const Vector<T> grown = load(before + i) + gate * candidate;
        store(sum + i, a);
        store(after + i, grown);
        return grown * grown;
    });
    const T norm = std::max(std::sqrt(squares), T(LEAST_NORM)), scale = T(1) / norm;
    by_register<T>(wide, [&](int64_t i, int64_t) { store(after + i, load(after + i) * scale); });
    return norm;
}

template <typename T>
void forward(const Stories& stories, const T* vectors, const T* by_key, const T* by_sentence, const T* constant,
             const T* first, const T* weights, const T* slopes, T* last, T* gates, T* before, T* sums, T* norms) {
    const int64_t slots = stories.slots, size = stories.size, wide = stories.wide, content = stories.content;
    const Weights<T> matrix(stories, weights, false);
    const Array<T> constants = stories.widened(slots, constant), wide_slopes = stories.widened(1, slopes);
    const Array<T> keys = stories.widened(slots, first);
    stories.share([&] {
        return [&, now = Array<T>(content), products = Array<T>(slots * matrix.stride), vector = Array<T>(wide),
                given = Array<T>(wide)](int64_t row, int64_t begin, int64_t length) mutable {
            copy(keys.data(), content, now.data());
            for (int64_t t = begin; t < begin + length; ++t) {
                if (before) copy(now.data(), content, before + t * content);
                stories.widen(1, vectors + t * size, vector.data());
                stories.widen(1, by_sentence + t * size, given.data());
                T* const gate = gates + t * slots;
                for (int64_t j = 0; j < slots; ++j)
                    gate[j] = by_key[t * slots + j] + total<T>(wide, [&](int64_t i, int64_t) {
                                  return load(&vector[i]) * load(&now[j * wide + i]);
                              });
                by_register<T>(slots, [&](int64_t j, int64_t some) {
                    store(gate + j, sigmoid<T>(load(gate + j, some)), some);
                });
                matrix.multiply(now.data(), products.data());
                for (int64_t j = 0; j < slots; ++j) {
                    T* const sum = &products[j * matrix.stride];
                    T* const own = &now[j * wide];
                    const T norm = update<T>(wide, gate[j], &constants[j * wide], given.data(), wide_slopes.data(), own,
                                             sum, own);
                    if (!before) continue;
                    copy(sum, wide, sums + t * content + j * wide);
                    norms[t * slots + j] = norm;
                }
            }
            stories.narrow(slots, now.data(), last + row * slots * size);
        };
    });
}

template <typename T>
void backward(const Stories& stories, const T* d_last, const T* d_gates, const T* vectors, const T* weights,
              const T* slopes, const T* last, const T* gates, const T* before, const T* sums, const T* norms,
              T* d_vectors, T* d_by_key, T* d_by_sentence, T* d_first, T* d_sums, T* d_slopes) {
    const int64_t slots = stories.slots, size = stories.size, wide = stories.wide, content = stories.content;
    const Weights<T> matrix(stories, weights, true);
    const Array<T> wide_slopes = stories.widened(1, slopes);
    Array<T> of_rows(stories.batch * wide);  // gradients of the slopes
    stories.share([&] {
        return [&, end = Array<T>(content), carried = Array<T>(content), products = Array<T>(slots * matrix.stride),
                vector = Array<T>(wide), d_vector = Array<T>(wide),
                d_given = Array<T>(wide)](int64_t row, int64_t begin, int64_t length) mutable {
            stories.widen(slots, last + row * slots * size, end.data());
            clear(carried.data(), content);
            if (d_last) stories.widen(slots, d_last + row * slots * size, carried.data());
            T* const d_slope = &of_rows[row * wide];
            for (int64_t t = begin + length - 1; t >= begin; --t) {
                stories.widen(1, vectors + t * size, vector.data());
                clear(d_vector.data(), wide);
                clear(d_given.data(), wide);
                const T* const ends = t + 1 < begin + length ? before + (t + 1) * content : end.data();
                for (int64_t j = 0; j < slots; ++j) {
                    const int64_t number = t * slots + j;
                    const T gate = gates[number], norm = norms[number], scale = T(1) / norm;
                    const T *const h = before + number * wide, *const a = sums + number * wide;
                    const T* const after = ends + j * wide;
                    T *const d = &carried[j * wide], *const d_a = d_sums + number * wide;
                    const T dot = total<T>(wide, [&](int64_t i, int64_t) { return load(d + i) * load(after + i); });
                    const T along = norm > T(LEAST_NORM) ? dot : T(0);
                    const T d_gate = total<T>(wide, [&](int64_t i, int64_t) {
                        const Vector<T> grown = (load(d + i) - load(after + i) * along) * scale;
                        const Vector<T> sum = load(a + i), slope = load(&wide_slopes[i]), d_candidate = grown * gate;
                        const Vector<T> d_sum = sum > T(0) ? d_candidate : d_candidate * slope;
                        store(d + i, grown);
                        store(d_a + i, d_sum);
                        store(&d_given[i], load(&d_given[i]) + d_sum);
                        store(d_slope + i, load(d_slope + i) + d_candidate * (sum > T(0) ? Vector<T>{} : sum));
                        return grown * (sum > T(0) ? sum : sum * slope);
                    });
                    const T d_score = (d_gate + (d_gates ? d_gates[number] : T(0))) * gate * (T(1) - gate);
                    d_by_key[number] = d_score;
                    by_register<T>(wide, [&](int64_t i, int64_t) {
                        store(&d_vector[i], load(&d_vector[i]) + d_score * load(h + i));
                        store(d + i, load(d + i) + d_score * load(&vector[i]));
                    });
                }
                stories.narrow(1, d_vector.data(), d_vectors + t * size);
                stories.narrow(1, d_given.data(), d_by_sentence + t * size);
                matrix.multiply(d_sums + t * content, products.data());
                for (int64_t j = 0; j < slots; ++j) gather(&products[j * matrix.stride], wide, &carried[j * wide]);
            }
            stories.narrow(slots, carried.data(), d_first + row * slots * size);
        };
    });
    Array<T> all(wide);
    for (int64_t row = 0; row < stories.batch; ++row) gather(&of_rows[row * wide], wide, all.data());
    stories.narrow(1, all.data(), d_slopes);
}

template <typename T>
int forward_of(MEMTAPE_ENTITY_FORWARD) {
    return unless_out_of_memory([&] {
        forward<T>(Stories(*sizes), (const T*)vectors, (const T*)by_key, (const T*)by_sentence, (const T*)constant,
                   (const T*)first, (const T*)weights, (const T*)slopes, (T*)last, (T*)gates, (T*)before, (T*)sums,
                   (T*)norms);
    });
}

template <typename T>
int backward_of(MEMTAPE_ENTITY_BACKWARD) {
    return unless_out_of_memory([&] {
        backward<T>(Stories(*sizes), (const T*)d_last, (const T*)d_gates, (const T*)vectors, (const T*)weights,
                    (const T*)slopes, (const T*)last, (const T*)gates, (const T*)before, (const T*)sums,
                    (const T*)norms, (T*)d_vectors, (T*)d_by_key, (T*)d_by_sentence, (T*)d_first, (T*)d_sums,
                    (T*)d_slopes);
    });
}

}  // namespace

extern "C" {

const char* memtape_entity_layout(void) {
    static const std::string text = Layout::of<memtape_entity_sizes>("sizes") +
                                    signature("forward", MEMTAPE_TEXT(MEMTAPE_ENTITY_FORWARD)) +
                                    signature("backward", MEMTAPE_TEXT(MEMTAPE_ENTITY_BACKWARD));
    return text.c_str();
}

int memtape_entity_forward_float32(MEMTAPE_ENTITY_FORWARD) {
    return forward_of<float>(sizes, vectors, by_key, by_sentence, constant, first, weights, slopes, last, gates, before,
                             sums, norms);
}
int memtape_entity_forward_float64(MEMTAPE_ENTITY_FORWARD) {
    return forward_of<double>(sizes, vectors, by_key, by_sentence, constant, first, weights, slopes, last, gates,
                              before, sums, norms);
}
int memtape_entity_backward_float32(MEMTAPE_ENTITY_BACKWARD) {
    return backward_of<float>(sizes, d_last, d_gates, vectors, weights, slopes, last, gates, before, sums, norms,
                              d_vectors, d_by_key, d_by_sentence, d_first, d_sums, d_slopes);
}
int memtape_entity_backward_float64(MEMTAPE_ENTITY_BACKWARD) {
    return backward_of<double>(sizes, d_last, d_gates, vectors, weights, slopes, last, gates, before, sums, norms,
                               d_vectors, d_by_key, d_by_sentence, d_first, d_sums, d_slopes);
}
}
