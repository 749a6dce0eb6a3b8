#include "actor_worker/commands/cross_play.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

absl::Status TakeGroup(const ActorFile& from, const std::string& group, ActorFile* to) {
  const auto policy =
      std::ranges::find_if(from.policies, [&](const PolicySpec& candidate) { return candidate.group == group; });
  if (policy == from.policies.end()) {
    return absl::InvalidArgumentError(absl::StrCat("no actors of group \"", group, "\""));
  }
  to->policies.push_back(*policy);
  for (const HostTensor& tensor : from.weights.tensors) {
    if (absl::StartsWith(tensor.name, group + "/")) to->weights.tensors.push_back(tensor);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ActorFile> MakeLineup(const ActorFile& first, const ActorFile& others,
                                     const EnvironmentSpec& environment) {
  ActorFile lineup;
  lineup.experiment = first.experiment;
  lineup.weights.policy_version = first.weights.policy_version;
  lineup.env_steps = first.env_steps;
  for (size_t g = 0; g < environment.groups.size(); ++g) {
    RETURN_IF_ERROR(TakeGroup(g == 0 ? first : others, environment.groups[g].name, &lineup));
  }
  lineup.weights.scalars = first.weights.scalars;
  for (const NamedScalar& scalar : others.weights.scalars) {
    // Which stage of its own curriculum a file's run was in is nothing that acting goes by.
    if (scalar.name == kCurriculumStageScalar) continue;
    const std::optional<double> known = first.weights.Scalar(scalar.name);
    if (!known.has_value()) lineup.weights.scalars.push_back(scalar);
    if (known.value_or(scalar.value) == scalar.value) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("one acts with ", scalar.name, " ", *known, ", the other with ", scalar.value));
  }
  return lineup;
}

absl::StatusOr<std::vector<Lineup>> MakeLineups(const Scenario& scenario, const EnvironmentSpec& environment) {
  if (environment.groups.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("--cross_play: ", environment.name, " has one group of agents, expected two or more"));
  }
  if (scenario.actors.empty()) return absl::InvalidArgumentError("--cross_play: no actor files; give --actors");
  const std::vector<std::string> names = ActorFileNames(scenario.paths);
  std::vector<Lineup> lineups;
  for (size_t first = 0; first < names.size(); ++first) {
    for (size_t others = 0; others < names.size(); ++others) {
      const std::string name = absl::StrCat(names[first], " / ", names[others]);
      if (scenario.sampled[first] != scenario.sampled[others]) {
        return absl::InvalidArgumentError(absl::StrCat(
            "--cross_play: ", name, ": one samples its actions and one does not; give --sample or --greedy"));
      }
      absl::StatusOr<ActorFile> actors = MakeLineup(scenario.actors[first], scenario.actors[others], environment);
      if (!actors.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("--cross_play: ", name, ": ", actors.status().message()));
      }
      lineups.push_back({first, others, name, *std::move(actors), scenario.sampled[first]});
    }
  }
  return lineups;
}

Player LineupPlayer(const Lineup& lineup) {
  return {
      .name = lineup.name,
      .policy = {
          .policies = &lineup.actors.policies, .weights = &lineup.actors.weights, .sample_actions = lineup.sampled}};
}

}  // namespace troupe
