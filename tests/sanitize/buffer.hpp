// Buffer: numbers on the heap, random or NaN.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>

inline uint64_t seed = 1;

// A number in -1..1.
inline double random_number() {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return double(int64_t(seed) >> 11) / double(int64_t(1) << 52);
}

inline int64_t random_below(int64_t count) { return int64_t((random_number() + 1) / 2 * double(count)) % count; }

inline int64_t offset =
    0;  // 1: buffers are aligned to the size of a number only, as in views of tensors

// The given number of numbers on the heap, without padding, filled with random numbers or NaN.
template <typename T>
class Buffer {
  public:
    explicit Buffer(int64_t count, double size = std::numeric_limits<double>::quiet_NaN())
        : count(count), begin(offset), bytes(new char[(count + begin) * sizeof(T)]) {
        for (int64_t i = 0; i < count; ++i) data()[i] = std::isnan(size) ? T(size) : T(size * random_number());
    }
    T* data() const { return reinterpret_cast<T*>(bytes.get()) + begin; }
    bool finite() const {
        for (int64_t i = 0; i < count; ++i)
            if (!std::isfinite(data()[i])) return false;
        return true;
    }
    bool same(const Buffer& other) const { return !std::memcmp(data(), other.data(), count * sizeof(T)); }
    const int64_t count;

  private:
    const int64_t begin;
    std::unique_ptr<char[]> bytes;
};

// One of the given numbers, at random.
inline int64_t pick(std::initializer_list<int64_t> choices) {
    return choices.begin()[random_below(int64_t(choices.size()))];
}
