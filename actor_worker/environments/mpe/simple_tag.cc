// simple_tag: slow predators hunt fast prey among round obstacles.
//
// Rewards of a step, both codes alike:
//   a predator  10 × pairs of a predator and a prey that touch, whichever
//   a prey      −10 × predators that touch it − edge(|x|) − edge(|y|), where
//               edge(u) = 0 below 0.9, then 10 · (u − 0.9), from 1 on e^(2u − 2), at most 10: so that it cannot flee
//               for ever
// Obstacles start within 0.9 of the middle (dynamics ORIGINAL: 0.8), the others anywhere. Predators push with 3 up to a
// speed of 1, prey with 4 up to 1.3; the original code multiplies by the push twice: 9 and 16.
#include <algorithm>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/mpe/mpe_actions.h"
#include "actor_worker/environments/mpe/mpe_environment.h"
#include "actor_worker/environments/mpe/steering.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr double kTouchReward = 10;

struct TagSettings {
  MpeSettings mpe;
  int num_predators = 3;
  int num_prey = 1;
  int num_obstacles = 2;
  bool scripted_predators = false;
  bool scripted_prey = false;
};

TagSettings ReadSettings(SettingsReader& reader) {
  const TagSettings fallback;
  TagSettings settings;
  settings.num_predators = static_cast<int>(reader.Integer("num_predators", fallback.num_predators, 1, 20, "hunters"));
  settings.num_prey = static_cast<int>(reader.Integer("num_prey", fallback.num_prey, 1, 20, "the hunted"));
  settings.num_obstacles =
      static_cast<int>(reader.Integer("num_obstacles", fallback.num_obstacles, 0, 20, "round obstacles"));
  settings.scripted_predators = ReadScripted(reader, "predators");
  settings.scripted_prey = ReadScripted(reader, "prey");
  settings.mpe = ReadMpeSettings(reader);
  return settings;
}

double EdgePenalty(double coordinate) {
  const double u = std::abs(coordinate);
  if (u < 0.9) return 0;
  return u < 1 ? 10 * (u - 0.9) : std::min(std::exp(2 * u - 2), 10.0);
}

double EdgePenalty(Vector2 place) { return EdgePenalty(place.x) + EdgePenalty(place.y); }

// Predators go where the nearest prey will come to rest; prey goes where, at rest, the nearest predator is farthest,
// the edge's penalty and the depth within obstacles taken off.
class ChaseAndEvade final : public MpePlayer {
 public:
  ChaseAndEvade(const MpeSettings& settings, int num_predators) : steering_(settings), num_predators_(num_predators) {}

  void Play(const MpeWorld& world, absl::Span<MpeMove> moves) override {
    const int num_agents = static_cast<int>(world.agents.size());
    for (int predator = 0; predator < num_predators_; ++predator) {
      const Disc& hunter = world.agents[predator];
      const auto nearer = [&hunter](const Disc& a, const Disc& b) { return Distance(a, hunter) < Distance(b, hunter); };
      const Disc& prey = *std::min_element(world.agents.begin() + num_predators_, world.agents.end(), nearer);
      moves[predator].control = steering_.Towards(hunter, steering_.Rest(prey));
    }
    for (int prey = num_predators_; prey < num_agents; ++prey) moves[prey].control = Evade(world, prey);
  }

 private:
  Vector2 Evade(const MpeWorld& world, int prey) const {
    Vector2 best;
    double best_worth = -std::numeric_limits<double>::infinity();
    for (const Vector2 move : kMpeMoves) {
      Disc disc = world.agents[prey];
      disc.position = steering_.Rest(disc, move);
      double worth = NearestDistance(world, disc, 0, num_predators_) - EdgePenalty(disc.position);
      for (const Disc& obstacle : world.landmarks) {
        worth -= std::max(0.0, disc.radius + obstacle.radius - Distance(disc, obstacle));
      }
      if (worth <= best_worth) continue;
      best_worth = worth;
      best = move;
    }
    return best;
  }

  const Steering steering_;
  const int num_predators_;
};

class SimpleTag final : public MpeScenario {
 public:
  explicit SimpleTag(const TagSettings& settings)
      : settings_(settings), num_agents_(settings.num_predators + settings.num_prey) {}

