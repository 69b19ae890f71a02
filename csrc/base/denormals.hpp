// Denormals: numbers below the smallest normal one, with which processors are slow. Products of weights become denormal
// quickly.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

// While an object of this class exists, its thread treats denormals as 0 if the processor supports it.
class WithoutDenormals {
  public:
#if defined(__SSE2__)
    WithoutDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | FLUSHED | READ_AS_ZERO); }
    ~WithoutDenormals() { _mm_setcsr(before); }
#else
    WithoutDenormals() {}
    ~WithoutDenormals() {}
#endif
    WithoutDenormals(const WithoutDenormals&) = delete;
    WithoutDenormals& operator=(const WithoutDenormals&) = delete;

  private:
#if defined(__SSE2__)
    static constexpr unsigned FLUSHED = 0x8000, READ_AS_ZERO = 0x0040;
    const unsigned before;
#endif
};
