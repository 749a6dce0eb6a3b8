// What is wrong with an experiment, field by field.
#ifndef TROUPE_COMMON_CONFIG_EXPERIMENT_VALIDATION_H_
#define TROUPE_COMMON_CONFIG_EXPERIMENT_VALIDATION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "proto/experiment.pb.h"

namespace troupe {

struct FieldError {
  std::string field;    // "ppo.clip", "group_policies.junction.partition"
  std::string message;  // "11 is outside (0, 10]"
};

// The first field that is absent though required, outside its range, or at odds with another; absent fields count as
// their defaults.
std::optional<FieldError> FindFieldError(const Experiment& experiment);

// Environment steps of one batch.
int64_t BatchSteps(const CollectionSettings& collection);

}  // namespace troupe

#endif  // TROUPE_COMMON_CONFIG_EXPERIMENT_VALIDATION_H_
