// Holds a saved state to what an algorithm expects, before anything is taken over.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_STATE_CHECK_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_STATE_CHECK_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"

namespace troupe {

// The tensors of `state` in the order of `expected`. A single number of optimiser steps ("…/adam.steps"), as earlier
// versions kept it, stands for every parameter set. INVALID_ARGUMENT naming the tensor that is missing, unknown, twice
// there, or of another type or shape.
absl::StatusOr<std::vector<HostTensor>> CheckState(absl::Span<const HostTensor> expected,
                                                   absl::Span<const HostTensor> state);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_STATE_CHECK_H_
