// What a trajectory says of options, once its tensors have the right shapes.
#ifndef TROUPE_LEARNER_BATCH_OPTION_VALUES_H_
#define TROUPE_LEARNER_BATCH_OPTION_VALUES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/wire/trajectory_fields.h"

namespace troupe {

// `options` and `log_probabilities` [T, E, A] and `states` [T+1, E, A, 2] of a group with options; all are empty of
// others. Errors: INVALID_ARGUMENT naming the field and the place, what came and what was expected: options in [0, K);
// of states the same and a whole number of steps in [0, k]; where none is chosen the option that was followed;
// log-probabilities not above zero (1e-3 of rounding aside).
absl::Status CheckOptionValues(const std::string& prefix, const FieldSizes& sizes, absl::Span<const int32_t> options,
                               absl::Span<const float> log_probabilities, absl::Span<const float> states);

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_OPTION_VALUES_H_
