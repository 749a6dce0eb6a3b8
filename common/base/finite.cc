#include "common/base/finite.h"

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

}  // namespace

TROUPE_FOR_EVERY_PROCESSOR
bool FiniteBytes(const void* bytes, size_t count) { return NoExponentOfOnes<uint32_t, 0x7F800000u>(bytes, count); }

TROUPE_FOR_EVERY_PROCESSOR
bool FiniteHalfBytes(const void* bytes, size_t count) { return NoExponentOfOnes<uint16_t, 0x7C00u>(bytes, count); }

}  // namespace troupe
