// Agents that tell each other something, as common/specs/policy_spec.h has it: a dense or recurrent network whose
// inputs are the observation and what was heard, and whose outputs are the policy's and what is said.
#ifndef TROUPE_ACTOR_WORKER_ACTING_COMMUNICATING_NETWORK_H_
#define TROUPE_ACTOR_WORKER_ACTING_COMMUNICATING_NETWORK_H_

#include <memory>
#include <vector>

#include "actor_worker/acting/kernels.h"
#include "actor_worker/acting/network.h"

namespace troupe {

// Writes what an agent hears, [num_inputs()]: messages[i] [K] is its neighbour i's, null where nothing came from it,
// which is as if it had said zeros.
void WriteHeard(const MessageSpec& spec, absl::Span<const float* const> messages, float* heard);

// A row's outputs depend, bit for bit, on its own inputs and on what its neighbours said a step before. What an agent
// said is the end of its state, [E, A, H]; whoever silences an agent zeroes it there.
class CommunicatingNetwork final : public Network {
 public:
  // As a NetworkFactory; the spec communicates. Without neighbours what is heard comes as a part of the observation,
  // its last numbers: an agent by itself.
  CommunicatingNetwork(const PolicySpec& spec, int copies);

  void SetParameters(absl::Span<const HostTensor> tensors) override;
  int state_size() const override { return spec_.stack.state_size(); }
  absl::Span<const float> Outputs(absl::Span<const float> observations, absl::Span<float> state) override;

 private:
  // Observations with what every agent hears after each.
  absl::Span<const float> Hear(absl::Span<const float> observations, absl::Span<const float> state);

  const PolicySpec spec_;
  const Kernels& kernels_ = BestKernels();
  const int copies_;
  const std::unique_ptr<Network> network_;
  std::vector<const float*> messages_;  // of one agent's neighbours
  std::vector<float> inputs_;           // [E, A, O + num_inputs()]
  std::vector<float> cells_;            // [E, A, H − K]
  AlignedFloats said_;                  // [E, A, K], padded as a whole
  std::vector<float> outputs_;          // [E, A, M]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_COMMUNICATING_NETWORK_H_
