#include "actor_worker/environments/mpe/mpe_environment.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/mpe/mpe_actions.h"

namespace troupe {
namespace {

EnvironmentSpec MakeSpec(const std::string& name, const MpeSettings& settings, const std::vector<MpeRole>& roles,
                         const std::vector<MpeStatistic>& tallies) {
  EnvironmentSpec spec;
  spec.name = name;
  for (const MpeRole& role : roles) {
    if (role.scripted) continue;
    AgentGroupSpec group{.name = role.group, .agents = role.agents};
    DescribeActions(role, settings.actions, &group);
    group.observed = role.observed;
    group.team = role.team;
    group.observation_size = static_cast<int>(group.observed.size());
    spec.groups.push_back(std::move(group));
  }
  spec.state_includes_observations = true;
  for (const MpeStatistic& tally : tallies) spec.statistics.push_back(tally.name);
  for (const MpeRole& role : roles) {
    if (role.scripted) spec.statistics.push_back(absl::StrCat("return_of_", role.group));
  }
  return spec;
}

// Who stands for ever, in a role whose agents move, may do nothing.
void ForbidMoves(const MpeWorld& world, int first_agent, int num_agents, absl::Span<uint8_t> masks) {
  const size_t size = masks.size() / num_agents;
  for (int a = 0; a < num_agents; ++a) {
    if (world.agents[first_agent + a].movable) continue;
    const absl::Span<uint8_t> mask = masks.subspan(a * size, size);
    std::fill(mask.begin() + 1, mask.end(), 0);
  }
}

bool AnyScripted(const std::vector<MpeRole>& roles) {
  return std::any_of(roles.begin(), roles.end(), [](const MpeRole& role) { return role.scripted; });
}

class PlayerController final : public Controller {
 public:
  explicit PlayerController(std::function<std::unique_ptr<MpePlayer>(const MpeEnvironment&)> make_player)
      : make_player_(std::move(make_player)) {}

  void Begin(const Environment& environment) override {
    const auto& mpe = static_cast<const MpeEnvironment&>(environment);
    player_ = make_player_(mpe);
    moves_.resize(mpe.world().agents.size());
  }
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>& continuous_actions) override {
    const auto& mpe = static_cast<const MpeEnvironment&>(environment);
    player_->Play(mpe.world(), absl::MakeSpan(moves_));
    size_t agent = 0, group = 0;
    for (const MpeRole& role : mpe.roles()) {
      for (size_t a = 0; a < role.agents.size(); ++a, ++agent) {
        if (!role.scripted) Write(role, moves_[agent], a, actions[group], continuous_actions[group]);
      }
      group += !role.scripted;
    }
  }

 private:
  // Of agent a of the role, in the kind that the group's actions have.
  static void Write(const MpeRole& role, const MpeMove& move, size_t a, absl::Span<int32_t> discrete,
                    absl::Span<float> continuous) {
    const size_t agents = role.agents.size(), indices = discrete.size() / agents, numbers = continuous.size() / agents;
    if (numbers > 0) {
      WriteContinuousAction(role, move, continuous.subspan(a * numbers, numbers));
    } else if (indices > 1) {
      WriteMultiDiscreteAction(role, move, discrete.subspan(a * indices, indices));
    } else {
      discrete[a] = DiscreteActionOf(role, move);
    }
  }

  const std::function<std::unique_ptr<MpePlayer>(const MpeEnvironment&)> make_player_;
  std::unique_ptr<MpePlayer> player_;
  std::vector<MpeMove> moves_;
};

}  // namespace

