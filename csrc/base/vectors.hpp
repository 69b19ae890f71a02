// Vectors: the numbers of one processor register, and the functions of them that networks need.
//
// They use the vector extension of GCC and Clang, so that one source serves every instruction set. Arrays have any
// length: the last few numbers of an array are loaded and stored one by one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <vector>

#if defined(__AVX512F__)
constexpr int REGISTER_BYTES = 64;
constexpr int REGISTERS = 32;
#elif defined(__AVX__)
constexpr int REGISTER_BYTES = 32;
constexpr int REGISTERS = 16;
#else
constexpr int REGISTER_BYTES = 16;
constexpr int REGISTERS = 16;
#endif

template <typename T>
struct Register;

template <>
struct Register<float> {
    typedef float Vector __attribute__((vector_size(REGISTER_BYTES)));
    typedef float Unaligned __attribute__((vector_size(REGISTER_BYTES), aligned(4), may_alias));
    typedef int32_t Bits __attribute__((vector_size(REGISTER_BYTES)));
    typedef int32_t Word;
    static constexpr int mantissa = 23;
    static constexpr Word bias = 127;
    static constexpr float round_magic = 12582912.0f;  // 1.5 * 2^23: adding it leaves an integer in the low bits
    static constexpr float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;
    static constexpr float least_exponent = -87.0f;
    static constexpr int exp_terms = 7, log_terms = 5, tanh_terms = 5;
};

template <>
struct Register<double> {
    typedef double Vector __attribute__((vector_size(REGISTER_BYTES)));
    typedef double Unaligned __attribute__((vector_size(REGISTER_BYTES), aligned(8), may_alias));
    typedef int64_t Bits __attribute__((vector_size(REGISTER_BYTES)));
    typedef int64_t Word;
    static constexpr int mantissa = 52;
    static constexpr Word bias = 1023;
    static constexpr double round_magic = 6755399441055744.0;
    static constexpr double log2_high = 6.93147180369123816490e-01, log2_low = 1.90821492927058770002e-10;
    static constexpr double least_exponent = -708.0;
    static constexpr int exp_terms = 13, log_terms = 11, tanh_terms = 9;
};

template <typename T>
using Vector = typename Register<T>::Vector;
template <typename T>
using Bits = typename Register<T>::Bits;
template <typename T>
constexpr int LANES = REGISTER_BYTES / sizeof(T);

// Round a length up to whole registers.
template <typename T>
constexpr int64_t padded(int64_t length) {
    return (length + LANES<T> - 1) / LANES<T> * LANES<T>;
}

template <typename T>
inline Vector<T> load(const T* from) {
    return *reinterpret_cast<const typename Register<T>::Unaligned*>(from);
}

template <typename T>
inline void store(T* to, Vector<T> value) {
    *reinterpret_cast<typename Register<T>::Unaligned*>(to) = value;
}

template <typename T>
inline Vector<T> load(const T* from, int64_t count) {
    if (count >= LANES<T>) return load(from);
    Vector<T> value = {};
    std::memcpy(&value, from, count * sizeof(T));
    return value;
}

template <typename T>
inline void store(T* to, Vector<T> value, int64_t count) {
    if (count >= LANES<T>) return store(to, value);
    std::memcpy(to, &value, count * sizeof(T));
}

// x with zeros from number `count` on.
template <typename T>
inline Vector<T> first(Vector<T> x, int64_t count) {
    if (count >= LANES<T>) return x;
    Vector<T> value = {};
    std::memcpy(&value, &x, count * sizeof(T));
    return value;
}

template <typename T>
inline Vector<T> all(T value) {
    return value - Vector<T>{};
}

template <typename T>
inline Vector<T> larger(Vector<T> a, Vector<T> b) {
    return a > b ? a : b;
}

template <typename T>
inline Vector<T> magnitude(Vector<T> x) {
    return (Vector<T>)((Bits<T>)x & std::numeric_limits<typename Register<T>::Word>::max());
}

