// float32 to and from IEEE 754 binary16, "half precision": 11 significant bits, up to 65504.
#ifndef TROUPE_COMMON_BASE_HALF_H_
#define TROUPE_COMMON_BASE_HALF_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace troupe {

// Nearest, ties to even; what is too large becomes the largest of its sign. `to` has as many places. False: a number
// was too large or none.
bool FloatsToHalves(absl::Span<const float> from, uint16_t* to);

void HalvesToFloats(absl::Span<const uint16_t> from, float* to);

}  // namespace troupe

#endif  // TROUPE_COMMON_BASE_HALF_H_
