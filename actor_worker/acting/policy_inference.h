// Acting: one agent group's actor over a fixed number of environment copies.
//
// E = copies, A = agents of the group, O = observation size, N = action size.
#ifndef TROUPE_ACTOR_WORKER_ACTING_POLICY_INFERENCE_H_
#define TROUPE_ACTOR_WORKER_ACTING_POLICY_INFERENCE_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe; memory and primitives are prepared once for the shape, so acting allocates nothing. What comes out
// depends on the inputs and the shape alone, never on the thread count.
class PolicyInference {
 public:
  // `copies` E ≥ 1.
  static absl::StatusOr<std::unique_ptr<PolicyInference>> Create(const PolicySpec& spec, int copies);
  virtual ~PolicyInference() = default;

  // `tensors`: the group's parameters in DenseStackSpec::Parameters() order. INVALID_ARGUMENT naming the tensor
  // otherwise.
  virtual absl::Status SetWeights(absl::Span<const HostTensor> tensors) = 0;

  // Network outputs before masking, [E, A, N], valid until the next call.
  virtual absl::Span<const float> Logits(absl::Span<const float> observations /*[E, A, O]*/) = 0;

  // Chooses an action for every agent. `uniforms` [E, A] in [0, 1): sampled by inverting the cumulative distribution of
  // the masked softmax; empty: the most probable (lowest index of equals). A masked action is never chosen. Writes
  // actions [E, A] and their log-probabilities [E, A].
  virtual void ActDiscrete(absl::Span<const float> observations, absl::Span<const uint8_t> action_masks /*[E, A, N]*/,
                           absl::Span<const float> uniforms, absl::Span<int32_t> actions,
                           absl::Span<float> log_probabilities) = 0;
};

// The slice of `weights` that belongs to `spec` (tensors named "GROUP/…"). INVALID_ARGUMENT when they are not there.
absl::StatusOr<absl::Span<const HostTensor>> GroupTensors(const PolicyWeights& weights, const PolicySpec& spec);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_POLICY_INFERENCE_H_
