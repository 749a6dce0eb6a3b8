#include "common/base/policy_snapshot.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"

namespace troupe {

std::optional<double> PolicySnapshot::Scalar(std::string_view name) const {
  for (const NamedScalar& scalar : scalars) {
    if (scalar.name == name) return scalar.value;
  }
  return std::nullopt;
}

absl::Status CheckScalars(absl::Span<const NamedScalar> scalars) {
  if (scalars.size() > kMaxScalars) {
    return absl::InvalidArgumentError(
        absl::StrCat("scalars: ", scalars.size(), " came, expected at most ", kMaxScalars));
  }
  std::set<std::string_view> names;
  for (size_t i = 0; i < scalars.size(); ++i) {
    const NamedScalar& scalar = scalars[i];
    if (scalar.name.empty() || scalar.name.size() > kMaxScalarName) {
      return absl::InvalidArgumentError(
          absl::StrCat("scalars[", i, "]: a name of ", scalar.name.size(), " bytes, expected 1 … ", kMaxScalarName));
    }
    if (!names.insert(scalar.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("scalars: \"", scalar.name, "\" comes twice"));
    }
    if (!std::isfinite(scalar.value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("scalar \"", scalar.name, "\" is ", scalar.value, ", expected a finite number"));
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
