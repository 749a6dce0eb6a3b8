// Holds a batch to the shapes its environment promises, before anything reads it.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "common/specs/environment_spec.h"
#include "common/specs/policy_spec.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// INVALID_ARGUMENT naming the field, the size that came and the one expected; likewise an action or a truncation out of
// range.
absl::Status CheckBatch(const EnvironmentSpec& environment, const TrainingBatch& batch);

// What recurrent networks need besides: of every group whose policy is recurrent what its agents remembered where each
// sequence of `sequence_length` steps begins, and the streams of the columns. `batch` has passed CheckBatch.
// INVALID_ARGUMENT naming the field.
absl::Status CheckRemembered(const std::vector<PolicySpec>& policies, int64_t sequence_length,
                             const TrainingBatch& batch);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_BATCH_CHECK_H_
