// What a finished episode is remembered by.
#ifndef TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_
#define TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_

#include <cstdint>
#include <vector>

namespace troupe {

// Statistics of finished episodes, by name: "episode_return", "episode_length" and the environment's own.
struct EpisodeSummary {
  std::vector<float> group_returns;  // per agent group
  uint32_t length = 0;
  std::vector<float> statistics;  // as EnvironmentSpec::statistics says, the agents' own included
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_BATCH_EPISODE_SUMMARY_H_
