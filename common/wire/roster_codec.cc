#include "common/wire/roster_codec.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("weights.roster.", parts...));
}

}  // namespace

void EncodeRoster(const Roster& roster, wire::Roster* message) {
  message->set_newest_probability(roster.newest_probability);
  for (const Roster::Opponent& opponent : roster.opponents) {
    wire::SavedOpponent* const encoded = message->add_opponents();
    encoded->set_saved_version(opponent.actors->policy_version);
    encoded->mutable_weights()->Assign(opponent.weights.begin(), opponent.weights.end());
  }
}

absl::StatusOr<std::shared_ptr<const Roster>> DecodeRoster(const wire::Roster& message, int num_teams, FindSaved find) {
  if (!(message.newest_probability() >= 0 && message.newest_probability() <= 1)) {
    return Invalid("newest_probability: came ", message.newest_probability(), ", expected a number in [0, 1]");
  }
  if (static_cast<size_t>(message.opponents_size()) > kMaxOpponents) {
    return Invalid("opponents: came ", message.opponents_size(), ", expected at most ", kMaxOpponents);
  }
  auto roster = std::make_shared<Roster>();
  roster->newest_probability = message.newest_probability();
  std::set<uint64_t> versions;
  double sum = 0;
  for (int i = 0; i < message.opponents_size(); ++i) {
    const wire::SavedOpponent& encoded = message.opponents(i);
    const std::string field = absl::StrCat("opponents[", i, "].");
    Roster::Opponent opponent{.actors = find(encoded.saved_version()),
                              .weights = {encoded.weights().begin(), encoded.weights().end()}};
    if (opponent.actors == nullptr) {
      return Invalid(field, "saved_version: came ", encoded.saved_version(), ", whose actors have not come");
    }
    if (!versions.insert(encoded.saved_version()).second) {
      return Invalid(field, "saved_version: came ", encoded.saved_version(), " a second time");
    }
    if (encoded.weights_size() != num_teams) {
      return Invalid(field, "weights: came ", encoded.weights_size(), " numbers, expected one for each of the ",
                     num_teams, " teams");
    }
    for (const double weight : opponent.weights) {
      if (!(std::isfinite(weight) && weight >= 0)) {
        return Invalid(field, "weights: came ", weight, ", expected finite numbers of at least 0");
      }
      sum += weight;
    }
    roster->opponents.push_back(std::move(opponent));
  }
  if (!(std::isfinite(sum) && (sum > 0 || roster->opponents.empty()))) {
    return Invalid("opponents: their weights add up to ", sum, ", expected a finite number above 0");
  }
  return roster;
}

}  // namespace troupe
