// Actions without a thought: what the player "random" does, and copies that warm up.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_RANDOM_ACTIONS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_RANDOM_ACTIONS_H_

#include <cstdint>

#include "absl/types/span.h"
#include "common/base/random.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// For every agent of one group, agent by agent: each allowed choice of each index equally likely, or numbers uniform
// within their bounds. Letters as in environment.h; `mask` [A, N], `discrete` [A, D], `continuous` [A, N], of which the
// group's kind has the first two or the third.
void ChooseRandomActions(const AgentGroupSpec& group, absl::Span<const uint8_t> mask, RandomStream& random,
                         absl::Span<int32_t> discrete, absl::Span<float> continuous);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_RANDOM_ACTIONS_H_
