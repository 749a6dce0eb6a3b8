// Actors of another run in place of those that training would begin with.
#ifndef TROUPE_LEARNER_ALGORITHMS_WARM_START_H_
#define TROUPE_LEARNER_ALGORITHMS_WARM_START_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "learner/algorithms/algorithm.h"

namespace troupe {

// `actors`: some of the tensors that ExportPolicy gives, with other values. They take the place of the parameters of
// these names wherever the algorithm keeps them (Algorithm::actor_prefixes); all else stays as it is, optimisers too.
// INVALID_ARGUMENT naming the tensor that the algorithm does not keep, or keeps with another type or shape; nothing is
// changed then.
absl::Status WarmStart(absl::Span<const HostTensor> actors, Algorithm* algorithm);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_WARM_START_H_
