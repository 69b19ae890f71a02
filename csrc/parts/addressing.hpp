// Addressing: the weights of a head of the Neural Turing Machine (Graves et al. 2014, section 3.3), forward and
// backward.
//
// The equations, the epsilons and the handling of overflow are those of memtape/ops/addressing.py.
#pragma once

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/softmax.hpp"
#include "parts/tape.hpp"

constexpr double WEIGHT_EPSILON = 1e-12, LARGEST_SCORE = 1e30;

// Slots with an entry beyond this are divided by it before anything is squared.
template <typename T>
constexpr T SQUARES_OVERFLOW = sizeof(T) == 4 ? T(1e15) : T(1e150);

// The parameters of a head in one step, or their gradients.
template <typename T>
struct HeadParameters {
    T *key, *strength, *gate = nullptr, *kernel = nullptr, *exponent = nullptr;
};

struct Kinds {
    int64_t count, slots, width, heads, reach;  // slots, padded slots, features of a slot, heads, largest shift
    bool location, cosine;
    double norm_epsilon = 1e-12, product_epsilon = 0;  // added to squared norms, and to a product of two norms
};

// Content addressing, interpolation, shift and sharpening of one head after another, with their buffers.
template <typename T>
class Lookup {
  public:
    explicit Lookup(const Kinds& kinds)
        : kinds(kinds), inverse_norm(kinds.slots), scale(kinds.slots), similarity(kinds.slots), content(kinds.slots),
          logs(kinds.slots), ring(kinds.slots + 2 * kinds.reach + LANES<T>), d_ring(ring.size()), shifted(kinds.slots),
          d_content(kinds.slots), key(kinds.width), d_key(kinds.width), keys(kinds.heads * kinds.width),
          by_key(kinds.heads * kinds.slots), by_tape(kinds.slots) {}

