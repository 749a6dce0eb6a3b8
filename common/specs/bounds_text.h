// Bounds of continuous actions as people read them.
#ifndef TROUPE_COMMON_SPECS_BOUNDS_TEXT_H_
#define TROUPE_COMMON_SPECS_BOUNDS_TEXT_H_

#include <string>

#include "absl/types/span.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// "[-1, 1] and [0, 5]", of each dimension in order.
std::string BoundsText(absl::Span<const ActionBounds> bounds);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_BOUNDS_TEXT_H_
