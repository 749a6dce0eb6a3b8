#include "learner/checkpoint/evaluation_basis.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files/crc32c.h"

namespace troupe {
namespace {

// Each piece with its length before it, so that no two lists of pieces make one text.
void Add(const std::string& piece, std::string* text) { absl::StrAppend(text, piece.size(), ":", piece, "\n"); }

void AddAll(const std::vector<std::string>& pieces, std::string* text) {
  Add(absl::StrCat(pieces.size()), text);
  for (const std::string& piece : pieces) Add(piece, text);
}

}  // namespace

std::string EnvironmentFingerprint(const EnvironmentSettings& settings, const EnvironmentSpec& spec) {
  std::string text;
  Add(spec.name, &text);
  for (const AgentGroupSpec& group : spec.groups) {
    Add(group.name, &text);
    AddAll(group.agents, &text);
    Add(absl::StrCat(group.observation_size, " ", static_cast<int>(group.action_kind), " ", group.action_size), &text);
    for (const int size : group.action_sizes) Add(absl::StrCat(size), &text);
  }
  Add(absl::StrCat(spec.state_includes_observations ? 1 : 0, " ", spec.state_extras_size), &text);
  AddAll(spec.statistics, &text);
  AddAll(spec.agent_statistics, &text);
  const std::map<std::string, std::string> sorted(settings.settings().begin(), settings.settings().end());
  for (const auto& [name, value] : sorted) {
    if (std::find(spec.machine_settings.begin(), spec.machine_settings.end(), name) != spec.machine_settings.end())
      continue;
    Add(name, &text);
    Add(value, &text);
  }
  return absl::StrFormat("%08x", Crc32c(text));
}

EvaluationBasis BasisOf(const Experiment& experiment, const EnvironmentSpec& spec) {
  const EvaluationSettings& evaluation = experiment.evaluation();
  return {.statistic = evaluation.best_by(),
          .smaller_is_better = evaluation.smaller_is_better(),
          .episodes = evaluation.episodes(),
          .first_seed = evaluation.first_seed(),
          .sample_actions = evaluation.sample_actions(),
          .environment = EnvironmentFingerprint(experiment.environment(), spec)};
}

}  // namespace troupe
