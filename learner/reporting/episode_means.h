// Means over finished episodes, by name.
#ifndef TROUPE_LEARNER_REPORTING_EPISODE_MEANS_H_
#define TROUPE_LEARNER_REPORTING_EPISODE_MEANS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "learner/batch/episode_summary.h"

namespace troupe {

struct EpisodeMeans {
  int count = 0;
  double episode_return = 0;                                  // undiscounted, mean over all agents
  double episode_length = 0;                                  // environment steps
  std::vector<std::pair<std::string, double>> group_returns;  // by agent group: mean over the group's agents
  std::vector<std::pair<std::string, double>> statistics;     // the environment's own, in its order
  // Of each agent: (agent, statistic) → mean, agents in group order.
  struct AgentFigure {
    std::string agent, name;
    double value;
  };
  std::vector<AgentFigure> agent_statistics;

  // "episode_return", "episode_length" or one of the statistics. NOT_FOUND naming what there is.
  absl::StatusOr<double> Find(const std::string& name) const;
};

// Of no episodes: count 0 and zeros. Episodes that do not fit the spec are left out.
EpisodeMeans MeansOf(const EnvironmentSpec& spec, absl::Span<const EpisodeSummary> episodes);

// Mean over all agents of one episode's return.
double ReturnOf(const EnvironmentSpec& spec, const EpisodeSummary& episode);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_EPISODE_MEANS_H_
