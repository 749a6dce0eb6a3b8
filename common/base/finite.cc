#include "common/base/finite.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "common/base/function_clones.h"

// The widest vectors this processor has.
#if TROUPE_HAS_FUNCTION_CLONES
#define TROUPE_FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TROUPE_FOR_EVERY_PROCESSOR
#endif

namespace troupe {

namespace {

// No exponent of all ones; not folded away by -ffast-math. Inlined into each of the clones below.
template <typename Bits, Bits kExponent>
[[gnu::always_inline]] inline bool NoExponentOfOnes(const void* bytes, size_t count) {
  constexpr size_t kBlock = 256 / sizeof(Bits);
  const char* at = static_cast<const char*>(bytes);
  Bits any = 0;
  const auto look = [&any](const char* number) {
    Bits bits;
    std::memcpy(&bits, number, sizeof(bits));
    any |= static_cast<Bits>((bits & kExponent) == kExponent);
  };
  for (; count >= kBlock && any == 0; count -= kBlock, at += kBlock * sizeof(Bits)) {
    for (size_t k = 0; k < kBlock; ++k) look(at + k * sizeof(Bits));
  }
  for (; count > 0 && any == 0; --count, at += sizeof(Bits)) look(at);
  return any == 0;
}

// Magnitudes are in the order of their bits.
[[gnu::always_inline]] inline uint32_t LargestMagnitudeBits(const float* values, size_t count) {
  constexpr size_t kLanes = 64;
  std::array<uint32_t, kLanes> lanes = {};
  const auto magnitude = [values](size_t i) {
    uint32_t bits;
    std::memcpy(&bits, values + i, sizeof(bits));
    return bits & 0x7FFFFFFFu;
  };
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) lanes[k] = std::max(lanes[k], magnitude(i + k));
  }
  for (; i < count; ++i) lanes[0] = std::max(lanes[0], magnitude(i));
  return *std::ranges::max_element(lanes);
}

}  // namespace

TROUPE_FOR_EVERY_PROCESSOR
bool FiniteBytes(const void* bytes, size_t count) { return NoExponentOfOnes<uint32_t, 0x7F800000u>(bytes, count); }

TROUPE_FOR_EVERY_PROCESSOR
bool FiniteHalfBytes(const void* bytes, size_t count) { return NoExponentOfOnes<uint16_t, 0x7C00u>(bytes, count); }

TROUPE_FOR_EVERY_PROCESSOR
float LargestMagnitude(absl::Span<const float> values) {
  return std::bit_cast<float>(LargestMagnitudeBits(values.data(), values.size()));
}

}  // namespace troupe
