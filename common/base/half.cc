#include "common/base/half.h"

#include <bit>
#include <cmath>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace troupe {
namespace {

constexpr float kLargest = 65504;

uint16_t HalfOf(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const float magnitude = std::fabs(value);
  if (!(magnitude <= kLargest)) return sign | 0x7BFF;
  if (magnitude < 0x1p-14f) {
    // Subnormal: the float's own addition rounds to multiples of 2^-24.
    return sign | static_cast<uint16_t>(std::bit_cast<uint32_t>(magnitude + 0.5f) - std::bit_cast<uint32_t>(0.5f));
  }
  const uint32_t rebased = (bits & 0x7FFFFFFF) - (112u << 23);
  return sign | static_cast<uint16_t>((rebased + 0xFFF + (rebased >> 13 & 1)) >> 13);
}

float FloatOf(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16, rest = half & 0x7FFF;
  if (rest < 0x0400) return std::copysign(static_cast<float>(rest) * 0x1p-24f, std::bit_cast<float>(sign));
  const uint32_t exponent = rest >= 0x7C00 ? 0x70000000 : 112u << 23;
  return std::bit_cast<float>(sign | ((rest << 13) + exponent));
}

#if defined(__x86_64__)
constexpr size_t kLanes = 8;

__attribute__((target("avx,f16c"))) bool HalvesByEight(const float* from, size_t count, uint16_t* to) {
  const __m256 largest = _mm256_set1_ps(kLargest), sign = _mm256_set1_ps(-0.0f);
  __m256 fit = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  for (size_t i = 0; i < count; i += kLanes) {
    const __m256 value = _mm256_loadu_ps(from + i);
    const __m256 magnitude = _mm256_andnot_ps(sign, value);
    fit = _mm256_and_ps(fit, _mm256_cmp_ps(magnitude, largest, _CMP_LE_OQ));
    // The second operand is taken where the first is no number.
    const __m256 bounded = _mm256_or_ps(_mm256_min_ps(magnitude, largest), _mm256_and_ps(sign, value));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm256_cvtps_ph(bounded, _MM_FROUND_TO_NEAREST_INT));
  }
  return _mm256_movemask_ps(fit) == 0xFF;
}

__attribute__((target("avx,f16c"))) void FloatsByEight(const uint16_t* from, size_t count, float* to) {
  for (size_t i = 0; i < count; i += kLanes) {
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
  }
}

// Clang's __builtin_cpu_supports does not know F16C.
bool CpuHasF16c() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

size_t Vectorised(size_t count) {
  static const bool can = __builtin_cpu_supports("avx") && CpuHasF16c();
  return can ? count / kLanes * kLanes : 0;
}
#else
bool HalvesByEight(const float*, size_t, uint16_t*) { return true; }
void FloatsByEight(const uint16_t*, size_t, float*) {}
size_t Vectorised(size_t) { return 0; }
#endif

}  // namespace

bool FloatsToHalves(absl::Span<const float> from, uint16_t* to) {
  const size_t many = Vectorised(from.size());
  bool fit = HalvesByEight(from.data(), many, to);
  for (size_t i = many; i < from.size(); ++i) {
    fit &= std::fabs(from[i]) <= kLargest;
    to[i] = HalfOf(from[i]);
  }
  return fit;
}

void HalvesToFloats(absl::Span<const uint16_t> from, float* to) {
  const size_t many = Vectorised(from.size());
  FloatsByEight(from.data(), many, to);
  for (size_t i = many; i < from.size(); ++i) to[i] = FloatOf(from[i]);
}

}  // namespace troupe
