// simple_spread: N agents are to cover N landmarks without running into each other.
//
// Rewards of a step, D = sum over landmarks of the distance to the nearest agent, C(i) = other agents that i touches:
//   PETTINGZOO  (1 − local_ratio) · (−D) − local_ratio · C(i)
//   ORIGINAL    everybody gets the sum over all agents i of −D − C(i) − 1; the −1 is that code's count of an agent as
//               touching itself
// Everything starts anywhere in the square, but landmarks within 0.8 of the middle with dynamics ORIGINAL. Agents are
// silent; the other agents' messages of two zeros each stay in the observation, as in both codes.
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/mpe/minimum_assignment.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/mpe/steering.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr int kMessageSize = 2;
constexpr double kAgentRadius = 0.15;
constexpr double kOccupied = 0.1;  // a landmark with an agent this near is covered

struct SpreadSettings {
  MpeSettings mpe;
  int num_agents = 3;
};

SpreadSettings ReadSettings(SettingsReader& reader) {
  const SpreadSettings fallback;
  SpreadSettings settings;
  settings.num_agents =
      static_cast<int>(reader.Integer("num_agents", fallback.num_agents, 1, 20, "agents, and landmarks as many"));
  settings.mpe = ReadMpeSettings(reader);
  settings.mpe.local_ratio = ReadLocalRatio(reader);
  return settings;
}

// Other agents that each agent touches, summed over agents [first, last).
int CountTouches(const MpeWorld& world, int first, int last) {
  const int num_agents = static_cast<int>(world.agents.size());
  int touches = 0;
  for (int a = first; a < last; ++a) {
    for (int b = 0; b < num_agents; ++b) touches += a != b && Touch(world.agents[a], world.agents[b]);
  }
  return touches;
}

// Each agent for itself: towards its nearest landmark, whoever else goes there.
class GreedySpread final : public MpePlayer {
 public:
  explicit GreedySpread(const MpeSettings& settings) : steering_(settings) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    for (size_t a = 0; a < moves.size(); ++a) {
      const Disc* nearest = nullptr;
      for (const Disc& landmark : world.landmarks) {
        const bool nearer =
            nearest == nullptr || Distance(world.agents[a], landmark) < Distance(world.agents[a], *nearest);
        if (nearer) nearest = &landmark;
      }
      moves[a].control = steering_.Towards(world.agents[a], nearest->position);
    }
  }

 private:
  const Steering steering_;
};

// Each landmark its own agent, so that the sum of their ways is as small as can be.
class AssignedSpread final : public MpePlayer {
 public:
  AssignedSpread(const MpeSettings& settings, int num_agents)
      : steering_(settings), assignment_(num_agents), ways_(num_agents * num_agents) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    size_t way = 0;
    for (const Disc& agent : world.agents) {
      for (const Disc& landmark : world.landmarks) ways_[way++] = Distance(agent, landmark);
    }
    const absl::Span<const int> landmarks = assignment_.Solve(ways_);
    for (size_t a = 0; a < moves.size(); ++a) {
      moves[a].control = steering_.Towards(world.agents[a], world.landmarks[landmarks[a]].position);
    }
  }

 private:
  const Steering steering_;
  MinimumAssignment assignment_;
  std::vector<double> ways_;  // [agents, landmarks]
};

class SimpleSpread final : public MpeScenario {
 public:
  explicit SimpleSpread(const SpreadSettings& settings) : settings_(settings) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole role{.group = "agents"};
    for (int a = 0; a < settings_.num_agents; ++a) role.agents.push_back(absl::StrCat("agent_", a));
    NamePair("own_velocity", "per second", role.observed);
    NamePair("own_place", "from the middle", role.observed);
    for (int l = 0; l < settings_.num_agents; ++l) {
      NamePair(absl::StrCat("landmark_", l), "from the agent", role.observed);
    }
    for (int o = 1; o < settings_.num_agents; ++o) {
      NamePair(absl::StrCat("other_", o), "from the agent, others in their order", role.observed);
    }
    for (int o = 1; o < settings_.num_agents; ++o) {
      for (int word = 0; word < kMessageSize; ++word) {
        role.observed.push_back({absl::StrCat("other_", o, "_says_", word), "", 1, "always 0"});
      }
    }
    return {role};
  }
  std::vector<MpeStatistic> Statistics() const override {
    return {{"collisions", MpeTally::kSum},           // pairs that touch, over all steps
            {"distance", MpeTally::kMean},            // D
            {"occupied_landmarks", MpeTally::kMean},  // of a step
            {"occupied_at_the_end", MpeTally::kLast}};
  }
  MpeWorld MakeWorld() const override {
    MpeWorld world;
    world.agents.assign(settings_.num_agents, {.radius = kAgentRadius});
    world.landmarks.assign(settings_.num_agents, {.movable = false, .collides = false});
    return world;
  }
  void Draw(RandomStream& random, MpeWorld& world) const override {
    for (Disc& agent : world.agents) agent.position = DrawPlace(random, 1);
    const double half_side = settings_.mpe.dynamics == MpeDynamics::kOriginal ? 0.8 : 1;
    for (Disc& landmark : world.landmarks) landmark.position = DrawPlace(random, half_side);
  }
  void Observe(const MpeWorld& world, int agent, float* numbers) const override {
    numbers = WritePair(world.agents[agent].velocity, numbers);
    numbers = WritePair(world.agents[agent].position, numbers);
    numbers = WriteLandmarks(world, agent, numbers);
    numbers = WriteOthers(world, agent, numbers);
    for (int i = 0; i < kMessageSize * (settings_.num_agents - 1); ++i) *numbers++ = 0;
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    const int num_agents = settings_.num_agents;
    double distances = 0;
    for (const Disc& landmark : world.landmarks) distances += NearestDistance(world, landmark, 0, num_agents);
    const double sum = -num_agents * (distances + 1) - CountTouches(world, 0, num_agents);
    const double local = settings_.mpe.local_ratio;
    for (int a = 0; a < num_agents; ++a) {
      rewards[a] = settings_.mpe.rewards == MpeRewards::kOriginal
                       ? sum
                       : -(1 - local) * distances - local * CountTouches(world, a, a + 1);
    }
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    double distances = 0;
    int occupied = 0;
    for (const Disc& landmark : world.landmarks) {
      const double nearest = NearestDistance(world, landmark, 0, settings_.num_agents);
      distances += nearest;
      occupied += nearest < kOccupied;
    }
    values[0] = CountTouches(world, 0, settings_.num_agents) / 2.0;
    values[1] = distances;
    values[2] = values[3] = occupied;
  }

 private:
  const SpreadSettings settings_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const SpreadSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<MpeEnvironment>("simple_spread", settings.mpe, std::make_unique<SimpleSpread>(settings));
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {MpeBaseline("assignment",
                      [](const MpeEnvironment& environment) {
                        return std::make_unique<AssignedSpread>(environment.settings(),
                                                                static_cast<int>(environment.world().agents.size()));
                      }),
          MpeBaseline("greedy", [](const MpeEnvironment& environment) {
            return std::make_unique<GreedySpread>(environment.settings());
          })};
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SimpleSpreadEntry() {
  return {.name = "simple_spread",
          .summary = "particles that are to cover landmarks without colliding (MPE)",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
