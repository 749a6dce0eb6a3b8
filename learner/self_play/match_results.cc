#include "learner/self_play/match_results.h"

#include <algorithm>
#include <vector>

#include "absl/types/span.h"
#include "common/specs/self_play_check.h"

namespace troupe {

double ResultOf(const EnvironmentSpec& environment, const EpisodeSummary& episode, int team) {
  const std::vector<int> team_of = TeamOfGroups(environment);
  std::vector<double> sums(environment.teams().size(), 0.0), agents(sums.size(), 0.0);
  for (size_t g = 0; g < team_of.size(); ++g) {
    const int count = environment.groups[g].num_agents();
    sums[team_of[g]] += static_cast<double>(episode.group_returns[g]) * count;
    agents[team_of[g]] += count;
  }
  double result = 1;
  for (size_t other = 0; other < sums.size(); ++other) {
    if (static_cast<int>(other) == team) continue;
    const double own = sums[team] / agents[team], theirs = sums[other] / agents[other];
    result = std::min(result, own > theirs ? 1.0 : own < theirs ? 0.0 : 0.5);
  }
  return result;
}

void CountMatches(const EnvironmentSpec& environment, absl::Span<const EpisodeSummary> episodes, uint32_t remembered,
                  Collective* ranks, SelfPlayState* state) {
  const size_t teams = environment.teams().size();
  std::vector<double> counts(state->pool.size() * teams * 2, 0.0);  // [pool][teams][matches, won]
  for (const EpisodeSummary& episode : episodes) {
    if (!episode.match.has_value()) continue;
    const auto saved = std::ranges::find_if(state->pool, [&](const SavedVersion& version) {
      return version.actors->policy_version == episode.match->saved_version;
    });
    if (saved == state->pool.end()) continue;
    const size_t team = episode.match->learning_team;
    double* const of = counts.data() + ((saved - state->pool.begin()) * teams + team) * 2;
    of[0] += 1;
    of[1] += ResultOf(environment, episode, static_cast<int>(team));
  }
  ranks->Sum(absl::MakeSpan(counts));
  const double* next = counts.data();
  for (SavedVersion& version : state->pool) {
    for (MatchRecord& record : version.records) {
      record.matches += *next++;
      record.won += *next++;
      if (record.matches <= remembered) continue;
      const double kept = remembered / record.matches;
      record.matches = remembered;
      record.won *= kept;
    }
  }
}

}  // namespace troupe
