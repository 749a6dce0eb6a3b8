// What a finished episode is remembered by.
#ifndef TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_
#define TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_

#include <cstdint>
#include <optional>
#include <vector>

namespace troupe {

// Of an episode in which a saved version of the actors played all teams but one.
struct PlayedMatch {
  uint64_t saved_version = 0;
  uint32_t learning_team = 0;  // index into EnvironmentSpec::teams()
  bool operator==(const PlayedMatch&) const = default;
};

// Statistics of finished episodes, by name: "episode_return", "episode_length" and the environment's own.
struct EpisodeSummary {
  std::vector<float> group_returns;  // per agent group
  uint32_t length = 0;
  std::vector<float> statistics;  // as EnvironmentSpec::statistics says, the agents' own included
  std::optional<PlayedMatch> match{};
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_
