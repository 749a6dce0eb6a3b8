// How the outputs of a network become actions: drawn by uniform numbers, or the mode. The formulas stand in
// common/specs/distribution_spec.h.
//
// E = copies, A = agents of the group, R = E · A rows of which row r is agent r % A, M = outputs of the network for one
// agent, N = action size, I = indices of a multi-discrete action, D = uniform numbers that one agent's action takes.
#ifndef TROUPE_ACTOR_WORKER_ACTING_DISTRIBUTION_H_
#define TROUPE_ACTOR_WORKER_ACTING_DISTRIBUTION_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Where the actions of one time step are written. Discrete kinds write the first and leave the next two alone;
// continuous kinds the other way round. What is recorded and what the environment is given are two things: a sample
// that is clipped or squashed on its way cannot be found again.
struct ChosenActions {
  absl::Span<int32_t> discrete;         // [R], of multi-discrete groups [R, I], for the record and for the environment
  absl::Span<float> sampled;            // [R, N], for the record
  absl::Span<float> taken;              // [R, N], for the environment, each in [-1, 1] until GroupActor maps it
  absl::Span<float> log_probabilities;  // [R], of the action under the policy that chose it, exploration included
  // Of groups with options, written beside the action where they are recorded; else empty.
  absl::Span<int32_t> options{};                 // [R], followed
  absl::Span<float> option_log_probabilities{};  // [R], under the manager; 0 where none was chosen
  // [R, noise_size()], replaced by the next step's, zeros where an episode begins; empty: nothing is carried on.
  absl::Span<float> noise{};
};

// For a fixed number of rows; a step allocates nothing. A row's action depends, bit for bit, on its own outputs, mask
// and uniforms alone. Not thread-safe.
class Distribution {
 public:
  virtual ~Distribution() = default;

  // D.
  virtual int draws_per_agent() const = 0;
  // Numbers of an agent's noise that the next step goes on from.
  virtual int noise_size() const { return 0; }

  // Takes what belongs to it: `parameters`, the tensors that follow the network's in PolicySpec::Parameters(), already
  // checked, and the snapshot's scalars. INVALID_ARGUMENT naming the scalar that is missing or out of its range;
  // nothing is changed then.
  virtual absl::Status SetSnapshot(absl::Span<const HostTensor> parameters, const PolicySnapshot& snapshot) = 0;

  // `outputs` [R, M]. `masks` [R, N], 1 = allowed, at least one of each row (and dimension), or empty: all are;
  // continuous kinds have none. `uniforms` [R, D] in [0, 1); empty: the mode.
  virtual void Choose(absl::Span<const float> outputs, absl::Span<const uint8_t> masks,
                      absl::Span<const float> uniforms, const ChosenActions& chosen) = 0;
};

// The distribution of a spec whose sizes fit together; the one place that knows all kinds.
std::unique_ptr<Distribution> MakeDistribution(const PolicySpec& spec, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_DISTRIBUTION_H_
