// The function from what the agents of one group see to the numbers their distribution makes actions of.
//
// E = copies, A = agents of the group, O = observation size, M = stack.output_size, H = state size.
#ifndef TROUPE_ACTOR_WORKER_ACTING_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ACTING_NETWORK_H_

#include <memory>

#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// For a fixed number of copies; what memory it needs is prepared once, so that a step allocates nothing. An agent's
// outputs depend, bit for bit, on its own observation, state and parameters alone, and where agents communicate on what
// the states of its neighbours say, whatever batch they are computed in.
// Not thread-safe.
class Network {
 public:
  virtual ~Network() = default;

  // The group's tensors as PolicySpec::Parameters() lists them, already checked; those of the distribution, at the end,
  // are not looked at.
  virtual void SetParameters(absl::Span<const HostTensor> tensors) = 0;

  // Numbers that it remembers of each agent from one step to the next, zeros where an episode begins. 0: none.
  virtual int state_size() const { return 0; }

  // One step from `observations` [E, A, O]: outputs [E, A, M], valid until the next call. `state` [E, A, H] is read and
  // replaced by what the next step of the same agents is to be given.
  virtual absl::Span<const float> Outputs(absl::Span<const float> observations, absl::Span<float> state) = 0;
};

// Makes the network of a spec whose sizes fit together, over `copies` ≥ 1.
using NetworkFactory = std::unique_ptr<Network> (*)(const PolicySpec& spec, int copies);

// The network that `spec` describes; the one place that knows all kinds.
std::unique_ptr<Network> MakeNetwork(const PolicySpec& spec, int copies);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_NETWORK_H_
