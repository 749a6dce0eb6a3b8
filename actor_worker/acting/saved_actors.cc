#include "actor_worker/acting/saved_actors.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"

namespace troupe {
namespace {

// A copy's part of a row [copies, …].
template <typename T>
absl::Span<T> PartOf(absl::Span<T> row, int copy, int copies) {
  const size_t size = row.size() / copies;
  return row.subspan(copy * size, size);
}

}  // namespace

SavedActors::SavedActors(std::vector<PolicySpec> policies, int copies, NetworkFactory make_network)
    : policies_(std::move(policies)), copies_(copies), make_network_(make_network) {}

void SavedActors::KeepStates(absl::Span<const Seat> seats, RecurrentState& state) {
  kept_.resize(std::max(kept_.size(), seats.size()));
  for (size_t i = 0; i < seats.size(); ++i) {
    const absl::Span<float> own = PartOf(state.group(seats[i].group), seats[i].copy, copies_);
    kept_[i].assign(own.begin(), own.end());
  }
}

void SavedActors::ForgetOldest() {
  const auto oldest = std::ranges::min_element(networks_, {}, [](const auto& entry) { return entry.second.used; });
  networks_.erase(oldest);
}

absl::StatusOr<GroupActor*> SavedActors::Find(const Seat& seat) {
  const std::pair<const PolicySnapshot*, int> key(seat.actors.get(), seat.group);
  auto found = networks_.find(key);
  if (found == networks_.end()) {
    if (networks_.size() >= kMostNetworks) ForgetOldest();
    ASSIGN_OR_RETURN(std::unique_ptr<GroupActor> actor, GroupActor::Create(policies_[seat.group], 1, make_network_));
    RETURN_IF_ERROR(actor->SetSnapshot(*seat.actors));
    found = networks_.emplace(key, Network{seat.actors, std::move(actor)}).first;
  }
  found->second.used = ++uses_;
  return found->second.actor.get();
}

absl::Status SavedActors::Act(const Seat& seat, size_t index, const ObservationRow& seen,
                              absl::Span<const float> uniforms, RecurrentState& state, const ChosenActions& chosen) {
  ASSIGN_OR_RETURN(GroupActor* const actor, Find(seat));
  const auto part = [&](auto row) { return PartOf(row, seat.copy, copies_); };
  const ObservationRow::Group& row = seen.groups[seat.group];
  const absl::Span<float> own = part(state.group(seat.group));
  std::copy(kept_[index].begin(), kept_[index].end(), own.begin());
  actor->Act(part(row.observations), part(row.action_masks), part(uniforms), own,
             {.discrete = part(chosen.discrete),
              .sampled = part(chosen.sampled),
              .taken = part(chosen.taken),
              .log_probabilities = part(chosen.log_probabilities),
              .options = part(chosen.options),
              .option_log_probabilities = part(chosen.option_log_probabilities)},
             part(row.alive));
  return absl::OkStatus();
}

}  // namespace troupe
