// Plays whole episodes on given seeds: what `evaluate` and the learner's evaluation tasks are made of.
//
// Episodes are played in blocks of kCopiesPerBlock copies stepped together, and blocks are handed to threads. A result
// depends on the player and the seed alone, never on its block or the number of threads: an actor's row has the same
// bits in every batch (acting/kernels.h), and sampled and random actions follow from the seed.
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_EPISODE_RUNNER_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_EPISODE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/acting/network.h"
#include "actor_worker/environments/environment.h"
#include "common/base/policy_snapshot.h"
#include "common/base/random.h"
#include "common/specs/policy_spec.h"

namespace troupe {

// Trained actors; not copied, so both must outlive the call.
struct PolicyPlayer {
  const std::vector<PolicySpec>* policies = nullptr;  // as FitPolicies takes them
  const PolicySnapshot* weights = nullptr;
  bool sample_actions = false;
  NetworkFactory make_network = MakeNetwork;
};

// Who plays. Exactly one of the three: `policy` if it is set, else `make_controller` if it is set, else uniformly
// random allowed actions.
struct Player {
  std::string name;
  PolicyPlayer policy;
  std::function<std::unique_ptr<Controller>()> make_controller;
  SettingsMap setting_overrides;  // laid over the environment's settings
};

struct EpisodePlan {
  const EnvironmentEntry* environment = nullptr;
  SettingsMap settings;
  uint64_t first_seed = 0;  // episode i is reset with first_seed + i
  int episodes = 1;
  int threads = 1;
  // Asked now and then, by every thread; true: stop and return CANCELLED.
  std::function<bool()> cancelled;
  // Called now and then by every thread while it plays, with how many episodes of this player are over. Thread-safe.
  std::function<void(int finished)> progress;
};

struct EpisodeResult {
  uint64_t seed = 0;
  int length = 0;                     // environment steps
  std::vector<double> group_returns;  // per group: mean over its agents of the undiscounted return
  std::vector<double> statistics;     // as EnvironmentSpec::statistics says
};

inline constexpr int kCopiesPerBlock = 4;

// The episodes in order of their seeds. Errors: those of the environment; INVALID_ARGUMENT when the policies do not fit
// the environment (naming the group); INTERNAL for an observation or reward that is not finite.
absl::StatusOr<std::vector<EpisodeResult>> RunEpisodes(const EpisodePlan& plan, const Player& player);

// The numbers that choose group g's actions at a step of the episode with this seed, agent by agent.
RandomStream SampleStream(uint64_t seed, int step, size_t num_groups, size_t group);

// What the player "random" does: every allowed action of an agent equally likely.
void ChooseRandomActions(const EnvironmentSpec& spec, RandomStream& random, const JointObservation& observation,
                         std::vector<absl::Span<int32_t>>& discrete, std::vector<absl::Span<float>>& continuous);

// "random" and the environment's own baselines, as players.
std::vector<Player> BaselinePlayers(const EnvironmentEntry& environment, const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_EPISODE_RUNNER_H_
