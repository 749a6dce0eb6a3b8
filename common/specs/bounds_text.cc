#include "common/specs/bounds_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe {

std::string BoundsText(absl::Span<const ActionBounds> bounds) {
  return absl::StrJoin(bounds, " and ", [](std::string* text, const ActionBounds& of) {
    absl::StrAppend(text, "[", of.low, ", ", of.high, "]");
  });
}

}  // namespace troupe
