// simple_speaker_listener: the speaker sees the goal's colour and cannot move; the listener moves, sees three landmarks
// and hears the speaker's word of one step before.
//
// Reward of a step, d = distance of the listener to the goal: both get −d²; ORIGINAL: both get the sum, −2 d².
// Everything starts anywhere in the square; nothing collides.
#include <algorithm>
#include <array>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/mpe/steering.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr int kSpeaker = 0;
constexpr int kListener = 1;
constexpr int kNumLandmarks = 3;
constexpr int kVocabulary = 3;
constexpr double kReached = 0.1;
constexpr float kColour = 0.65f;  // of a landmark in its own channel: red, green, blue
constexpr float kOtherColours = 0.15f;

double GoalDistance(const MpeWorld& world) {
  return Distance(world.agents[kListener], world.landmarks[world.goals[0]]);
}

// The speaker says the goal's number and the listener understands it.
class SayAndGo final : public MpePlayer {
 public:
  explicit SayAndGo(const MpeSettings& settings) : steering_(settings) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    const int goal = world.goals[0];
    moves[kSpeaker].word = goal;
    moves[kListener].control = steering_.Towards(world.agents[kListener], world.landmarks[goal].position);
  }

 private:
  const Steering steering_;
};

class SimpleSpeakerListener final : public MpeScenario {
 public:
  explicit SimpleSpeakerListener(const MpeSettings& settings) : settings_(settings) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole speaker{.group = "speakers", .agents = {"speaker_0"}, .moves = false, .vocabulary = kVocabulary};
    for (const char* channel : {"red", "green", "blue"}) {
      speaker.observed.push_back({absl::StrCat("goal_", channel), "", 1, "the goal's colour"});
    }
    MpeRole listener{.group = "listeners", .agents = {"listener_0"}};
    NamePair("own_velocity", "per second", listener.observed);
    for (int l = 0; l < kNumLandmarks; ++l) {
      NamePair(absl::StrCat("landmark_", l), "from the agent", listener.observed);
    }
    for (int word = 0; word < kVocabulary; ++word) {
      listener.observed.push_back({absl::StrCat("hears_", word), "", 1, "what the speaker said last"});
    }
    return {speaker, listener};
  }
  std::vector<MpeStatistic> Statistics() const override {
    return {{"distance", MpeTally::kMean}, {"distance_at_the_end", MpeTally::kLast}, {"reached", MpeTally::kLast}};
  }
  MpeWorld MakeWorld() const override {
    MpeWorld world;
    world.agents.assign(2, {.radius = 0.075, .collides = false});
    world.agents[kSpeaker].movable = false;
    world.landmarks.assign(kNumLandmarks, {.radius = 0.04, .movable = false, .collides = false});
    world.goals = {0};
    world.vocabulary = kVocabulary;
    world.messages.assign(2 * kVocabulary, 0);
    return world;
  }
  void Draw(RandomStream& random, MpeWorld& world) const override {
    world.goals[0] = static_cast<int>(random.Below(kNumLandmarks));
    for (Disc& agent : world.agents) agent.position = DrawPlace(random, 1);
    for (Disc& landmark : world.landmarks) landmark.position = DrawPlace(random, 1);
  }
  int Seeker(int) const override { return kListener; }
  void Observe(const MpeWorld& world, int agent, float* numbers) const override {
    if (agent == kSpeaker) {
      std::fill_n(numbers, kNumLandmarks, kOtherColours);
      numbers[world.goals[0]] = kColour;
      return;
    }
    numbers = WritePair(world.agents[agent].velocity, numbers);
    numbers = WriteLandmarks(world, agent, numbers);
    std::copy_n(world.messages.begin() + kSpeaker * kVocabulary, kVocabulary, numbers);
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    const double distance = GoalDistance(world);
    const double times = settings_.rewards == MpeRewards::kOriginal ? 2 : 1;
    std::fill(rewards.begin(), rewards.end(), -times * distance * distance);
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    values[0] = values[1] = GoalDistance(world);
    values[2] = values[0] < kReached ? 1 : 0;
  }

 private:
  const MpeSettings settings_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const MpeSettings settings = ReadMpeSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<MpeEnvironment>("simple_speaker_listener", settings,
                                          std::make_unique<SimpleSpeakerListener>(settings));
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {MpeBaseline("say_and_go", [](const MpeEnvironment& environment) {
    return std::make_unique<SayAndGo>(environment.settings());
  })};
}

std::string Describe() {
  SettingsReader reader({});
  ReadMpeSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SimpleSpeakerListenerEntry() {
  return {.name = "simple_speaker_listener",
          .summary = "a speaker who sees the goal's colour and a listener who goes there (MPE)",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
