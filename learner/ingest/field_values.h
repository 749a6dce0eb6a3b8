// What a tensor's values must be, by the row that the table of common/wire/trajectory_fields.h has of it.
#ifndef TROUPE_LEARNER_INGEST_FIELD_VALUES_H_
#define TROUPE_LEARNER_INGEST_FIELD_VALUES_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/wire/scattered_floats.h"
#include "common/wire/trajectory_fields.h"

namespace troupe {

// "[3, 1, 0]" from a flat index and the sizes of the axes; the first does not matter.
std::string PlaceIn(size_t index, const std::vector<uint32_t>& shape);

// INVALID_ARGUMENT naming `field`, the first place that is wrong, what came and what was expected.
absl::Status CheckFinite(const std::string& field, absl::Span<const float> values, const std::vector<uint32_t>& shape);
absl::Status CheckFinite(const std::string& field, const ScatteredFloats& values, const std::vector<uint32_t>& shape);
absl::Status CheckFlags(const std::string& field, absl::Span<const uint8_t> flags, const std::vector<uint32_t>& shape);

// Holds each tensor of `view` to its row's check, but for those that take more than one tensor to say.
template <typename View>
absl::Status CheckFieldValues(const std::string& prefix, const FieldSizes& sizes, const View& view) {
  absl::Status status;
  ForEachField(
      [&](const TrajectoryField& field, const auto& values) {
        if (!status.ok() || values.empty()) return;
        using T = std::remove_const_t<typename std::decay_t<decltype(values)>::value_type>;
        if constexpr (std::is_same_v<T, float>) {
          if (field.check != FieldCheck::kFinite) return;
          status = CheckFinite(absl::StrCat(prefix, field.wire), values, ShapeOf(field, sizes));
        } else if constexpr (std::is_same_v<T, uint8_t>) {
          if (field.check != FieldCheck::kFlag) return;
          status = CheckFlags(absl::StrCat(prefix, field.wire), values, ShapeOf(field, sizes));
        }
      },
      view);
  return status;
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_FIELD_VALUES_H_
