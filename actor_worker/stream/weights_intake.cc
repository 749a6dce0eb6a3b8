#include "actor_worker/stream/weights_intake.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/threads/sync_point.h"
#include "common/wire/roster_codec.h"
#include "common/wire/spec_codec.h"

namespace troupe {

absl::Status WeightsIntake::Take(const wire::Weights& message) {
  ASSIGN_OR_RETURN(PolicySnapshot weights, DecodeWeights(policies_, message));
  if (message.has_saved_version()) {
    weights.policy_version = message.saved_version();
    return Save(std::move(weights));
  }
  if (message.has_roster()) {
    const auto find = [this](uint64_t version) {
      const auto found = saved_.find(version);
      return found == saved_.end() ? nullptr : found->second;
    };
    ASSIGN_OR_RETURN(weights.roster, DecodeRoster(message.roster(), num_teams_, find));
    std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> named;
    for (const Roster::Opponent& opponent : weights.roster->opponents) {
      named.emplace(opponent.actors->policy_version, opponent.actors);
    }
    saved_ = std::move(named);
  }
  const SyncPoint point("worker.weights");
  store_->Publish(std::make_shared<const PolicySnapshot>(std::move(weights)));
  return absl::OkStatus();
}

absl::Status WeightsIntake::Save(PolicySnapshot actors) {
  if (saved_.size() >= 2 * kMaxOpponents) {
    return absl::ResourceExhaustedError(
        absl::StrCat("weights.saved_version: came ", actors.policy_version, " besides ", saved_.size(), " others"));
  }
  const uint64_t version = actors.policy_version;
  saved_[version] = std::make_shared<const PolicySnapshot>(std::move(actors));
  return absl::OkStatus();
}

}  // namespace troupe
