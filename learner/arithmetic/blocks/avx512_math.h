// Functions of sixteen floats. Included only by files compiled for AVX-512; nothing here has external linkage.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_AVX512_MATH_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_AVX512_MATH_H_

#include <immintrin.h>

#include <cstdint>

namespace troupe {
namespace {

// The first `columns` lanes.
inline __mmask16 ColumnMask(int64_t columns) {
  return columns >= 16 ? 0xffff : columns <= 0 ? 0 : static_cast<__mmask16>((1u << columns) - 1);
}

// e^x for x in [-87, 88]: 2^n times the Taylor series of the remainder. NaN gives NaN.
inline __m512 Exp(__m512 x) {
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT);
  const __m512 high = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
  const __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), high);
  constexpr float kTaylor[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  __m512 series = _mm512_set1_ps(1.0f / 5040);
  for (const float next : kTaylor) series = _mm512_fmadd_ps(series, r, _mm512_set1_ps(next));
  return _mm512_scalef_ps(series, n);
}

// Absolute error below 2e-7. NaN gives NaN.
inline __m512 Tanh(__m512 x) {
  const __m512 sign = _mm512_set1_ps(-0.0f), one = _mm512_set1_ps(1.0f);
  const __m512 magnitude = _mm512_min_ps(_mm512_set1_ps(10.0f), _mm512_andnot_ps(sign, x));
  const __m512 e = Exp(_mm512_add_ps(magnitude, magnitude));
  const __m512 size = _mm512_sub_ps(one, _mm512_div_ps(_mm512_set1_ps(2.0f), _mm512_add_ps(e, one)));
  return _mm512_or_ps(size, _mm512_and_ps(sign, x));
}

}  // namespace
}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_AVX512_MATH_H_
