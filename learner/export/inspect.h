// `learner inspect`: what a checkpoint, an actor file or a kept batch holds, for people.
#ifndef TROUPE_LEARNER_EXPORT_INSPECT_H_
#define TROUPE_LEARNER_EXPORT_INSPECT_H_

#include <string>

#include "absl/status/statusor.h"

namespace troupe {

// Metadata, one entry per line (texts of several lines indented below their name), then every tensor with type, shape
// and, for FLOAT32, mean, largest magnitude and how many are not finite; closes with the number of parameters. Errors
// as of ReadSafetensors.
absl::StatusOr<std::string> DescribeFile(const std::string& path);

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_INSPECT_H_
