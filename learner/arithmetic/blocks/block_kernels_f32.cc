#if defined(__AVX512F__)
#include "learner/arithmetic/blocks/block_kernels_avx512.h"
#else
#include "learner/arithmetic/blocks/block_kernels.h"
#endif
#include "learner/arithmetic/host/cpu_features.h"

namespace troupe {
#if defined(__AVX512F__)
namespace {

struct F32 {
  static constexpr int64_t kUnitsPerPanel = 32;
  static constexpr bool kRowsApart = false;
  static inline __m512 One() { return _mm512_set1_ps(1.0f); }
  static inline __m512 MultiplyAdd(__m512 sum, __m512 a, __m512 b) { return _mm512_fmadd_ps(a, b, sum); }
  // A row is as StorePair writes it.
  static inline void StoreRows(__m512, __m512, __m512, __m512, uint32_t*) {}
  static inline void StorePair(__m512 left, __m512 right, __m512 left_below, __m512 right_below, uint32_t* to) {
    PackUnit(left, right, left_below, right_below, to);
    _mm512_storeu_ps(to + 32, left_below);
    _mm512_storeu_ps(to + 48, right_below);
  }
  static inline void PackUnit(__m512 left, __m512 right, __m512, __m512, uint32_t* to) {
    _mm512_storeu_ps(to, left);
    _mm512_storeu_ps(to + 16, right);
  }
};

}  // namespace

const BlockKernels* BlockKernelsF32() { return CpuHasAvx512() ? &Kernels<F32>::kTable : BlockKernelsF32Avx2(); }
#else
const BlockKernels* BlockKernelsF32() { return BlockKernelsF32Avx2(); }
#endif

}  // namespace troupe
