// An evaluation of several players on the same episodes, as a table and as JSON.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_REPORT_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/specs/environment_spec.h"

namespace troupe {

struct PlayerEpisodes {
  std::string name;
  bool trained = false;          // from an actor file
  std::string path;              // the actor file
  std::string opponent_path{};   // another one's, where the environment's further groups are played by it
  bool sampled_actions = false;  // else the most probable ones
  uint64_t policy_version = 0;   // of the actor file
  uint64_t env_steps = 0;        // it was trained on
  std::vector<EpisodeResult> episodes;
};

struct EvaluationReport {
  EnvironmentSpec environment;
  SettingsMap settings;
  uint64_t first_seed = 0;
  int episodes = 0;
  std::string actions_because;  // why the actors sample or do not: "as asked"; for people
  // The statistic whose better direction the experiment states, "" for none.
  std::string best_by;
  bool smaller_is_better = false;
  std::vector<PlayerEpisodes> players;
};

// Header, table (columns: each group's return, then the environment's statistics; with several trained players, after
// them a row for the mean of their means, each counting as one sample), and what the marks mean.
// `width`: of the table, as FormatTable takes it.
std::string FormatReport(const EvaluationReport& report, int width = 120);

// Of a report whose first players are every one of `names` in the first group with every one in the others, row by row:
// a row for each that plays the first group, a column for each that plays the others. It shows `best_by`, where it is
// one of the environment's statistics, else the first group's return.
std::string FormatCrossTable(const EvaluationReport& report, const std::vector<std::string>& names);

// Everything, every episode included. A figure that is not finite is null.
std::string ReportJson(const EvaluationReport& report);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_EVALUATION_REPORT_H_
