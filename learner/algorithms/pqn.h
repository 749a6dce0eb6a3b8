// PQN-VDN: Q-learning of a team on the newest batch alone, without a replay or target networks (arXiv:2407.04811), on
// the sum of its agents' values (arXiv:1706.05296).
#ifndef TROUPE_LEARNER_ALGORITHMS_PQN_H_
#define TROUPE_LEARNER_ALGORITHMS_PQN_H_

#include <memory>

#include "learner/algorithms/algorithm.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<Algorithm>> CreatePqn(const AlgorithmContext& context);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_PQN_H_
