// The actors of one agent group over a fixed number of environment copies: a network and a distribution, and where they
// follow options what chooses those.
//
// Letters as in network.h and distribution.h.
#ifndef TROUPE_ACTOR_WORKER_ACTING_GROUP_ACTOR_H_
#define TROUPE_ACTOR_WORKER_ACTING_GROUP_ACTOR_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/acting/distribution.h"
#include "actor_worker/acting/network.h"
#include "actor_worker/acting/option_chooser.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe; acting allocates nothing. What comes out depends on the inputs and the shape alone.
class GroupActor {
 public:
  // `copies` E ≥ 1. Errors: INVALID_ARGUMENT naming what of the spec does not fit together.
  static absl::StatusOr<std::unique_ptr<GroupActor>> Create(const PolicySpec& spec, int copies,
                                                            NetworkFactory make_network = MakeNetwork);

  // Acts as `snapshot` says from now on. Errors: INVALID_ARGUMENT naming the tensor or scalar that does not fit; how it
  // acts is not defined then until a snapshot fits.
  absl::Status SetSnapshot(const PolicySnapshot& snapshot);

  // D; with options one more than the distribution's.
  int draws_per_agent() const { return distribution_->draws_per_agent() + (options_ == nullptr ? 0 : 1); }
  int state_size() const { return options_ == nullptr ? network_->state_size() : kOptionStateSize; }  // H
  int noise_size() const { return distribution_->noise_size(); }
  int num_agents() const { return spec_.num_agents; }

  // An action for every agent and copy. `observations` [E, A, O]; `masks` [E, A, N], 1 = allowed, or empty: all are;
  // `uniforms` [E, A, D], or empty: the mode; `state` [E, A, H], replaced by the next step's; `alive` [E, A], 0: says
  // nothing to the others, or empty: all may. What is taken of
  // continuous actions is in the environment's units: here and nowhere else it is brought into them.
  void Act(absl::Span<const float> observations, absl::Span<const uint8_t> masks, absl::Span<const float> uniforms,
           absl::Span<float> state, const ChosenActions& chosen, absl::Span<const uint8_t> alive = {}) {
    if (options_ != nullptr) {
      observations = options_->Choose(observations, uniforms, state, chosen);
      uniforms = options_->left();
    }
    distribution_->Choose(network_->Outputs(observations, state), masks, uniforms, chosen);
    if (spec_.stack.communicates()) SilenceDead(alive, state);
    if (!spec_.action_bounds.empty()) IntoBounds(chosen.taken);
  }

 private:
  GroupActor(const PolicySpec& spec, int copies, NetworkFactory make_network);
  // `taken` [E, A, N], each in [-1, 1].
  void IntoBounds(absl::Span<float> taken) const;
  // The dead say nothing.
  void SilenceDead(absl::Span<const uint8_t> alive, absl::Span<float> state) const;

  const PolicySpec spec_;
  const std::vector<DenseStackSpec::Parameter> parameters_;
  const size_t network_parameters_;  // the first of them
  const std::unique_ptr<Network> network_;
  const std::unique_ptr<Distribution> distribution_;
  const std::unique_ptr<OptionChooser> options_;  // null: there are none
};

// The slice of `snapshot` that belongs to `spec` (tensors named "GROUP/…"). INVALID_ARGUMENT when they are not there.
absl::StatusOr<absl::Span<const HostTensor>> TensorsOfGroup(const PolicySnapshot& snapshot, const PolicySpec& spec);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_GROUP_ACTOR_H_
