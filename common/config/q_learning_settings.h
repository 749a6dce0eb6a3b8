// What QLearningSettings ask of each other and of the rest of the experiment (see algorithm_settings.h).
#ifndef TROUPE_COMMON_CONFIG_Q_LEARNING_SETTINGS_H_
#define TROUPE_COMMON_CONFIG_Q_LEARNING_SETTINGS_H_

#include <optional>

#include "common/config/experiment_validation.h"
#include "proto/experiment.pb.h"

namespace troupe {

// A burn-in that leaves nothing of a sequence to train on.
std::optional<FieldError> FindQLearningError(const Experiment& experiment);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_Q_LEARNING_SETTINGS_H_
