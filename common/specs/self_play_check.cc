#include "common/specs/self_play_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/self_play_settings.h"

namespace troupe {

std::vector<int> TeamOfGroups(const EnvironmentSpec& environment) {
  const std::vector<std::string> teams = environment.teams();
  std::vector<int> indices;
  for (const AgentGroupSpec& group : environment.groups) {
    indices.push_back(static_cast<int>(std::ranges::find(teams, group.team) - teams.begin()));
  }
  return indices;
}

std::vector<uint8_t> TrainedTeams(const Experiment& experiment, const EnvironmentSpec& environment) {
  std::vector<uint8_t> trained(environment.teams().size(), 0);
  const std::vector<int> team_of = TeamOfGroups(environment);
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    if (!IsFrozen(experiment, environment.groups[g].name)) trained[team_of[g]] = 1;
  }
  return trained;
}

absl::Status CheckSelfPlay(const Experiment& experiment, const EnvironmentSpec& environment) {
  const std::vector<uint8_t> trained = TrainedTeams(experiment, environment);
  const auto num_trained = std::ranges::count(trained, 1);
  if (num_trained == 0) {
    return absl::InvalidArgumentError("policy.frozen: every group is frozen, expected one at least that is trained");
  }
  const SelfPlaySettings& self_play = experiment.self_play();
  if (!HasPool(self_play)) return absl::OkStatus();
  if (num_trained < 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "self_play.save_interval_updates: ", self_play.save_interval_updates(), ", but of the ", trained.size(),
        trained.size() == 1 ? " team" : " teams", " of ", environment.name, " ", num_trained,
        " is trained, expected two at least: those that are not do not differ from version to version"));
  }
  if (!self_play.has_learning_team()) return absl::OkStatus();
  const std::vector<std::string> teams = environment.teams();
  const auto found = std::ranges::find(teams, self_play.learning_team());
  if (found == teams.end()) {
    return absl::InvalidArgumentError(absl::StrCat("self_play.learning_team: \"", self_play.learning_team(),
                                                   "\", expected one of \"", absl::StrJoin(teams, "\", \""), "\""));
  }
  if (trained[found - teams.begin()] != 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("self_play.learning_team: every group of \"", *found, "\" is frozen (group_policies)"));
}

}  // namespace troupe