  std::vector<MpeRole> Roles() const override {
    MpeRole predators{.group = "predators", .scripted = settings_.scripted_predators};
    MpeRole prey{.group = "prey", .scripted = settings_.scripted_prey};
    for (int a = 0; a < settings_.num_predators; ++a) predators.agents.push_back(absl::StrCat("adversary_", a));
    for (int a = 0; a < settings_.num_prey; ++a) prey.agents.push_back(absl::StrCat("agent_", a));
    predators.observed = Observed(settings_.num_predators - 1, settings_.num_prey);
    prey.observed = Observed(settings_.num_predators, settings_.num_prey - 1);
    predators.team = predators.group;
    prey.team = prey.group;
    return {predators, prey};
  }
  std::vector<MpeStatistic> Statistics() const override {
    return {{"catches", MpeTally::kSum},            // pairs of predator and prey that touch, over all steps
            {"distance_to_prey", MpeTally::kMean},  // from a prey to the nearest predator, mean over prey
            {"outside", MpeTally::kMean}};          // share of prey that pay for the edge
  }
  MpeWorld MakeWorld() const override {
    // A push counts twice in the original code: once as the control's scale, once as the agent's acceleration.
    const bool twice = settings_.mpe.dynamics == MpeDynamics::kOriginal;
    MpeWorld world;
    world.agents.assign(settings_.num_predators, {.radius = 0.075, .push = twice ? 9.0 : 3.0, .max_speed = 1});
    world.agents.resize(num_agents_, {.radius = 0.05, .push = twice ? 16.0 : 4.0, .max_speed = 1.3});
    world.landmarks.assign(settings_.num_obstacles, {.radius = 0.2, .movable = false});
    return world;
  }
  void Draw(RandomStream& random, MpeWorld& world) const override {
    for (Disc& agent : world.agents) agent.position = DrawPlace(random, 1);
    const double half_side = settings_.mpe.dynamics == MpeDynamics::kOriginal ? 0.8 : 0.9;
    for (Disc& obstacle : world.landmarks) obstacle.position = DrawPlace(random, half_side);
  }
  void Observe(const MpeWorld& world, int agent, float* numbers) const override {
    numbers = WritePair(world.agents[agent].velocity, numbers);
    numbers = WritePair(world.agents[agent].position, numbers);
    numbers = WriteLandmarks(world, agent, numbers);
    numbers = WriteOthers(world, agent, numbers);
    for (int prey = settings_.num_predators; prey < num_agents_; ++prey) {
      if (prey != agent) numbers = WritePair(world.agents[prey].velocity, numbers);
    }
  }
  void Reward(const MpeWorld& world, absl::Span<double> rewards) const override {
    double catches = 0;
    for (int prey = settings_.num_predators; prey < num_agents_; ++prey) {
      const int caught = Catchers(world, prey);
      catches += caught;
      rewards[prey] = -kTouchReward * caught - EdgePenalty(world.agents[prey].position);
    }
    std::fill_n(rewards.begin(), settings_.num_predators, kTouchReward * catches);
  }
  void Measure(const MpeWorld& world, absl::Span<double> values) const override {
    std::fill(values.begin(), values.end(), 0.0);
    for (int prey = settings_.num_predators; prey < num_agents_; ++prey) {
      const Disc& disc = world.agents[prey];
      values[0] += Catchers(world, prey);
      values[1] += NearestDistance(world, disc, 0, settings_.num_predators) / settings_.num_prey;
      values[2] += (EdgePenalty(disc.position) > 0 ? 1.0 : 0.0) / settings_.num_prey;
    }
  }
  std::unique_ptr<MpePlayer> MakeScript() const override {
    return std::make_unique<ChaseAndEvade>(settings_.mpe, settings_.num_predators);
  }

 private:
  std::vector<ObservedNumber> Observed(int other_predators, int other_prey) const {
    std::vector<ObservedNumber> observed;
    NamePair("own_velocity", "per second", observed);
    NamePair("own_place", "from the middle", observed);
    for (int o = 0; o < settings_.num_obstacles; ++o) {
      NamePair(absl::StrCat("obstacle_", o), "from the agent", observed);
    }
    for (int p = 0; p < other_predators; ++p) {
      NamePair(absl::StrCat("predator_", p), "from the agent, others in their order", observed);
    }
    for (int p = 0; p < other_prey; ++p) {
      NamePair(absl::StrCat("prey_", p), "from the agent, others in their order", observed);
    }
    for (int p = 0; p < other_prey; ++p) NamePair(absl::StrCat("prey_", p, "_velocity"), "per second", observed);
    return observed;
  }
  int Catchers(const MpeWorld& world, int prey) const {
    int catchers = 0;
    for (int predator = 0; predator < settings_.num_predators; ++predator) {
      catchers += Touch(world.agents[predator], world.agents[prey]);
    }
    return catchers;
  }

  const TagSettings settings_;
  const int num_agents_;
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const TagSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  if (settings.scripted_predators && settings.scripted_prey) {
    return absl::InvalidArgumentError("environment.settings.prey: SCRIPTED like the predators leaves no agents");
  }
  return std::make_unique<MpeEnvironment>("simple_tag", settings.mpe, std::make_unique<SimpleTag>(settings));
}

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {MpeBaseline("chase_and_evade", [](const MpeEnvironment& environment) {
    return std::make_unique<ChaseAndEvade>(environment.settings(),
                                           static_cast<int>(environment.roles()[0].agents.size()));
  })};
}

std::string Describe() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

}  // namespace

EnvironmentEntry SimpleTagEntry() {
  return {.name = "simple_tag",
          .summary = "slow predators hunt fast prey among obstacles; either side learnt or scripted (MPE)",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
