// Lazy: arrays of zeros that cost only what is accessed, so that an array over all slots of a large memory is cheap if
// few slots are accessed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

template <typename Number>
class Lazy {
  public:
    Lazy() = default;
    explicit Lazy(int64_t count) : numbers(static_cast<Number*>(std::calloc(count ? count : 1, sizeof(Number)))) {
        if (!numbers) throw std::bad_alloc();
    }
    Lazy(Lazy&& other) noexcept : numbers(std::exchange(other.numbers, nullptr)) {}
    Lazy& operator=(Lazy&& other) noexcept {
        std::swap(numbers, other.numbers);
        return *this;
    }
    ~Lazy() { std::free(numbers); }

    Number& operator[](int64_t i) { return numbers[i]; }
    Number operator[](int64_t i) const { return numbers[i]; }

  private:
    Number* numbers = nullptr;
};
