// simple_adversary: good agents know which landmark is the goal; an adversary does not, and is to get there too.
//
// Rewards of a step, d(i) = distance of agent i to the goal:
//   a good agent   d(adversary) − the smallest d of the good agents
//   the adversary  −d(adversary); ORIGINAL: −d(adversary)²
// Everything starts anywhere in the square; nothing collides. Nobody observes velocities. There are as many landmarks
// as good agents: they can mislead the adversary by covering all of them.
#include <algorithm>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/mpe/minimum_assignment.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/mpe/steering.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr int kAdversary = 0;
constexpr int kFirstGood = 1;

struct AdversarySettings {
  MpeSettings mpe;
  int num_good_agents = 2;
  bool scripted_adversary = false;
  bool scripted_good_agents = false;
};

AdversarySettings ReadSettings(SettingsReader& reader) {
  const AdversarySettings fallback;
  AdversarySettings settings;
  settings.num_good_agents = static_cast<int>(
      reader.Integer("num_good_agents", fallback.num_good_agents, 1, 20, "good agents, and landmarks as many"));
  settings.scripted_adversary = ReadScripted(reader, "adversaries");
  settings.scripted_good_agents = ReadScripted(reader, "good_agents");
  settings.mpe = ReadMpeSettings(reader);
  return settings;
}

double GoalDistance(const MpeWorld& world, int agent) {
  return Distance(world.agents[agent], world.landmarks[world.goals[0]]);
}

double NearestGoodDistance(const MpeWorld& world) {
  return NearestDistance(world, world.landmarks[world.goals[0]], kFirstGood, static_cast<int>(world.agents.size()));
}

// Good agents cover every landmark by the shortest ways; the adversary, who does not look at the goal, goes for the
// landmark that a good agent is nearest to.
class CoverAndFollow final : public MpePlayer {
 public:
  CoverAndFollow(const MpeSettings& settings, int num_good)
      : steering_(settings), assignment_(num_good), ways_(num_good * num_good) {}

  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    const int num_agents = static_cast<int>(world.agents.size());
    size_t way = 0;
    for (int good = kFirstGood; good < num_agents; ++good) {
      for (const Disc& landmark : world.landmarks) ways_[way++] = Distance(world.agents[good], landmark);
    }
    const absl::Span<const int> landmarks = assignment_.Solve(ways_);
    for (int good = kFirstGood; good < num_agents; ++good) {
      const Disc& landmark = world.landmarks[landmarks[good - kFirstGood]];
      moves[good].control = steering_.Towards(world.agents[good], landmark.position);
    }
    const auto nearer = [&world, num_agents](const Disc& a, const Disc& b) {
      return NearestDistance(world, a, kFirstGood, num_agents) < NearestDistance(world, b, kFirstGood, num_agents);
    };
    const Disc& followed = *std::min_element(world.landmarks.begin(), world.landmarks.end(), nearer);
    moves[kAdversary].control = steering_.Towards(world.agents[kAdversary], followed.position);
  }

 private:
  const Steering steering_;
  MinimumAssignment assignment_;
  std::vector<double> ways_;  // [good agents, landmarks]
};

class SimpleAdversary final : public MpeScenario {
 public:
  explicit SimpleAdversary(const AdversarySettings& settings) : settings_(settings) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole adversaries{.group = "adversaries", .agents = {"adversary_0"}, .scripted = settings_.scripted_adversary};
    MpeRole good{.group = "good_agents", .scripted = settings_.scripted_good_agents};
    for (int a = 0; a < settings_.num_good_agents; ++a) good.agents.push_back(absl::StrCat("agent_", a));
    NameLandmarks(adversaries.observed);
    for (int a = 0; a < settings_.num_good_agents; ++a) {
      NamePair(absl::StrCat("good_agent_", a), "from the agent", adversaries.observed);
    }
    NamePair("goal", "from the agent", good.observed);
    NameLandmarks(good.observed);
    NamePair("adversary", "from the agent", good.observed);
    for (int a = 1; a < settings_.num_good_agents; ++a) {
      NamePair(absl::StrCat("other_", a), "from the agent, other good agents in their order", good.observed);
    }
    adversaries.team = adversaries.group;
    good.team = good.group;
    return {adversaries, good};
  }
  std::vector<MpeStatistic> Statistics() const override {
    return {{"adversary_goal_distance", MpeTally::kMean},
            {"good_goal_distance", MpeTally::kMean},  // of the nearest good agent
            {"adversary_goal_distance_at_the_end", MpeTally::kLast},
            {"good_goal_distance_at_the_end", MpeTally::kLast}};
  }
  MpeWorld MakeWorld() const override {
    MpeWorld world;
    world.agents.assign(settings_.num_good_agents + 1, {.radius = 0.15, .collides = false});
    world.landmarks.assign(settings_.num_good_agents, {.radius = 0.08, .movable = false, .collides = false});
    world.goals = {0};
    return world;
  }
  void Draw(RandomStream& random, MpeWorld& world) const override {
    world.goals[0] = static_cast<int>(random.Below(settings_.num_good_agents));
    for (Disc& agent : world.agents) agent.position = DrawPlace(random, 1);
    for (Disc& landmark : world.landmarks) landmark.position = DrawPlace(random, 1);
  }
  void Observe(const MpeWorld& world, int agent, float* numbers) const override {
    if (agent != kAdversary) {
      numbers = WritePair(world.landmarks[world.goals[0]].position - world.agents[agent].position, numbers);
    }
    numbers = WriteLandmarks(world, agent, numbers);
    WriteOthers(world, agent, numbers);
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    const double adversary = GoalDistance(world, kAdversary);
    std::fill(rewards.begin(), rewards.end(), adversary - NearestGoodDistance(world));
    rewards[kAdversary] = settings_.mpe.rewards == MpeRewards::kOriginal ? -adversary * adversary : -adversary;
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    values[0] = values[2] = GoalDistance(world, kAdversary);
    values[1] = values[3] = NearestGoodDistance(world);
  }
  std::unique_ptr<MpePlayer> MakeScript() const override {
    return std::make_unique<CoverAndFollow>(settings_.mpe, settings_.num_good_agents);
  }

 private:
  void NameLandmarks(std::vector<ObservedNumber>& observed) const {
    for (int l = 0; l < settings_.num_good_agents; ++l) {
      NamePair(absl::StrCat("landmark_", l), "from the agent", observed);
    }
  }

  const AdversarySettings settings_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const AdversarySettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  if (settings.scripted_adversary && settings.scripted_good_agents) {
    return absl::InvalidArgumentError(
        "environment.settings.good_agents: SCRIPTED like the adversaries leaves no agents");
  }
  return std::make_unique<MpeEnvironment>("simple_adversary", settings.mpe,
                                          std::make_unique<SimpleAdversary>(settings));
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {MpeBaseline("cover_and_follow", [](const MpeEnvironment& environment) {
    return std::make_unique<CoverAndFollow>(environment.settings(),
                                            static_cast<int>(environment.world().landmarks.size()));
  })};
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SimpleAdversaryEntry() {
  return {.name = "simple_adversary",
          .summary = "good agents who know the goal mislead an adversary who does not; either side scripted (MPE)",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
