// The interface every environment implements, and the views through which it reads actions and writes what its agents
// see. All memory belongs to the caller (it is usually the chunk that goes over the wire), so stepping copies nothing.
//
// A = agents of a group, O = observation size, N = action size, D = AgentGroupSpec::num_choices(), S =
// state_extras_size.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_ENVIRONMENT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_ENVIRONMENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"

namespace troupe {

class Scene;

// What the agents of one group see before acting. Everything is overwritten by Observe.
struct GroupObservation {
  absl::Span<float> observations;   // [A, O]
  absl::Span<uint8_t> action_mask;  // [A, N], 1 = allowed; empty for continuous groups. At least one action of
                                    // every agent is allowed, dead agents included; of multi-discrete groups, whose
                                    // dimensions stand side by side, at least one choice in every dimension.
  absl::Span<uint8_t> alive;        // [A], 1 = the agent acts at this step
};

struct JointObservation {
  std::vector<GroupObservation> groups;  // in EnvironmentSpec order
  absl::Span<float> state_extras;        // [S]
};

// What the agents of one group do. Exactly one of the two spans is filled, by the group's ActionKind.
struct GroupAction {
  absl::Span<const int32_t> discrete;  // [A]; of multi-discrete groups [A, D]
  absl::Span<const float> continuous;  // [A, N], each within the group's bounds
};

struct JointAction {
  std::vector<GroupAction> groups;
};

// What a step brings. Rewards are overwritten by Step.
struct StepOutcome {
  std::vector<absl::Span<float>> rewards;  // per group [A]
  // The episode is over because the environment reached a final state: nothing follows.
  bool terminated = false;
  // The episode is over because time ran out: the last state still has a value. Never set together with terminated.
  bool truncated = false;
};

// One copy of an environment. Not thread-safe; different copies may be used by different threads.
//
// Life: Reset, then Observe and Step in turn until Step reports terminated or truncated (Observe then still shows the
// last state), then Reset again. Everything random follows from Reset's seed and the actions.
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;

  // Starts an episode. An error costs the shard its lease, never the run.
  virtual absl::Status Reset(uint64_t seed) = 0;

  // `action` holds allowed actions only.
  virtual absl::Status Step(const JointAction& action, StepOutcome& outcome) = 0;

  // Says what the next call of Reset or Step will be given, where several copies are about to be reset or stepped one
  // after the other: copies whose work is done elsewhere (EnvironmentEntry::create_copies) begin with it all together.
  // `action` stays valid and unchanged until that call, which takes any error. Others need not know.
  virtual void PrepareReset(uint64_t /*seed*/) {}
  virtual void PrepareStep(const JointAction& /*action*/) {}

  virtual void Observe(JointObservation& observation) const = 0;

  // Writes the episode's statistics so far, as spec().statistics says: num_statistics() numbers. Meaningful once the
  // episode is over.
  virtual void EpisodeStatistics(absl::Span<double> statistics) const = 0;

  // A few lines of plain text showing the current state, for `actor_worker replay` and `act`.
  virtual std::string Render() const = 0;

  // Draws the current state into an empty scene (scene.h), for the pages of `actor_worker replay --out`, which chart
  // actions and rewards by themselves and, where an environment draws nothing, what every agent observes.
  virtual void Draw(Scene&) const {}
};

// Chooses actions by a hand-written rule, with full view of the environment it was made for.
class Controller {
 public:
  virtual ~Controller() = default;
  // Called after every Reset, before the first Act.
  virtual void Begin(const Environment& environment) = 0;
  // Writes one allowed action per agent of group g to actions[g] ([A] or [A, D]) or continuous_actions[g] ([A, N]).
  virtual void Act(const Environment& environment, const JointObservation& observation,
                   std::vector<absl::Span<int32_t>>& actions, std::vector<absl::Span<float>>& continuous_actions) = 0;
};

// Environment settings by name, as written in the experiment.
using SettingsMap = std::map<std::string, std::string>;

// A hand-written player to compare with.
struct Baseline {
  std::string name;
  // Settings the baseline's environment needs to differ in (a free choice of actions, for example). It meets the same
  // seeds and the same constraints as the agents.
  SettingsMap setting_overrides;
  std::function<std::unique_ptr<Controller>()> make;
};

// One row of the environment registry.
struct EnvironmentEntry {
  std::string name;
  std::string summary;  // one line for people
  // Errors: INVALID_ARGUMENT naming the setting.
  absl::StatusOr<std::unique_ptr<Environment>> (*create)(const SettingsMap& settings);
  // Baselines beside "random", which every environment gets for nothing.
  std::vector<Baseline> (*baselines)(const SettingsMap& settings);
  // The settings with defaults, ranges and meaning, one per line, for `actor_worker environments NAME`.
  std::string (*describe_settings)();
  // Those of them that belong to the machine and not to the task: EnvironmentSpec::machine_settings. Whatever decides
  // what agents see, do or are rewarded for is none of them.
  std::vector<std::string> machine_settings = {};
  // So many copies at once, where they share something: one thread at a time then uses all of them. Null: `create`
  // makes one after the other. Errors: as `create`. Use CreateCopies (create_copies.h).
  absl::StatusOr<std::vector<std::unique_ptr<Environment>>> (*create_copies)(const SettingsMap& settings,
                                                                             int copies) = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_ENVIRONMENT_H_
