// What a particle scenario is made of: who takes part, where they start, what they see and are paid, and a rule to play
// by. Physics, actions, the clock and statistics over an episode are MpeEnvironment's.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SCENARIO_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SCENARIO_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "actor_worker/environments/mpe/mpe_world.h"
#include "common/base/random.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Agents of one kind: a group of the environment, unless they are scripted.
struct MpeRole {
  std::string group;
  std::vector<std::string> agents{};
  bool moves = true;
  int vocabulary = 0;  // words an agent may say, one a step; 0: silent
  bool scripted = false;
  std::vector<ObservedNumber> observed{};
  std::string team{};  // where groups play against each other: on whose side it is
};

// How an episode's statistic comes from the values its steps have.
enum class MpeTally { kSum, kMean, kLast };

struct MpeStatistic {
  std::string name;
  MpeTally tally;
};

// What a hand-written rule lets an agent do.
struct MpeMove {
  Vector2 control;  // each coordinate in [-1, 1]
  int word = 0;
};

// A hand-written rule for all agents of a scenario. Allocates in its constructor alone.
class MpePlayer {
 public:
  virtual ~MpePlayer() = default;
  // Writes a move for every agent of the world.
  virtual void Play(const MpeWorld& world, absl::Span<MpeMove> moves) = 0;
};

// Immutable: what changes in an episode is in the world. Agents are numbered role by role.
class MpeScenario {
 public:
  virtual ~MpeScenario() = default;

  virtual std::vector<MpeRole> Roles() const = 0;
  virtual std::vector<MpeStatistic> Statistics() const = 0;
  // Agents, landmarks, goals and messages in their numbers; Draw places them.
  virtual MpeWorld MakeWorld() const = 0;
  // Places everything for a new episode, drawing from `random`; everybody is at rest and silent before.
  virtual void Draw(RandomStream& random, MpeWorld& world) const = 0;
  // What the agent sees, in the order of its role's `observed`.
  virtual void Observe(const MpeWorld& world, int agent, float* numbers) const = 0;
  // Each agent's reward for a step that ended in `world`, scripted ones too.
  virtual void Reward(const MpeWorld& world, absl::Span<double> rewards) const = 0;
  // The statistics' values of a step that ended in `world`.
  virtual void Measure(const MpeWorld& world, absl::Span<double> values) const = 0;
  // The agent that is to go to goals[goal]; -1: none of them in particular.
  virtual int Seeker(int) const { return -1; }
  // Plays the scripted roles, of scenarios that may have them.
  virtual std::unique_ptr<MpePlayer> MakeScript() const { return nullptr; }
};

// A place in the square of this half side.
Vector2 DrawPlace(RandomStream& random, double half_side);

// Appends the names of two coordinates, NAME_x and NAME_y.
void NamePair(const std::string& name, const std::string& meaning, std::vector<ObservedNumber>& observed);

// Writes two coordinates and goes on behind them.
inline float* WritePair(Vector2 pair, float* numbers) {
  numbers[0] = static_cast<float>(pair.x);
  numbers[1] = static_cast<float>(pair.y);
  return numbers + 2;
}

// Writes where all landmarks, or all other agents, are as seen from the agent, and goes on behind them.
float* WriteLandmarks(const MpeWorld& world, int agent, float* numbers);
float* WriteOthers(const MpeWorld& world, int agent, float* numbers);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MPE_MPE_SCENARIO_H_
