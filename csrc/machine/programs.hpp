// Programs: compute the interface vector as a mixture of several products, for each head its own. The product of the
// interface weights then has one interface vector for each program, a query for each head, and a strength for each head.
//
// Weights of programs are a softmax over strength * cosine of key and query or, without keys, over strength * query.
#pragma once

#include <cmath>
#include <vector>

#include "machine/abi.hpp"
#include "machine/blocks.hpp"

template <typename T>
class Programs {
  public:
    const int64_t count, heads, key_size, query_size, vector_size;
    const int64_t product_size;  // the interface vector without programs

    Programs(const memtape_machine_sizes& s, const Blocks<T>& interface)
        : count(s.programs), heads(s.program_heads), key_size(s.program_key), query_size(key_size ? key_size : count),
          vector_size(interface.size),
          product_size(count ? count * vector_size + heads * (query_size + 1) : vector_size),
          squash(s.squash_queries), spans(count ? interface.spans() : std::vector<Span>()) {}

    int64_t keys_size() const { return heads * count * key_size; }

    // Numbers that `forward` and `backward` need in between.
    int64_t scratch() const { return 2 * count + 2 * query_size; }

    // The interface vector of a product.
    void forward(const T* product, const T* keys, T* scratch, T* vector) const {
        T *weights = scratch, *query = scratch + 2 * count;
        for (int64_t head = 0; head < heads; ++head) {
            choose(product, keys, head, query, weights);
            for (const Span& span : spans)
                if (span.head == head) mix(product, weights, span, vector);
        }
    }

    // From the gradients of the interface vector to those of the product, and add those of the keys.
    void backward(const T* product, const T* keys, const T* d_vector, T* scratch, T* d_product, T* d_keys) const {
        T *weights = scratch, *d_weights = scratch + count, *query = scratch + 2 * count, *d_query = query + query_size;
        for (int64_t head = 0; head < heads; ++head) {
            const Query<T> chosen = choose(product, keys, head, query, weights);
            std::fill(d_weights, d_weights + count, T(0));
            for (const Span& span : spans)
                if (span.head == head) mix_backward(product, weights, span, d_vector, d_weights, d_product);
            T mean = 0;
            for (int64_t i = 0; i < count; ++i) mean += weights[i] * d_weights[i];
            T d_strength = 0, d_norm = 0;
            std::fill(d_query, d_query + query_size, T(0));
            for (int64_t i = 0; i < count; ++i) {
                const T d_score = weights[i] * (d_weights[i] - mean);
                if (!key_size) {
                    d_strength += d_score * query[i];
                    d_query[i] = d_score * chosen.strength;
                    continue;
                }
                const T* key = keys + (head * count + i) * key_size;
                T* d_key = d_keys + (head * count + i) * key_size;
                const T d_product_of_both = d_score * chosen.strength;
                const T near = dot(key, query);
                d_strength += d_score * near * chosen.scale;
                d_norm += d_product_of_both * near;
                for (int64_t j = 0; j < key_size; ++j) {
                    d_query[j] += d_product_of_both * chosen.scale * key[j];
                    d_key[j] += d_product_of_both * chosen.scale * query[j];
                }
            }
            T* to = d_product + count * vector_size + head * query_size;
            const T of_norm = d_norm * chosen.scale * chosen.scale * chosen.scale;
            for (int64_t j = 0; j < query_size; ++j) {
                const T d = key_size ? d_query[j] - of_norm * query[j] : d_query[j];
                to[j] = key_size && squash ? d * (T(1) - query[j] * query[j]) : d;
            }
            const int64_t at = count * vector_size + heads * query_size + head;
            d_product[at] = d_strength * slope(product[at]);
        }
    }

  private:
    template <typename N>
    struct Query {
        N strength, scale;  // scale: one over the norm of the query
    };

    const bool squash;
    const std::vector<Span> spans;

    static constexpr T EPSILON = T(1e-12);   // added to a squared norm, as in memtape/ops/addressing.py
    static constexpr T LINEAR_FROM = T(20);  // torch's softplus is the identity from here on

    static T slope(T x) { return x > LINEAR_FROM ? T(1) : T(1) / (T(1) + std::exp(-x)); }

    T dot(const T* key, const T* query) const {
        T sum = 0;
        for (int64_t j = 0; j < key_size; ++j) sum += key[j] * query[j];
        return sum;
    }

    // The query of a head, and the weights of its programs.
    Query<T> choose(const T* product, const T* keys, int64_t head, T* query, T* weights) const {
        const T* from = product + count * vector_size + head * query_size;
        const T raw = product[count * vector_size + heads * query_size + head];
        T squares = EPSILON;
        for (int64_t j = 0; j < query_size; ++j) {
            query[j] = key_size && squash ? std::tanh(from[j]) : from[j];
            squares += query[j] * query[j];
        }
        const Query<T> chosen{raw > LINEAR_FROM ? raw : std::log1p(std::exp(raw)), T(1) / std::sqrt(squares)};
        for (int64_t i = 0; i < count; ++i)
            weights[i] = chosen.strength *
                         (key_size ? dot(keys + (head * count + i) * key_size, query) * chosen.scale : query[i]);
        const T most = *std::max_element(weights, weights + count);
        T total = 0;
        for (int64_t i = 0; i < count; ++i) total += weights[i] = std::exp(weights[i] - most);
        for (int64_t i = 0; i < count; ++i) weights[i] /= total;
        return chosen;
    }

    void mix(const T* product, const T* weights, const Span& span, T* vector) const {
        by_register<T>(span.size, [&](int64_t at, int64_t some) {
            Vector<T> sum = {};
            for (int64_t i = 0; i < count; ++i)
                sum += weights[i] * load(product + i * vector_size + span.from + at, some);
            store(vector + span.from + at, sum, some);
        });
    }

    void mix_backward(const T* product, const T* weights, const Span& span, const T* d_vector, T* d_weights,
                      T* d_product) const {
        for (int64_t i = 0; i < count; ++i) {
            const T* own = product + i * vector_size + span.from;
            T* to = d_product + i * vector_size + span.from;
            T sum = 0;
            for (int64_t at = 0; at < span.size; ++at) {
                sum += own[at] * d_vector[span.from + at];
                to[at] = weights[i] * d_vector[span.from + at];
            }
            d_weights[i] += sum;
        }
    }
};
