// Rules between the settings of a curriculum.
#ifndef TROUPE_COMMON_CONFIG_CURRICULUM_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_CURRICULUM_SETTINGS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "common/config/experiment_validation.h"
#include "proto/experiment.pb.h"

namespace troupe {

// What "the experiment's own task", which follows the stages, is called where stages are told by name.
inline constexpr char kOwnTask[] = "task";
inline constexpr int kMaxStages = 64;

// Of a complete curriculum whose single settings are in their ranges: a stage that nothing ends, bounds without a
// statistic or the other way round, names that come twice, a verdict later than the next evaluation.
std::optional<FieldError> FindCurriculumError(const CurriculumSettings& curriculum);

// The stage's name, or kOwnTask after the last.
std::string StageName(const CurriculumSettings& curriculum, uint32_t stage);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_CURRICULUM_SETTINGS_H_