template <typename T>
inline Vector<T> with_sign_of(Vector<T> size, Vector<T> x) {
    return (Vector<T>)((Bits<T>)size | ((Bits<T>)x & std::numeric_limits<typename Register<T>::Word>::min()));
}

template <typename T, int COUNT>
struct Some {
    typedef T Vector __attribute__((vector_size(COUNT * sizeof(T))));
};

// Reduce a vector to one number by halving.
template <typename T, int COUNT, typename Two>
inline T folded(typename Some<T, COUNT>::Vector x, Two two) {
    if constexpr (COUNT == 2) {
        return two(x[0], x[1]);
    } else {
        typename Some<T, COUNT / 2>::Vector low, high;
        std::memcpy(&low, &x, sizeof(low));
        std::memcpy(&high, reinterpret_cast<const char*>(&x) + sizeof(low), sizeof(high));
        return folded<T, COUNT / 2>(two(low, high), two);
    }
}

template <typename T>
inline T sum(Vector<T> x) {
    return folded<T, LANES<T>>(x, [](auto a, auto b) { return a + b; });
}

template <typename T>
inline T largest(Vector<T> x) {
    return folded<T, LANES<T>>(x, [](auto a, auto b) { return a > b ? a : b; });
}

template <typename T>
inline Vector<T> square_root(Vector<T> x) {
    Vector<T> root;
    for (int i = 0; i < LANES<T>; ++i)
        root[i] = sizeof(T) == 4 ? (T)__builtin_sqrtf((float)x[i]) : (T)__builtin_sqrt((double)x[i]);
    return root;
}

// e^x for x <= 0: 2^n e^r by the Taylor series of e^r, |r| <= ln(2) / 2. Below the smallest normal number it is 0.
template <typename T>
inline Vector<T> exp_of_negative(Vector<T> x) {
    using R = Register<T>;
    const Vector<T> shifted = x * T(1.44269504088896340736) + R::round_magic;
    const Vector<T> n = shifted - R::round_magic;
    const Vector<T> r = (x - n * R::log2_high) - n * R::log2_low;
    Vector<T> series = all(T(1));
#pragma GCC unroll 16
    for (int k = R::exp_terms; k >= 1; --k) series = series * (r * (T(1) / k)) + T(1);
    const Bits<T> whole = (Bits<T>)shifted - (Bits<T>)all(T(R::round_magic));
    const Vector<T> power = (Vector<T>)((whole + R::bias) << R::mantissa);
    return x < R::least_exponent ? Vector<T>{} : series * power;
}

// ln(x) for normal x > 0: e ln 2 + ln m by 2 artanh((m - 1) / (m + 1)), m between the roots of 1/2 and 2. NaN stays
// NaN.
template <typename T>
inline Vector<T> logarithm(Vector<T> x) {
    using R = Register<T>;
    constexpr typename R::Word mantissa_mask = (typename R::Word(1) << R::mantissa) - 1;
    const Bits<T> bits = (Bits<T>)x;
    Vector<T> m = (Vector<T>)((bits & mantissa_mask) | ((Bits<T>{} + R::bias) << R::mantissa));
    const auto upper = m > T(1.41421356237309504880);
    m = upper ? m * T(0.5) : m;
    const Bits<T> whole = (bits >> R::mantissa) - R::bias - (Bits<T>)upper;
    const Vector<T> e = __builtin_convertvector(whole, Vector<T>);
    const Vector<T> s = (m - T(1)) / (m + T(1));
    const Vector<T> s2 = s * s;
    Vector<T> series = all(T(1) / (2 * R::log_terms + 1));
#pragma GCC unroll 16
    for (int k = R::log_terms - 1; k >= 1; --k) series = series * s2 + T(1) / (2 * k + 1);
    const Vector<T> tail = s * s2 * series * T(2) + e * R::log2_low;
    return (e * R::log2_high + (s * T(2) + tail)) + (x - x);
}

