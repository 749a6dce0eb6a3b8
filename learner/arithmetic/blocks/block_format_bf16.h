// Two bfloat16 to a unit, for the kernels of block_kernels_avx512.h. Included only by files compiled for AVX512_BF16.
#ifndef TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_FORMAT_BF16_H_
#define TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_FORMAT_BF16_H_

#include "learner/arithmetic/blocks/block_kernels_avx512.h"

namespace troupe {
namespace {

struct Bf16 {
  static constexpr int64_t kUnitsPerPanel = 16;
  static constexpr bool kRowsApart = true;
  static inline __m512 One() { return _mm512_castsi512_ps(_mm512_set1_epi32(0x3f803f80)); }
  static inline __m512 MultiplyAdd(__m512 sum, __m512 a, __m512 b) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }
  // 32 columns of a row, rounded to nearest even.
  static inline __m512i Round(__m512 left, __m512 right) { return (__m512i)_mm512_cvtne2ps_pbh(right, left); }
  static inline void StoreRows(__m512 left, __m512 right, __m512 left_below, __m512 right_below, uint32_t* to) {
    _mm512_storeu_si512(to, Round(left, right));
    _mm512_storeu_si512(to + 16, Round(left_below, right_below));
  }
  // Column by column: the value of the one row, then that of the row below.
  static inline void StorePair(__m512 left, __m512 right, __m512 left_below, __m512 right_below, uint32_t* to) {
    const __m512i above = Round(left, right), below = Round(left_below, right_below);
    const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(above));
    const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(above, 1));
    const __m512i low_below = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(below));
    const __m512i high_below = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(below, 1));
    _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_slli_epi32(low_below, 16)));
    _mm512_storeu_si512(to + 16, _mm512_or_si512(high, _mm512_slli_epi32(high_below, 16)));
  }
  static inline void PackUnit(__m512 left, __m512 right, __m512 left_below, __m512 right_below, uint32_t* to) {
    StorePair(left, right, left_below, right_below, to);
  }
};

}  // namespace
}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_BLOCKS_BLOCK_FORMAT_BF16_H_