MpeEnvironment::MpeEnvironment(const std::string& name, const MpeSettings& settings,
                               std::unique_ptr<MpeScenario> scenario)
    : settings_(settings),
      scenario_(std::move(scenario)),
      roles_(scenario_->Roles()),
      tallies_(scenario_->Statistics()),
      spec_(MakeSpec(name, settings, roles_, tallies_)),
      physics_(settings.dynamics, static_cast<int>(scenario_->MakeWorld().agents.size())),
      script_(AnyScripted(roles_) ? scenario_->MakeScript() : nullptr),
      world_(scenario_->MakeWorld()),
      script_moves_(world_.agents.size()),
      controls_(world_.agents.size()),
      rewards_(world_.agents.size()),
      measured_(tallies_.size()),
      sums_(tallies_.size()),
      role_returns_(roles_.size()) {}

absl::Status MpeEnvironment::Reset(uint64_t seed) {
  RandomStream random(MixKey({seed}));
  for (Disc& agent : world_.agents) agent.velocity = {};
  std::fill(world_.messages.begin(), world_.messages.end(), 0.0);
  scenario_->Draw(random, world_);
  BeginEpisode();
  return absl::OkStatus();
}

void MpeEnvironment::Restart(const MpeWorld& world) {
  world_ = world;
  BeginEpisode();
}

void MpeEnvironment::BeginEpisode() {
  step_ = 0;
  for (std::vector<double>* numbers : {&rewards_, &measured_, &sums_, &role_returns_}) {
    std::fill(numbers->begin(), numbers->end(), 0.0);
  }
}

absl::Span<double> MpeEnvironment::MessageOf(int agent) {
  return absl::MakeSpan(world_.messages).subspan(agent * world_.vocabulary, world_.vocabulary);
}

// What agent a of the role does: its control, and its message.
Vector2 MpeEnvironment::Apply(const MpeRole& role, size_t a, const AgentGroupSpec& group, const GroupAction& action,
                              absl::Span<double> message) {
  const size_t indices = group.num_choices(), numbers = group.action_size;
  switch (group.action_kind) {
    case ActionKind::kDiscrete:
      return ApplyDiscrete(role, action.discrete[a], message);
    case ActionKind::kMultiDiscrete:
      return ApplyMultiDiscrete(role, action.discrete.subspan(a * indices, indices), message);
    case ActionKind::kContinuous:
      break;
  }
  return ApplyContinuous(role, action.continuous.subspan(a * numbers, numbers), message);
}

// Turns what learnt and scripted agents do into controls and messages.
void MpeEnvironment::Act(const JointAction& action) {
  if (script_ != nullptr) script_->Play(world_, absl::MakeSpan(script_moves_));
  int agent = 0;
  size_t group = 0;
  for (const MpeRole& role : roles_) {
    for (size_t a = 0; a < role.agents.size(); ++a, ++agent) {
      const absl::Span<double> message = role.vocabulary > 0 ? MessageOf(agent) : absl::Span<double>();
      if (role.scripted) {
        controls_[agent] = script_moves_[agent].control;
      } else {
        controls_[agent] = Apply(role, a, spec_.groups[group], action.groups[group], message);
      }
    }
    group += !role.scripted;
  }
}

absl::Status MpeEnvironment::Step(const JointAction& action, StepOutcome& outcome) {
  Act(action);
  physics_.Step(controls_, world_);
  ++step_;
  scenario_->Reward(world_, absl::MakeSpan(rewards_));
  scenario_->Measure(world_, absl::MakeSpan(measured_));
  for (size_t i = 0; i < sums_.size(); ++i) sums_[i] += measured_[i];
  size_t agent = 0, group = 0;
  for (size_t r = 0; r < roles_.size(); ++r) {
    const size_t num_agents = roles_[r].agents.size();
    for (size_t a = 0; a < num_agents; ++a, ++agent) {
      role_returns_[r] += rewards_[agent] / static_cast<double>(num_agents);
      if (!roles_[r].scripted) outcome.rewards[group][a] = static_cast<float>(rewards_[agent]);
    }
    group += !roles_[r].scripted;
  }
  outcome.terminated = false;
  outcome.truncated = step_ >= settings_.max_steps;
  return absl::OkStatus();
}