// 1 / (1 + e^-x)
template <typename T>
inline Vector<T> sigmoid(Vector<T> x) {
    const Vector<T> e = exp_of_negative<T>(-magnitude<T>(x));
    return (x < T(0) ? e : all(T(1))) / (T(1) + e);
}

// Near 0 Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ...))), elsewhere (1 - e^-2|x|) / (1 + e^-2|x|).
template <typename T>
inline Vector<T> hyperbolic_tangent(Vector<T> x) {
    using R = Register<T>;
    const Vector<T> size = magnitude<T>(x), square = x * x;
    const Vector<T> e = exp_of_negative<T>(size * T(-2));
    Vector<T> top = all(T(2 * R::tanh_terms - 1)), bottom = all(T(1));
#pragma GCC unroll 16
    for (int odd = 2 * R::tanh_terms - 3; odd >= 1; odd -= 2) {
        const Vector<T> next = top * T(odd) + square * bottom;
        bottom = top;
        top = next;
    }
    const auto near = size < T(0.55);
    return (near ? x * bottom : with_sign_of<T>(T(1) - e, x)) / (near ? top : T(1) + e);
}

// Memory aligned to a cache line.
template <typename T>
struct Aligned {
    typedef T value_type;
    static constexpr std::align_val_t line{64};
    Aligned() = default;
    template <typename U>
    Aligned(const Aligned<U>&) {}
    T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), line)); }
    void deallocate(T* at, size_t) { ::operator delete(at, line); }
    template <typename U>
    bool operator==(const Aligned<U>&) const {
        return true;
    }
    template <typename U>
    bool operator!=(const Aligned<U>&) const {
        return false;
    }
};

template <typename T>
using Array = std::vector<T, Aligned<T>>;

// Call body(first index, number of remaining numbers) for each register of an array.
template <typename T, typename Body>
inline void by_register(int64_t length, Body body) {
    int64_t i = 0;
    for (; i + LANES<T> <= length; i += LANES<T>) body(i, int64_t(LANES<T>));
    if (i < length) body(i, length - i);
}

// The sum of term(first index, number of remaining numbers) over an array.
template <typename T, typename Term>
inline T total(int64_t length, Term term) {
    constexpr int CHAINS = 4;  // independent sums
    Vector<T> sums[CHAINS] = {};
    int64_t i = 0;
    for (; i + CHAINS * LANES<T> <= length; i += CHAINS * LANES<T>)
#pragma GCC unroll 4
        for (int chain = 0; chain < CHAINS; ++chain) sums[chain] += term(i + chain * LANES<T>, int64_t(LANES<T>));
    for (; i + LANES<T> <= length; i += LANES<T>) sums[0] += term(i, int64_t(LANES<T>));
    if (i < length) sums[1] += first<T>(term(i, length - i), length - i);
    return sum<T>((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <typename T>
T* copy(const T* from, int64_t count, T* to) {
    return std::copy(from, from + count, to);
}

template <typename T>
void clear(T* from, int64_t count) {
    std::fill(from, from + count, T(0));
}

// to += from
template <typename T>
void gather(const T* from, int64_t count, T* to) {
    by_register<T>(count,
                   [&](int64_t i, int64_t some) { store(to + i, load(to + i, some) + load(from + i, some), some); });
}

// to = a + b
template <typename T>
void add(const T* a, const T* b, int64_t count, T* to) {
    by_register<T>(count, [&](int64_t i, int64_t some) { store(to + i, load(a + i, some) + load(b + i, some), some); });
}

// to += factor * from
template <typename T>
void add_scaled(const T* from, T factor, int64_t count, T* to) {
    by_register<T>(count, [&](int64_t i, int64_t some) {
        store(to + i, load(to + i, some) + load(from + i, some) * factor, some);
    });
}

// The sum of a[i] b[i].
template <typename T>
T dot(const T* a, const T* b, int64_t count) {
    return total<T>(count, [&](int64_t i, int64_t some) { return load(a + i, some) * load(b + i, some); });
}
