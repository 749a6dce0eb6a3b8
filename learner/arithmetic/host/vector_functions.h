// What elementwise loops are made of: exponential functions that a compiler can spread over a vector register, and the
// attribute that compiles a loop for several instruction sets, one of which is chosen when the program starts.
//
// Files with such loops are named in cmake/block_kernels.cmake: all of what a loop calls must be inlined into it, which
// GCC does only where both are compiled with the same options, so these (no errno, no floating point exceptions) are
// the file's, not the function's.
#ifndef TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_FUNCTIONS_H_
#define TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_FUNCTIONS_H_

#include <bit>
#include <cmath>
#include <cstdint>

#include "common/base/function_clones.h"

#if TROUPE_HAS_FUNCTION_CLONES
#define TROUPE_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TROUPE_VECTORIZED
#endif

namespace troupe::vector_math {

inline constexpr float kLog2E = 1.44269504f;
inline constexpr float kLn2High = 0.693359375f;
inline constexpr float kLn2Low = -2.12194440e-4f;

// e^x for x in [-87, 88]: 2^n times the Taylor series of the remainder. NaN gives NaN.
inline float Exp(float x) {
  const float n = std::floor(x * kLog2E + 0.5f);
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float series = 1.0f / 5040;
  series = series * r + 1.0f / 720;
  series = series * r + 1.0f / 120;
  series = series * r + 1.0f / 24;
  series = series * r + 1.0f / 6;
  series = series * r + 0.5f;
  series = series * r + 1.0f;
  series = series * r + 1.0f;
  return series * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// ln x for normal x > 0: the mantissa between √½ and √2 by Cephes' polynomial. NaN and infinity give NaN.
inline float Log(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float t = std::bit_cast<float>(bits - (exponent << 23)) - 1.0f;
  const float e = static_cast<float>(exponent), square = t * t;
  float series = 7.0376836292e-2f;
  series = series * t - 1.1514610310e-1f;
  series = series * t + 1.1676998740e-1f;
  series = series * t - 1.2420140846e-1f;
  series = series * t + 1.4249322787e-1f;
  series = series * t - 1.6668057665e-1f;
  series = series * t + 2.0000714765e-1f;
  series = series * t - 2.4999993993e-1f;
  series = series * t + 3.3333331174e-1f;
  const float tail = series * t * square + e * kLn2Low - 0.5f * square;
  return t + tail + e * kLn2High + (x - x);
}

}  // namespace troupe::vector_math

#endif  // TROUPE_LEARNER_ARITHMETIC_HOST_VECTOR_FUNCTIONS_H_
