// Two players, each a team of their own, paid for the joint action of a matrix game: what one wins the other loses.
// Small games whose equilibria are known, on which learning against the newest opponent alone runs in circles.
//
// An episode is `rounds` of the same game, after which it is terminated. Both act at once, and see nothing but that
// they play: one number, 1. Reward of a round: the payoff to row, its negative to column.
// Statistics: payoff (row's mean over the rounds), then for each action of row and of column the share of the rounds in
// which it was played, row_0, row_1, …, column_0, …. Baseline: cautious, the pure strategies that are paid best at
// worst.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/matrix_game/payoffs.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

// The value of each is 0, and its one equilibrium is mixed: (1/3, 1/3, 1/3); (1/4, 1/2, 1/4), which makes every row of
// the payoffs worth 0 to either player; (1/2, 1/2).
constexpr NamedGame kGames[] = {{"rock_paper_scissors", "[[0, -1, 1], [1, 0, -1], [-1, 1, 0]]"},
                                {"heavy_rock", "[[0, -1, 2], [1, 0, -1], [-2, 1, 0]]"},
                                {"matching_pennies", "[[1, -1], [-1, 1]]"}};

struct GameSettings {
  PayoffMatrix payoffs;
  int rounds = 1;
};

absl::StatusOr<GameSettings> ReadGame(SettingsReader& reader) {
  GameSettings settings;
  settings.rounds = static_cast<int>(reader.Integer("rounds", 1, 1, 10000, "rounds of an episode"));
  ASSIGN_OR_RETURN(
      std::vector<PayoffMatrix> matrices,
      ReadPayoffs(reader, kGames,
                  "which game; heavy_rock: rock, paper, scissors, with two points for rock against scissors",
                  "game custom only: what row is paid, such as [[1, -1], [-1, 1]]"));
  if (matrices.size() != 1 || matrices.front().num_players() != 2) {
    return absl::InvalidArgumentError("environment.settings.payoffs: expected one matrix of two players");
  }
  settings.payoffs = std::move(matrices.front());
  return settings;
}

AgentGroupSpec PlayerSpec(const std::string& name, int num_actions) {
  AgentGroupSpec group{.name = name, .agents = {name}};
  group.observation_size = 1;
  group.observed = {{"plays", "", 1, "always 1"}};
  group.action_size = num_actions;
  for (int action = 0; action < num_actions; ++action) group.actions.push_back({absl::StrCat("action_", action), ""});
  group.team = name;
  return group;
}

class ZeroSum final : public Environment {
 public:
  ZeroSum(PayoffMatrix payoffs, int rounds) : payoffs_(std::move(payoffs)), rounds_(rounds) {
    spec_.name = "zero_sum";
    spec_.groups = {PlayerSpec("row", payoffs_.num_actions[0]), PlayerSpec("column", payoffs_.num_actions[1])};
    spec_.state_includes_observations = true;
    spec_.statistics = {"payoff"};
    for (const AgentGroupSpec& group : spec_.groups) {
      for (int action = 0; action < group.action_size; ++action) {
        spec_.statistics.push_back(absl::StrCat(group.name, "_", action));
      }
    }
    played_.resize(spec_.statistics.size() - 1);
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  absl::Status Reset(uint64_t) override {
    round_ = 0;
    paid_ = 0;
    std::ranges::fill(played_, 0);
    return absl::OkStatus();
  }

  absl::Status Step(const JointAction& action, StepOutcome& outcome) override {
    const int32_t row = action.groups[0].discrete[0], column = action.groups[1].discrete[0];
    const double payoff = payoffs_.At({row, column});
    paid_ += payoff;
    played_[row] += 1;
    played_[payoffs_.num_actions[0] + column] += 1;
    outcome.rewards[0][0] = static_cast<float>(payoff);
    outcome.rewards[1][0] = static_cast<float>(-payoff);
    outcome.terminated = ++round_ >= rounds_;
    outcome.truncated = false;
    return absl::OkStatus();
  }

  void Observe(JointObservation& observation) const override {
    for (GroupObservation& seen : observation.groups) {
      seen.observations[0] = 1;
      seen.alive[0] = 1;
      std::ranges::fill(seen.action_mask, 1);
    }
  }

  void EpisodeStatistics(absl::Span<double> statistics) const override {
    statistics[0] = paid_ / round_;
    for (size_t i = 0; i < played_.size(); ++i) statistics[i + 1] = static_cast<double>(played_[i]) / round_;
  }

  // Of both players, in the order of the groups: what is paid best if the other knows it, the first of equals.
  std::vector<int32_t> CautiousActions() const {
    const int32_t rows = payoffs_.num_actions[0], columns = payoffs_.num_actions[1];
    std::vector<double> worst(rows, 1e9), most(columns, -1e9);
    for (int32_t row = 0; row < rows; ++row) {
      for (int32_t column = 0; column < columns; ++column) {
        const double payoff = payoffs_.At({row, column});
        worst[row] = std::min(worst[row], payoff);
        most[column] = std::max(most[column], payoff);
      }
    }
    return {static_cast<int32_t>(std::ranges::max_element(worst) - worst.begin()),
            static_cast<int32_t>(std::ranges::min_element(most) - most.begin())};
  }

  std::string Render() const override {
    return absl::StrCat("round ", round_, " of ", rounds_, ", row has ", paid_, "\n");
  }

 private:
  const PayoffMatrix payoffs_;
  const int rounds_;
  EnvironmentSpec spec_;
  int round_ = 0;
  double paid_ = 0;
  std::vector<int> played_;  // rounds, of each action of row, then of column
};

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  ASSIGN_OR_RETURN(GameSettings settings, ReadGame(reader));
  return std::make_unique<ZeroSum>(std::move(settings.payoffs), settings.rounds);
}

std::string Describe() {
  SettingsReader reader({});
  ReadGame(reader).IgnoreError();
  return reader.Describe();
}

class CautiousController final : public Controller {
 public:
  void Begin(const Environment& environment) override {
    actions_ = static_cast<const ZeroSum&>(environment).CautiousActions();
  }
  void Act(const Environment&, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    for (size_t player = 0; player < actions.size(); ++player) actions[player][0] = actions_[player];
  }

 private:
  std::vector<int32_t> actions_;
};

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {{.name = "cautious", .setting_overrides = {}, .make = [] { return std::make_unique<CautiousController>(); }}};
}

}  // namespace

EnvironmentEntry ZeroSumEntry() {
  return {.name = "zero_sum",
          .summary = "two players of a matrix game, one paid what the other loses, with known mixed equilibria",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
