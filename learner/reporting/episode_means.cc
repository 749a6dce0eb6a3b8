#include "learner/reporting/episode_means.h"

#include "absl/strings/str_cat.h"

namespace troupe {

double ReturnOf(const EnvironmentSpec& spec, const EpisodeSummary& episode) {
  double sum = 0;
  for (size_t g = 0; g < spec.groups.size(); ++g) sum += episode.group_returns[g] * spec.groups[g].num_agents();
  return sum / spec.num_agents();
}

EpisodeMeans MeansOf(const EnvironmentSpec& spec, absl::Span<const EpisodeSummary> episodes) {
  EpisodeMeans means;
  for (const AgentGroupSpec& group : spec.groups) means.group_returns.emplace_back(group.name, 0.0);
  for (const std::string& name : spec.statistics) means.statistics.emplace_back(name, 0.0);
  for (const AgentGroupSpec& group : spec.groups) {
    for (const std::string& agent : group.agents) {
      for (const std::string& name : spec.agent_statistics) means.agent_statistics.push_back({agent, name, 0.0});
    }
  }
  const size_t num_statistics = spec.num_statistics(), first_of_agents = spec.statistics.size();
  for (const EpisodeSummary& episode : episodes) {
    if (episode.group_returns.size() != spec.groups.size()) continue;
    if (episode.statistics.size() != num_statistics) continue;
    ++means.count;
    means.episode_return += ReturnOf(spec, episode);
    means.episode_length += episode.length;
    for (size_t g = 0; g < spec.groups.size(); ++g) means.group_returns[g].second += episode.group_returns[g];
    for (size_t s = 0; s < first_of_agents; ++s) means.statistics[s].second += episode.statistics[s];
    for (size_t s = first_of_agents; s < num_statistics; ++s) {
      means.agent_statistics[s - first_of_agents].value += episode.statistics[s];
    }
  }
  if (means.count == 0) return means;
  means.episode_return /= means.count;
  means.episode_length /= means.count;
  for (auto& [name, value] : means.group_returns) value /= means.count;
  for (auto& [name, value] : means.statistics) value /= means.count;
  for (EpisodeMeans::AgentFigure& figure : means.agent_statistics) figure.value /= means.count;
  return means;
}

absl::StatusOr<double> EpisodeMeans::Find(const std::string& name) const {
  if (name == "episode_return") return episode_return;
  if (name == "episode_length") return episode_length;
  for (const auto& [known, value] : statistics) {
    if (known == name) return value;
  }
  return absl::NotFoundError(absl::StrCat("no episode statistic \"", name, "\""));
}

}  // namespace troupe
