// One agent's actor by itself: what runs at a junction. It holds this agent's parameters only and sees this agent's
// observation only.
#ifndef TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_
#define TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/acting/policy_inference.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe. Chooses the same action, bit for bit, as PolicyInference does for the agent among all others.
class OwnActor {
 public:
  // `agent`: index in the group of `spec`. Errors: as GroupTensors and PolicyInference; OUT_OF_RANGE for the index.
  static absl::StatusOr<std::unique_ptr<OwnActor>> Create(const PolicySpec& spec, const PolicyWeights& weights,
                                                          int agent);

  int observation_size() const { return observation_size_; }
  int action_size() const { return action_size_; }

  // `observation` [O]; `mask` [N], 1 = allowed, or empty: all are. The most probable action, or the one a `uniform` in
  // [0, 1) draws.
  int Act(absl::Span<const float> observation, absl::Span<const uint8_t> mask) { return Choose(observation, mask, {}); }
  int Sample(absl::Span<const float> observation, absl::Span<const uint8_t> mask, float uniform) {
    return Choose(observation, mask, absl::MakeConstSpan(&uniform, 1));
  }

 private:
  OwnActor() = default;
  int Choose(absl::Span<const float> observation, absl::Span<const uint8_t> mask, absl::Span<const float> uniforms);

  int observation_size_ = 0;
  int action_size_ = 0;
  std::unique_ptr<PolicyInference> inference_;
  std::vector<float> input_;  // the observation, with the agent's one-hot appended where the network normalises it
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_
