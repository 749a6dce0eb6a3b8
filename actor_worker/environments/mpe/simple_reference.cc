// simple_reference: two agents move and speak; each knows the other's goal, one of three landmarks, and hears the
// other's word of one step before.
//
// Rewards of a step, d(i) = distance to its goal of the agent that i is to lead, the other one:
//   PETTINGZOO  local_ratio · (−d(i)) + (1 − local_ratio) · the mean of both −d
//   ORIGINAL    both get the sum −d(0)² − d(1)²
// Everything starts anywhere in the square, but landmarks within 0.8 of the middle with dynamics ORIGINAL; nothing
// collides.
//
// With actions MULTI_DISCRETE an agent's two indices are its move and its word.
#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/mpe/steering.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr int kNumAgents = 2;
constexpr int kNumLandmarks = 3;
constexpr int kVocabulary = 10;
constexpr double kReached = 0.1;
constexpr float kColour = 0.75f;  // of a landmark in its own channel: red, green, blue
constexpr float kOtherColours = 0.25f;

MpeSettings ReadSettings(SettingsReader& reader) {
  MpeSettings settings = ReadMpeSettings(reader);
  settings.local_ratio = ReadLocalRatio(reader);
  settings.actions = ReadMovesAndWords(settings, reader);
  return settings;
}

// world.goals[i] is known to agent i and is where the other is to go.
double LedDistance(const MpeWorld& world, int leader) {
  return Distance(world.agents[1 - leader], world.landmarks[world.goals[leader]]);
}

// Each says the number of the other's goal and understands what it hears.
class SayAndGo final : public MpePlayer {
 public:
  explicit SayAndGo(const MpeSettings& settings) : steering_(settings) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    for (int a = 0; a < kNumAgents; ++a) {
      moves[a].word = world.goals[a];
      moves[a].control = steering_.Towards(world.agents[a], world.landmarks[world.goals[1 - a]].position);
    }
  }

 private:
  const Steering steering_;
};

class SimpleReference final : public MpeScenario {
 public:
  explicit SimpleReference(const MpeSettings& settings) : settings_(settings) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole role{.group = "agents", .agents = {"agent_0", "agent_1"}, .vocabulary = kVocabulary};
    NamePair("own_velocity", "per second", role.observed);
    for (int l = 0; l < kNumLandmarks; ++l) NamePair(absl::StrCat("landmark_", l), "from the agent", role.observed);
    for (const char* channel : {"red", "green", "blue"}) {
      role.observed.push_back({absl::StrCat("others_goal_", channel), "", 1, "the colour of the other's goal"});
    }
    for (int word = 0; word < kVocabulary; ++word) {
      role.observed.push_back({absl::StrCat("hears_", word), "", 1, "what the other said last"});
    }
    return {role};
  }
  std::vector<MpeStatistic> Statistics() const override {
    return {{"distance", MpeTally::kMean},             // to the own goal, mean over both agents
            {"distance_at_the_end", MpeTally::kLast},  // the same
            {"reached", MpeTally::kLast}};             // agents at their goal
  }
  MpeWorld MakeWorld() const override {
    MpeWorld world;
    world.agents.assign(kNumAgents, {.collides = false});
    world.landmarks.assign(kNumLandmarks, {.movable = false, .collides = false});
    world.goals = {0, 0};
    world.vocabulary = kVocabulary;
    world.messages.assign(kNumAgents * kVocabulary, 0);
    return world;
  }
  void Draw(RandomStream& random, MpeWorld& world) const override {
    for (int& goal : world.goals) goal = static_cast<int>(random.Below(kNumLandmarks));
    for (Disc& agent : world.agents) agent.position = DrawPlace(random, 1);
    const double half_side = settings_.dynamics == MpeDynamics::kOriginal ? 0.8 : 1;
    for (Disc& landmark : world.landmarks) landmark.position = DrawPlace(random, half_side);
  }
  int Seeker(int goal) const override { return 1 - goal; }
  void Observe(const MpeWorld& world, int agent, float* numbers) const override {
    numbers = WritePair(world.agents[agent].velocity, numbers);
    numbers = WriteLandmarks(world, agent, numbers);
    std::fill_n(numbers, kNumLandmarks, kOtherColours);
    numbers[world.goals[agent]] = kColour;
    std::copy_n(world.messages.begin() + (1 - agent) * kVocabulary, kVocabulary, numbers + kNumLandmarks);
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    const double first = LedDistance(world, 0), second = LedDistance(world, 1);
    if (settings_.rewards == MpeRewards::kOriginal) {
      rewards[0] = rewards[1] = -first * first - second * second;
      return;
    }
    const double team = (1 - settings_.local_ratio) * -(first + second) / 2;
    rewards[0] = team - settings_.local_ratio * first;
    rewards[1] = team - settings_.local_ratio * second;
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    const double first = LedDistance(world, 0), second = LedDistance(world, 1);
    values[0] = values[1] = (first + second) / 2;
    values[2] = (first < kReached) + (second < kReached);
  }

 private:
  const MpeSettings settings_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const MpeSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<MpeEnvironment>("simple_reference", settings, std::make_unique<SimpleReference>(settings));
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {MpeBaseline("say_and_go", [](const MpeEnvironment& environment) {
    return std::make_unique<SayAndGo>(environment.settings());
  })};
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SimpleReferenceEntry() {
  return {.name = "simple_reference",
          .summary = "two agents who know and tell each other's goal (MPE)",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
