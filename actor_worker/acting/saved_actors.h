// Actors of saved versions at work, one copy of the environment at a time, beside the newest ones (actor_team.h).
#ifndef TROUPE_ACTOR_WORKER_ACTING_SAVED_ACTORS_H_
#define TROUPE_ACTOR_WORKER_ACTING_SAVED_ACTORS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "actor_worker/acting/group_actor.h"
#include "actor_worker/acting/recurrent_state.h"
#include "actor_worker/environments/vector_environment.h"
#include "common/base/policy_snapshot.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Where saved actors sit: at all agents of one group in one copy.
struct Seat {
  std::shared_ptr<const PolicySnapshot> actors;
  int group = 0;
  int copy = 0;
};

// Not thread-safe. Keeps the networks of at most kMostNetworks, those used last: what is asked for again after that is
// made again, and acts alike.
class SavedActors {
 public:
  static constexpr size_t kMostNetworks = 256;

  SavedActors(std::vector<PolicySpec> policies, int copies, NetworkFactory make_network);

  // Keeps what is remembered at the seats, of whoever else steps the same state before Act.
  void KeepStates(absl::Span<const Seat> seats, RecurrentState& state);

  // Actions at seat number `index` of those that KeepStates was given: from row, uniforms [E, A, D] of its group, and
  // the state kept there, which moves on in `state`. Errors: those of GroupActor::SetSnapshot.
  absl::Status Act(const Seat& seat, size_t index, const ObservationRow& seen, absl::Span<const float> uniforms,
                   RecurrentState& state, const ChosenActions& chosen);

 private:
  struct Network {
    std::shared_ptr<const PolicySnapshot> actors;  // keeps its address from being another's
    std::unique_ptr<GroupActor> actor;
    uint64_t used = 0;
  };

  absl::StatusOr<GroupActor*> Find(const Seat& seat);
  void ForgetOldest();

  const std::vector<PolicySpec> policies_;
  const int copies_;
  const NetworkFactory make_network_;
  std::map<std::pair<const PolicySnapshot*, int>, Network> networks_;  // by group
  uint64_t uses_ = 0;
  std::vector<std::vector<float>> kept_;  // [seats][A, H]
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ACTING_SAVED_ACTORS_H_
