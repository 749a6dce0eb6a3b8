// Whether an experiment goes by a statistic that the environment's episodes report.
#ifndef TROUPE_COMMON_SPECS_BEST_BY_H_
#define TROUPE_COMMON_SPECS_BEST_BY_H_

#include <string>

#include "absl/status/status.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// "episode_return", "episode_length" or a statistic of the environment. INVALID_ARGUMENT, after the field's name,
// naming the nearest, or all.
absl::Status CheckStatistic(const EnvironmentSpec& spec, const std::string& field, const std::string& statistic);

// The same of evaluation.best_by.
absl::Status CheckBestBy(const EnvironmentSpec& spec, const std::string& best_by);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_BEST_BY_H_