    // Prepare a tape for the heads.
    void prepare(const T* memory) {
        seen = memory;
        Vector<T> beyond = {};
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            Vector<T> size = {}, squares = {};
            for (int64_t f = 0; f < kinds.width; ++f) {
                const Vector<T> value = load(memory + f * kinds.slots + i);
                size = larger<T>(magnitude<T>(value), size);
                squares += value * value;
            }
            beyond = larger<T>(size, beyond);
            store(&scale[i], size);
            store(&inverse_norm[i], T(1) / square_root<T>(squares + T(kinds.norm_epsilon)));
        }
        if (largest<T>(beyond) >
            (kinds.cosine ? SQUARES_OVERFLOW<T> : T(1)))  // dot products scale every slot with larger entries
            scale_down(memory);
        else
            std::fill(scale.begin(), scale.end(), T(1));
    }

    // `weights`, those of the previous step, become those of this step.
    void address(const HeadParameters<T>& parameters, T* weights) {
        compare(parameters);
        if (!kinds.location) {
            std::copy(content.begin(), content.end(), weights);
            return;
        }
        step(parameters, weights);
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) store(weights + i, load(&logs[i]) * *parameters.exponent);
        softmax(kinds.count, kinds.slots, weights);
    }

    // Backward pass of one head. d_weights is the gradient of `weights` and becomes that of `before`, the weights of
    // the previous step.
    void address_backward(int64_t head, const HeadParameters<T>& parameters, const T* before, const T* weights,
                          T* d_weights, const HeadParameters<T>& d_parameters) {
        compare(parameters);
        if (kinds.location) {
            step(parameters, before);
            step_backward(parameters, before, weights, d_weights, d_parameters);
        } else {
            std::copy(d_weights, d_weights + kinds.slots, d_content.begin());
            std::fill(d_weights, d_weights + kinds.slots, T(0));
        }
        compare_backward(head, parameters, d_parameters);
    }

    // The weights by content only; they are valid until the next call.
    const T* find(const HeadParameters<T>& parameters) {
        compare(parameters);
        return content.data();
    }

    // Backward pass of the last `find`.
    void find_backward(int64_t head, const HeadParameters<T>& parameters, const T* d_found,
                       const HeadParameters<T>& d_parameters) {
        copy(d_found, kinds.slots, d_content.data());
        compare_backward(head, parameters, d_parameters);
    }

    // Add the gradients through all heads to that of the tape.
    void add_tape_gradient(T* d_tape) {
        add_outer(kinds.width, kinds.slots, kinds.heads, d_tape, keys.data(), by_key.data());
        for (int64_t f = 0; f < kinds.width; ++f)
            for (int64_t i = 0; i < kinds.slots; i += LANES<T>)
                store(d_tape + f * kinds.slots + i,
                      load(d_tape + f * kinds.slots + i) - load(&by_tape[i]) * load(seen + f * kinds.slots + i));
        std::fill(by_tape.begin(), by_tape.end(), T(0));
    }

  private:
    const Kinds kinds;
    const T* seen = nullptr;  // the tape, where a slot whose squares would overflow is scaled down by `scale`
    Array<T> inverse_norm, scale, similarity, content, logs, ring, d_ring, shifted, d_content, key, d_key, keys, by_key,
        by_tape, scaled;
    T key_scale = 1, key_inverse_norm = 1;

    void scale_down(const T* memory) {
        scaled.resize(kinds.width * kinds.slots);
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            const Vector<T> size = larger<T>(load(&scale[i]), all(T(1)));
            Vector<T> squares = {};
            for (int64_t f = 0; f < kinds.width; ++f) {
                const Vector<T> value = load(memory + f * kinds.slots + i) / size;
                squares += value * value;
                store(&scaled[f * kinds.slots + i], value);
            }
            store(&scale[i], size);
            store(&inverse_norm[i], T(1) / square_root<T>(squares + T(kinds.norm_epsilon) / (size * size)));
        }
        seen = scaled.data();
    }

    // The similarities of the key and every slot, and their softmax.
    void compare(const HeadParameters<T>& parameters) {
        T size = 1, squares = 0;
        for (int64_t f = 0; f < kinds.width; ++f) size = std::max(size, std::abs(parameters.key[f]));
        for (int64_t f = 0; f < kinds.width; ++f) {
            key[f] = parameters.key[f] / size;
            squares += key[f] * key[f];
        }
        key_scale = size;
        key_inverse_norm = T(1) / std::sqrt(squares + T(kinds.norm_epsilon) / (size * size));
        over_features<T, false>(kinds.width, kinds.slots, seen, key.data(), similarity.data());
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            const Vector<T> alike = load(&similarity[i]) * factor(i);
            store(&similarity[i], alike);
            store(&content[i], score(alike, *parameters.strength));
        }
        softmax(kinds.count, kinds.slots, content.data());
    }

    // The factor from the product of the scaled key and slot to their similarity.
    Vector<T> factor(int64_t i) const {
        if (kinds.cosine) return key_inverse_norm * load(&inverse_norm[i]) * share(i);
        const Vector<T> both = key_scale * load(&scale[i]);
        return both > T(LARGEST_SCORE) ? all(T(LARGEST_SCORE)) : both;
    }

    // The product of both norms divided by its sum with the epsilon.
    Vector<T> share(int64_t i) const {
        if (kinds.product_epsilon == 0) return all(T(1));
        return T(1) / (T(1) + T(kinds.product_epsilon) / key_scale / load(&scale[i]) * key_inverse_norm *
                                  load(&inverse_norm[i]));
    }

    Vector<T> score(Vector<T> alike, T strength) const {
        const Vector<T> free = alike * strength;
        if (kinds.cosine) return free;
        const Vector<T> below = free > T(LARGEST_SCORE) ? all(T(LARGEST_SCORE)) : free;
        return below < T(-LARGEST_SCORE) ? all(T(-LARGEST_SCORE)) : below;
    }

    // From d_content to the gradients of the key, the strength and the tape.
    void compare_backward(int64_t head, const HeadParameters<T>& parameters, const HeadParameters<T>& d_parameters) {
        softmax_backward(kinds.slots, content.data(), d_content.data());
        Vector<T> d_strength = {}, along = {};
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            Vector<T> d = load(&d_content[i]);
            const Vector<T> alike = load(&similarity[i]);
            if (!kinds.cosine) d = magnitude<T>(alike * *parameters.strength) > T(LARGEST_SCORE) ? Vector<T>{} : d;
            d_strength += d * alike;
            d *= *parameters.strength;
            const Vector<T> inverse = load(&inverse_norm[i]), shrunk = T(1) / load(&scale[i]);
            const Vector<T> product = d * factor(i);
            store(&d_content[i], product / key_scale);
            store(&by_key[head * kinds.slots + i], product * shrunk);
            if (!kinds.cosine) continue;
            const Vector<T> by_length = d * alike * share(i);
            store(&by_tape[i], load(&by_tape[i]) + by_length * inverse * inverse * shrunk);
            along += by_length;
        }
        *d_parameters.strength = sum<T>(d_strength);
        over_slots(kinds.width, kinds.slots, seen, d_content.data(), d_key.data());
        const T itself = kinds.cosine ? sum<T>(along) * key_inverse_norm * key_inverse_norm / key_scale : T(0);
        for (int64_t f = 0; f < kinds.width; ++f) d_parameters.key[f] = d_key[f] - key[f] * itself;
        std::copy(key.begin(), key.end(), keys.begin() + head * kinds.width);
    }

    // Extend a ring of slots by `reach` slots at both ends.
    void close_ring(Array<T>& ring) const {
        for (int64_t k = 1; k <= kinds.reach; ++k) {
            ring[kinds.reach - k] = ring[kinds.reach + kinds.count - 1 - (k - 1) % kinds.count];
            ring[kinds.reach + kinds.count - 1 + k] = ring[kinds.reach + (k - 1) % kinds.count];
        }
    }

    // Interpolate with the previous weights, shift, and take logarithms.
    void step(const HeadParameters<T>& parameters, const T* before) {
        const T g = *parameters.gate;
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            const Vector<T> old = load(before + i), found = load(&content[i]), apart = found - old;
            store(&ring[kinds.reach + i], g < T(0.5) ? old + g * apart : found - apart * (T(1) - g));
        }
        close_ring(ring);
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            Vector<T> total = {};
            for (int64_t j = 0; j <= 2 * kinds.reach; ++j)
                total += parameters.kernel[j] * load(&ring[i + 2 * kinds.reach - j]);
            total += T(WEIGHT_EPSILON);
            store(&shifted[i], total);
            store(&logs[i], logarithm<T>(total));
        }
    }

    void step_backward(const HeadParameters<T>& parameters, const T* before, const T* weights, T* d_weights,
                       const HeadParameters<T>& d_parameters) {
        softmax_backward(kinds.slots, weights, d_weights);
        Vector<T> d_exponent = {};
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            const Vector<T> d = load(d_weights + i);
            d_exponent += d * load(&logs[i]);
            store(&d_ring[kinds.reach + i], d * *parameters.exponent / load(&shifted[i]));
        }
        *d_parameters.exponent = sum<T>(d_exponent);
        std::fill(d_ring.begin() + kinds.reach + kinds.count, d_ring.end(), T(0));
        for (int64_t j = 0; j <= 2 * kinds.reach; ++j) {
            Vector<T> total = {};
            for (int64_t i = 0; i < kinds.slots; i += LANES<T>)
                total += load(&d_ring[kinds.reach + i], kinds.count - i) *
                         load(&ring[i + 2 * kinds.reach - j], kinds.count - i);
            d_parameters.kernel[j] = sum<T>(total);
        }
        close_ring(d_ring);
        Vector<T> d_gate = {};
        const T g = *parameters.gate;
        for (int64_t i = 0; i < kinds.slots; i += LANES<T>) {
            Vector<T> d = {};
            for (int64_t j = 0; j <= 2 * kinds.reach; ++j)
                d += parameters.kernel[j] * load(&d_ring[i + j], kinds.count - i);
            d_gate += d * (load(&content[i]) - load(before + i));
            store(&d_content[i], d * g);
            store(d_weights + i, d * (T(1) - g));
        }
        *d_parameters.gate = sum<T>(d_gate);
    }
};
