#include "common/finite.h"

#include <cstring>

// Chosen when the program starts: the widest vectors this processor has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define TROUPE_FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TROUPE_FOR_EVERY_PROCESSOR
#endif

namespace troupe {

// No exponent of all ones; not folded away by -ffast-math.
TROUPE_FOR_EVERY_PROCESSOR
bool FiniteBytes(const void* bytes, size_t count) {
  constexpr uint32_t kExponent = 0x7F800000u;
  constexpr size_t kBlock = 64;
  const char* at = static_cast<const char*>(bytes);
  uint32_t any = 0;
  const auto look = [&any](const char* number) {
    uint32_t bits;
    std::memcpy(&bits, number, sizeof(bits));
    any |= static_cast<uint32_t>((bits & kExponent) == kExponent);
  };
  for (; count >= kBlock && any == 0; count -= kBlock, at += kBlock * sizeof(float)) {
    for (size_t k = 0; k < kBlock; ++k) look(at + k * sizeof(float));
  }
  for (; count > 0 && any == 0; --count, at += sizeof(float)) look(at);
  return any == 0;
}

}  // namespace troupe
