// A policy snapshot's scalars as a file's metadata: "scalar.NAME", or another prefix, with the value in decimal.
#ifndef TROUPE_COMMON_FILES_SNAPSHOT_SCALARS_H_
#define TROUPE_COMMON_FILES_SNAPSHOT_SCALARS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/policy_snapshot.h"

namespace troupe {

inline constexpr char kScalarPrefix[] = "scalar.";

void AddScalars(absl::Span<const NamedScalar> scalars, std::map<std::string, std::string>* metadata,
                const std::string& prefix = kScalarPrefix);

// In the order of their names, each value the very one that was added; none in files that have none. Errors:
// INVALID_ARGUMENT naming the entry that is no number, and those of CheckScalars.
absl::StatusOr<std::vector<NamedScalar>> ReadScalars(const std::map<std::string, std::string>& metadata,
                                                     const std::string& prefix = kScalarPrefix);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_SNAPSHOT_SCALARS_H_
