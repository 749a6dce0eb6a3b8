// simple_speaker_listener: the speaker sees the goal's colour and cannot move; the listener moves, sees three landmarks
// and hears the speaker's word of one step before. With channel NONE there are no words, and the speaker may only
// stand: what the listener learns of the goal it learns from the speaker's policy (docs/communication.md), with groups
// MERGED.
//
// Reward of a step, d = distance of the listener to the goal: both get −d²; ORIGINAL: both get the sum, −2 d².
// Everything starts anywhere in the square; nothing collides.
//
// What silence can reach: whoever does not know the goal has each landmark with equal chance, and the mean of −d² over
// the three is −(distance to their middle)² − (their mean squared distance from it): there is nothing better than to go
// to the middle. The baseline go_between does.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/merged_groups.h"
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

struct ListenerSettings {
  MpeSettings mpe;
  bool words = true;
  bool merged = false;
};

ListenerSettings ReadSettings(SettingsReader& reader) {
  ListenerSettings settings;
  settings.words = reader.Choice("channel", "WORDS", {"WORDS", "NONE"},
                                 "how the environment brings the goal to the listener: by the speaker's words, or not "
                                 "at all") == "WORDS";
  settings.merged = ReadMergedGroups(reader);
  settings.mpe = ReadMpeSettings(reader);
  return settings;
}

double GoalDistance(const MpeWorld& world) {
  return Distance(world.agents[kListener], world.landmarks[world.goals[0]]);
}

// The speaker says the goal's number, where it has words, and the listener understands it.
class SayAndGo final : public MpePlayer {
 public:
  explicit SayAndGo(const MpeSettings& settings) : steering_(settings) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    const int goal = world.goals[0];
    moves[kSpeaker].word = world.vocabulary > 0 ? goal : 0;
    moves[kListener].control = steering_.Towards(world.agents[kListener], world.landmarks[goal].position);
  }

 private:
  const Steering steering_;
};

// The listener goes to the middle of the landmarks, whatever is said.
class GoBetween final : public MpePlayer {
 public:
  explicit GoBetween(const MpeSettings& settings) : steering_(settings) {}
  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    Vector2 middle;
    for (const Disc& landmark : world.landmarks) {
      middle.x += landmark.position.x / kNumLandmarks;
      middle.y += landmark.position.y / kNumLandmarks;
    }
    moves[kListener].control = steering_.Towards(world.agents[kListener], middle);
  }

 private:
  const Steering steering_;
};

class SimpleSpeakerListener final : public MpeScenario {
 public:
  explicit SimpleSpeakerListener(const ListenerSettings& settings) : settings_(settings) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole speaker{.group = "speakers", .agents = {"speaker_0"}};
    speaker.moves = !settings_.words;
    speaker.vocabulary = settings_.words ? kVocabulary : 0;
    for (const char* channel : {"red", "green", "blue"}) {
      speaker.observed.push_back({absl::StrCat("goal_", channel), "", 1, "the goal's colour"});
    }
    MpeRole listener{.group = "listeners", .agents = {"listener_0"}};
    NamePair("own_velocity", "per second", listener.observed);
    for (int l = 0; l < kNumLandmarks; ++l) {
      NamePair(absl::StrCat("landmark_", l), "from the agent", listener.observed);
    }
    for (int word = 0; word < speaker.vocabulary; ++word) {
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
    if (settings_.words) {
      world.vocabulary = kVocabulary;
      world.messages.assign(2 * kVocabulary, 0);
    }
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
    if (settings_.words) std::copy_n(world.messages.begin() + kSpeaker * kVocabulary, kVocabulary, numbers);
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    const double distance = GoalDistance(world);
    const double times = settings_.mpe.rewards == MpeRewards::kOriginal ? 2 : 1;
    std::fill(rewards.begin(), rewards.end(), -times * distance * distance);
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    values[0] = values[1] = GoalDistance(world);
    values[2] = values[0] < kReached ? 1 : 0;
  }

 private:
  const ListenerSettings settings_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const ListenerSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  auto environment = std::make_unique<MpeEnvironment>("simple_speaker_listener", settings.mpe,
                                                      std::make_unique<SimpleSpeakerListener>(settings));
  if (settings.merged) return MergedGroups::Create(std::move(environment));
  return environment;
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  const auto say_and_go = [](const MpeEnvironment& environment) {
    return std::make_unique<SayAndGo>(environment.settings());
  };
  const auto go_between = [](const MpeEnvironment& environment) {
    return std::make_unique<GoBetween>(environment.settings());
  };
  return OfMergedGroups({MpeBaseline("say_and_go", say_and_go), MpeBaseline("go_between", go_between)});
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
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
