// Denormals: numbers below the smallest normal one, which processors are slow with. Products of weights reach them
// soon.
#pragma once

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

// While one of these lives, its thread takes such numbers for 0 where the processor can.
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
