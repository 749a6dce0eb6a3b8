#include "actor_worker/acting/actor_team.h"

#include <utility>

#include "common/base/status_macros.h"

namespace troupe {

absl::StatusOr<std::unique_ptr<ActorTeam>> ActorTeam::Create(const std::vector<PolicySpec>& policies, int copies,
                                                             NetworkFactory make_network) {
  std::unique_ptr<ActorTeam> team(new ActorTeam(policies, copies, make_network));
  for (const PolicySpec& policy : policies) {
    ASSIGN_OR_RETURN(std::unique_ptr<GroupActor> group, GroupActor::Create(policy, copies, make_network));
    team->uniforms_.emplace_back(static_cast<size_t>(copies) * policy.num_agents * group->draws_per_agent());
    team->groups_.push_back(std::move(group));
  }
  return team;
}

absl::Status ActorTeam::SetSnapshot(const PolicySnapshot& snapshot) {
  applied_ = nullptr;
  for (const auto& group : groups_) RETURN_IF_ERROR(group->SetSnapshot(snapshot));
  return absl::OkStatus();
}

absl::Status ActorTeam::Apply(std::shared_ptr<const PolicySnapshot> snapshot) {
  if (snapshot == applied_) return absl::OkStatus();
  RETURN_IF_ERROR(SetSnapshot(*snapshot));
  applied_ = std::move(snapshot);
  return absl::OkStatus();
}

RecurrentState ActorTeam::NewState() const {
  std::vector<size_t> memory, noise;
  for (const auto& group : groups_) {
    memory.push_back(static_cast<size_t>(group->num_agents()) * group->state_size());
    noise.push_back(static_cast<size_t>(group->num_agents()) * group->noise_size());
  }
  return RecurrentState(memory, noise, copies_);
}

void ActorTeam::Act(const ObservationRow& seen, std::optional<DrawUniforms> draw, RecurrentState& state,
                    const std::vector<ChosenActions>& chosen) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    const ObservationRow::Group& row = seen.groups[g];
    absl::Span<const float> uniforms;
    if (draw.has_value()) {
      (*draw)(static_cast<int>(g), absl::MakeSpan(uniforms_[g]));
      uniforms = uniforms_[g];
    }
    ChosenActions to = chosen[g];
    to.noise = state.noise(static_cast<int>(g));
    groups_[g]->Act(row.observations, row.action_masks, uniforms, state.group(static_cast<int>(g)), to, row.alive);
  }
}

absl::Status ActorTeam::ActAmong(absl::Span<const Seat> seats, const ObservationRow& seen, DrawUniforms draw,
                                 RecurrentState& state, const std::vector<ChosenActions>& chosen) {
  saved_.KeepStates(seats, state);
  Act(seen, draw, state, chosen);
  for (size_t i = 0; i < seats.size(); ++i) {
    const int group = seats[i].group;
    RETURN_IF_ERROR(saved_.Act(seats[i], i, seen, uniforms_[group], state, chosen[group]));
  }
  return absl::OkStatus();
}

}  // namespace troupe
