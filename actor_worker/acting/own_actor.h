// One agent's actor by itself: what runs at a junction. It holds this agent's parameters only and sees this agent's
// observation only, and what its neighbours tell it, where they do.
#ifndef TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_
#define TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/acting/group_actor.h"
#include "actor_worker/environments/environment.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe. Chooses the same action, bit for bit, as GroupActor does for the agent among all others.
class OwnActor {
 public:
  // `agent`: index in the group of `spec`. Errors: as TensorsOfGroup and GroupActor; OUT_OF_RANGE for the index.
  static absl::StatusOr<std::unique_ptr<OwnActor>> Create(const PolicySpec& spec, const PolicySnapshot& snapshot,
                                                          int agent, NetworkFactory make_network = MakeNetwork);

  int observation_size() const { return observation_size_; }
  int action_size() const { return action_size_; }  // N
  int mask_size() const { return static_cast<int>(discrete_.empty() ? 0 : action_size_); }
  // Of each index that an action consists of, in [0, this); none of continuous actions.
  absl::Span<const int> choices() const { return choices_; }
  // What it chooses from by itself, and how often; of count 0: nothing.
  const OptionSpec& options() const { return options_; }
  // Uniform numbers for one action, and the choice of an option.
  int draws() const { return actor_->draws_per_agent(); }
  // "action 0 … 3", "indices 0 … 4 and 0 … 9", "2 numbers in [-1, 1] and [0, 5]".
  const std::string& Form() const { return form_; }

  // Agents of the group whose messages it takes, in the order in which it takes them; none where nobody talks.
  absl::Span<const int> neighbours() const { return neighbours_; }
  int message_size() const { return messages_.size; }  // K
  // [K]: what it has told those who hear it since it last acted; zeros before.
  absl::Span<const float> message() const { return absl::MakeConstSpan(state_).last(messages_.size); }

  // [H]: all that it remembers, its message at the end.
  absl::Span<const float> state() const { return state_; }
  // Goes on from where an actor of the same agent was, `state` [H].
  void SetState(absl::Span<const float> state) { std::copy(state.begin(), state.end(), state_.begin()); }

  // An episode begins.
  void Begin() { std::fill(state_.begin(), state_.end(), 0.0f); }

  // `observation` [O]; `mask` [mask_size], 1 = allowed, or empty: all are. The mode, or what `uniforms` [draws] in
  // [0, 1) draw. `heard`: of each neighbour the [K] that it said at the step before, or null where nothing came from
  // it; none where nobody talks. What the environment is to be given, good until the next call: one number of
  // `discrete`, or of multi-discrete actions one per dimension, or `continuous` [N], in the environment's units.
  const GroupAction& Act(absl::Span<const float> observation, absl::Span<const uint8_t> mask,
                         absl::Span<const float> uniforms, absl::Span<const float* const> heard = {});

 private:
  OwnActor(const PolicySpec& spec, int agent);

  const int observation_size_;
  const int action_size_;
  const std::vector<int> choices_;
  const std::string form_;
  const MessageSpec messages_;
  const OptionSpec options_;
  const std::vector<int> neighbours_;
  std::unique_ptr<GroupActor> actor_;
  // The observation, then what is heard, then the agent's one-hot where the network normalises it.
  std::vector<float> input_;
  std::vector<float> state_;  // [H]
  std::vector<int32_t> discrete_;
  std::vector<float> sampled_, taken_;
  float log_probability_ = 0;
  ChosenActions chosen_;
  GroupAction action_;
};

// `mask`: an entry for each of `choices` together. Errors: INVALID_ARGUMENT naming the entry that is neither 0 nor 1,
// or the dimension in which none is 1.
absl::Status CheckMask(absl::Span<const uint8_t> mask, absl::Span<const int> choices);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_OWN_ACTOR_H_
