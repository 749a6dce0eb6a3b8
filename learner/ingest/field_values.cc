#include "learner/ingest/field_values.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_join.h"
#include "common/base/finite.h"

namespace troupe {

std::string PlaceIn(size_t index, const std::vector<uint32_t>& shape) {
  std::vector<size_t> place(shape.size());
  for (size_t axis = shape.size() - 1; axis > 0; --axis) {
    place[axis] = index % shape[axis];
    index /= shape[axis];
  }
  place[0] = index;
  return absl::StrCat("[", absl::StrJoin(place, ", "), "]");
}

absl::Status CheckFinite(const std::string& field, absl::Span<const float> values, const std::vector<uint32_t>& shape) {
  if (AllFinite(values)) return absl::OkStatus();
  const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
  return absl::InvalidArgumentError(
      absl::StrCat(field, PlaceIn(bad - values.begin(), shape), ": came ", *bad, ", expected a finite number"));
}

absl::Status CheckFinite(const std::string& field, const ScatteredFloats& values, const std::vector<uint32_t>& shape) {
  if (values.AllFinite()) return absl::OkStatus();
  std::vector<float> together(values.size());
  ScatteredFloats::Reader(values).Read(together.size(), together.data());
  return CheckFinite(field, absl::MakeConstSpan(together), shape);
}

absl::Status CheckFlags(const std::string& field, absl::Span<const uint8_t> flags, const std::vector<uint32_t>& shape) {
  if (!AnyOf(flags, [](uint8_t flag) { return static_cast<uint8_t>(flag & 0xFE); })) return absl::OkStatus();
  const auto bad = std::ranges::find_if(flags, [](uint8_t flag) { return flag > 1; });
  return absl::InvalidArgumentError(
      absl::StrCat(field, PlaceIn(bad - flags.begin(), shape), ": came ", static_cast<int>(*bad), ", expected 0 or 1"));
}

}  // namespace troupe