void MpeEnvironment::Observe(JointObservation& observation) const {
  int agent = 0;
  size_t group = 0;
  for (const MpeRole& role : roles_) {
    const int first = agent;
    agent += static_cast<int>(role.agents.size());
    if (role.scripted) continue;
    GroupObservation& seen = observation.groups[group++];
    for (int a = first; a < agent; ++a) {
      scenario_->Observe(world_, a, seen.observations.data() + (a - first) * role.observed.size());
    }
    std::fill(seen.action_mask.begin(), seen.action_mask.end(), 1);
    if (role.moves && settings_.actions == ActionKind::kDiscrete) {
      ForbidMoves(world_, first, agent - first, seen.action_mask);
    }
    std::fill(seen.alive.begin(), seen.alive.end(), 1);
  }
}

void MpeEnvironment::EpisodeStatistics(absl::Span<double> statistics) const {
  for (size_t i = 0; i < tallies_.size(); ++i) {
    const MpeTally tally = tallies_[i].tally;
    statistics[i] = tally == MpeTally::kLast  ? measured_[i]
                    : tally == MpeTally::kSum ? sums_[i]
                                              : sums_[i] / std::max(step_, 1);
  }
  size_t next = tallies_.size();
  for (size_t r = 0; r < roles_.size(); ++r) {
    if (roles_[r].scripted) statistics[next++] = role_returns_[r];
  }
}

// The square from −1.2 to 1.2, agents by their number, landmarks as letters, and below it every agent in numbers.
std::string MpeEnvironment::Render() const {
  constexpr int kRows = 13, kColumns = 37;
  constexpr double kHalfSide = 1.2;
  std::string canvas(kRows * (kColumns + 1), '.');
  for (int row = 0; row < kRows; ++row) canvas[row * (kColumns + 1) + kColumns] = '\n';
  const auto draw = [&canvas](Vector2 place, char mark) {
    const double row = std::round((kHalfSide - place.y) / (2 * kHalfSide) * (kRows - 1));
    const double column = std::round((place.x + kHalfSide) / (2 * kHalfSide) * (kColumns - 1));
    if (row < 0 || row >= kRows || column < 0 || column >= kColumns) return;
    canvas[static_cast<int>(row) * (kColumns + 1) + static_cast<int>(column)] = mark;
  };
  for (size_t i = 0; i < world_.landmarks.size(); ++i) draw(world_.landmarks[i].position, static_cast<char>('a' + i));
  for (size_t i = 0; i < world_.agents.size(); ++i) draw(world_.agents[i].position, static_cast<char>('0' + i % 10));
  std::string text = absl::StrFormat("step %d of %d\n%s", step_, settings_.max_steps, canvas);
  int agent = 0;
  for (const MpeRole& role : roles_) {
    for (const std::string& name : role.agents) {
      const Disc& disc = world_.agents[agent];
      absl::StrAppendFormat(&text, "%d %-11s at %6.3f %6.3f  velocity %6.3f %6.3f  reward %8.3f", agent, name,
                            disc.position.x, disc.position.y, disc.velocity.x, disc.velocity.y, rewards_[agent]);
      if (role.vocabulary > 0) {
        const double* const message = world_.messages.data() + agent * world_.vocabulary;
        const double* const loudest = std::max_element(message, message + world_.vocabulary);
        absl::StrAppend(&text, "  says ", *loudest > 0 ? absl::StrCat(loudest - message) : "nothing");
      }
      text += '\n';
      ++agent;
    }
  }
  if (!world_.goals.empty()) text += "goals";
  for (const int goal : world_.goals) absl::StrAppend(&text, " ", std::string(1, static_cast<char>('a' + goal)));
  return world_.goals.empty() ? text : text + "\n";
}

Baseline MpeBaseline(const std::string& name,
                     std::function<std::unique_ptr<MpePlayer>(const MpeEnvironment&)> make_player) {
  return {.name = name, .setting_overrides = {}, .make = [make_player = std::move(make_player)] {
            return std::make_unique<PlayerController>(make_player);
          }};
}

}  // namespace troupe
