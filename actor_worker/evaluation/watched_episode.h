// One episode played step by step while somebody looks: act --network and replay.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_WATCHED_EPISODE_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_WATCHED_EPISODE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/evaluation/episode_runner.h"

namespace troupe {

// Chooses all agents' actions of one copy at a step.
class Chooser {
 public:
  virtual ~Chooser() = default;
  virtual void Begin(const Environment& environment) = 0;
  virtual void Act(const Environment& environment, int step, EpisodeBuffers::Copy& copy) = 0;
};

// Every agent by its own actor from its own observation; nothing else of the environment is looked at. The same actions
// as RunEpisodes takes for the same player and seed. Errors: as FitPolicies and OwnActor.
absl::StatusOr<std::unique_ptr<Chooser>> MakeDecentralisedChooser(const EnvironmentSpec& environment,
                                                                  const PolicyPlayer& policy, uint64_t seed);

// A baseline's controller, or uniformly random actions when the player has none.
std::unique_ptr<Chooser> MakeBaselineChooser(const EnvironmentSpec& environment, const Player& player, uint64_t seed);

struct Watch {
  uint64_t seed = 0;
  int64_t max_steps = 0;  // 0: to the episode's end
  // After the reset (step 0, no actions yet) and after every step.
  std::function<void(const Environment&, const EpisodeBuffers::Copy&, const EpisodeResult& so_far, bool over)> look;
};

// Errors: those of the environment.
absl::StatusOr<EpisodeResult> PlayWatched(Environment& environment, Chooser& chooser, const Watch& watch);

// The episode's length, returns and statistics, one per line.
std::string FormatEpisode(const EnvironmentSpec& spec, const EpisodeResult& result);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_WATCHED_EPISODE_H_
