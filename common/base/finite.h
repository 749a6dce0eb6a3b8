// Checks of many numbers at once, at the speed of memory.
#ifndef TROUPE_COMMON_BASE_FINITE_H_
#define TROUPE_COMMON_BASE_FINITE_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace troupe {

// Whether `flag` (an unsigned number, 0: no) holds for any value. Blocks of a fixed size without branches, which the
// compiler vectorises.
template <typename T, typename Flag>
bool AnyOf(absl::Span<const T> values, const Flag& flag) {
  constexpr size_t kBlock = 64;
  size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    const T* const block = values.data() + i;
    decltype(flag(*block)) any = 0;
    for (size_t k = 0; k < kBlock; ++k) any |= flag(block[k]);
    if (any != 0) return true;
  }
  bool any = false;
  for (; i < values.size(); ++i) any |= flag(values[i]) != 0;
  return any;
}

// No NaN, no infinity among `count` float32s at `bytes`, aligned or not.
bool FiniteBytes(const void* bytes, size_t count);

// The same of IEEE binary16 numbers.
bool FiniteHalfBytes(const void* bytes, size_t count);

// The largest magnitude among numbers that are finite; 0 of none.
float LargestMagnitude(absl::Span<const float> values);

inline bool AllFinite(absl::Span<const float> values) { return FiniteBytes(values.data(), values.size()); }

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_FINITE_H_
