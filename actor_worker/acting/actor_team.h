// The actors of all groups over a fixed number of environment copies: what turns a row of observations into a row of
// actions, whatever kinds of networks and distributions the groups have. Rollouts, evaluations, `act` and replay all
// act through it or, one agent at a time, through own_actor.h.
//
//   ASSIGN_OR_RETURN(auto team, ActorTeam::Create(policies, copies));
//   RecurrentState state = team->NewState();
//   RETURN_IF_ERROR(team->Apply(snapshot));
//   for every step: team->Act(seen, draw, state, chosen); step the environments; state.Reset(c) where c begins anew
#ifndef TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_
#define TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/acting/group_actor.h"
#include "actor_worker/acting/recurrent_state.h"
#include "actor_worker/acting/saved_actors.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Not thread-safe. What it computes depends on snapshot, inputs, state and the fixed shape alone, so the shards of one
// thread share one, each with a state of its own.
class ActorTeam {
 public:
  // Errors: those of GroupActor::Create.
  static absl::StatusOr<std::unique_ptr<ActorTeam>> Create(const std::vector<PolicySpec>& policies, int copies,
                                                           NetworkFactory make_network = MakeNetwork);

  // Acts as the snapshot says from now on. Errors: those of GroupActor::SetSnapshot.
  absl::Status SetSnapshot(const PolicySnapshot& snapshot);
  // The same; does nothing when this is the snapshot it has.
  absl::Status Apply(std::shared_ptr<const PolicySnapshot> snapshot);

  // What the agents remember before their first step.
  RecurrentState NewState() const;

  // Fills uniform numbers in [0, 1) for group g's actions, [E, A, D]: an agent's D numbers stand together.
  using DrawUniforms = absl::FunctionRef<void(int group, absl::Span<float> uniforms)>;

  // One action for every agent of every group; chosen[g] of group g. Without `draw`: the modes.
  void Act(const ObservationRow& seen, std::optional<DrawUniforms> draw, RecurrentState& state,
           const std::vector<ChosenActions>& chosen);
  // The same, drawn, but for `seats`, where saved actors act. Errors: those of SavedActors::Act.
  absl::Status ActAmong(absl::Span<const Seat> seats, const ObservationRow& seen, DrawUniforms draw,
                        RecurrentState& state, const std::vector<ChosenActions>& chosen);

 private:
  ActorTeam(const std::vector<PolicySpec>& policies, int copies, NetworkFactory make_network)
      : copies_(copies), saved_(policies, copies, make_network) {}

  const int copies_;
  std::vector<std::unique_ptr<GroupActor>> groups_;
  std::vector<std::vector<float>> uniforms_;  // per group [E, A, D], those drawn last
  SavedActors saved_;
  std::shared_ptr<const PolicySnapshot> applied_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_ACTOR_TEAM_H_
