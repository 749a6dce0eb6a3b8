#include "actor_worker/environments/matrix_game/matrix_game.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

// two_step: the QMIX paper's (arXiv:1803.11485). climbing: the QTRAN paper's matrix (arXiv:1905.05408, table 1), on
// which the way to the best joint action leads through bad ones. penalty: Claus and Boutilier, "The dynamics of
// reinforcement learning in cooperative multiagent systems" (AAAI 1998), with k = −100: two optima that must not be
// mixed.
constexpr NamedGame kGames[] = {{"two_step", "[[7, 7], [7, 7]]; [[0, 1], [1, 8]]"},
                                {"climbing", "[[8, -12, -12], [-12, 0, 0], [-12, 0, 0]]"},
                                {"penalty", "[[-100, 0, 10], [0, 2, 0], [10, 0, -100]]"}};

absl::StatusOr<std::vector<PayoffMatrix>> ReadMatrices(SettingsReader& reader) {
  return ReadPayoffs(reader, kGames, "which game; custom: by its payoffs",
                     "game custom only: nested lists, a level for each player, such as [[8, -12], [-12, 0]]; several, "
                     "separated by semicolons, are chosen among by the first player's first action");
}

absl::StatusOr<std::unique_ptr<Environment>> Create(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  ASSIGN_OR_RETURN(std::vector<PayoffMatrix> matrices, ReadMatrices(reader));
  return std::make_unique<MatrixGame>(std::move(matrices));
}

std::string Describe() {
  SettingsReader reader({});
  ReadMatrices(reader).IgnoreError();
  return reader.Describe();
}

class OptimalController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const std::vector<int32_t>& best = static_cast<const MatrixGame&>(environment).OptimalActions();
    std::copy(best.begin(), best.end(), actions[0].begin());
  }
};

std::vector<Baseline> Baselines(const SettingsMap&) {
  return {{.name = "optimal", .setting_overrides = {}, .make = [] { return std::make_unique<OptimalController>(); }}};
}

EnvironmentSpec MakeSpec(const std::vector<PayoffMatrix>& matrices) {
  const int num_players = matrices[0].num_players();
  AgentGroupSpec group{.name = "players"};
  if (matrices.size() > 1) group.observed.push_back({"choosing", "", 1, "1: player 0 is about to choose the matrix"});
  for (size_t m = 0; m < matrices.size(); ++m) {
    group.observed.push_back({absl::StrCat("matrix_", m), "", 1, "1: this one is played"});
  }
  group.action_size = matrices.size() > 1 ? static_cast<int>(matrices.size()) : 1;
  for (const PayoffMatrix& matrix : matrices) {
    group.action_size =
        std::max(group.action_size, *std::max_element(matrix.num_actions.begin(), matrix.num_actions.end()));
  }
  for (int player = 0; player < num_players; ++player) {
    group.agents.push_back(absl::StrCat("player_", player));
    group.observed.push_back({absl::StrCat("is_player_", player), "", 1, "1: this player"});
  }
  for (int action = 0; action < group.action_size; ++action) {
    group.actions.push_back({absl::StrCat("action_", action), ""});
  }
  group.observation_size = static_cast<int>(group.observed.size());
  EnvironmentSpec spec;
  spec.name = "matrix_game";
  spec.groups = {std::move(group)};
  spec.state_includes_observations = true;
  spec.statistics = {"matrix", "payoff", "optimal"};
  return spec;
}

}  // namespace

MatrixGame::MatrixGame(std::vector<PayoffMatrix> matrices)
    : matrices_(std::move(matrices)), choice_of_best_(matrices_[0].num_players()), spec_(MakeSpec(matrices_)) {
  for (const PayoffMatrix& matrix : matrices_) {
    bests_.push_back(FindBest(matrix));
    if (bests_.back().payoff > optimum()) best_matrix_ = static_cast<int>(bests_.size()) - 1;
  }
  choice_of_best_[0] = best_matrix_;
}

const std::vector<int32_t>& MatrixGame::OptimalActions() const {
  return choosing() ? choice_of_best_ : bests_[matrix_].actions;
}

int MatrixGame::NumActions(int player) const {
  if (!choosing()) return matrices_[matrix_].num_actions[player];
  return player == 0 ? static_cast<int>(matrices_.size()) : spec_.groups[0].action_size;
}

absl::Status MatrixGame::Reset(uint64_t) {
  matrix_ = matrices_.size() > 1 ? -1 : 0;
  payoff_ = 0;
  played_.clear();
  return absl::OkStatus();
}

absl::Status MatrixGame::Step(const JointAction& action, StepOutcome& outcome) {
  outcome.terminated = !choosing();
  outcome.truncated = false;
  if (choosing()) {
    matrix_ = action.groups[0].discrete[0];
  } else {
    payoff_ = matrices_[matrix_].At(action.groups[0].discrete);
    played_.assign(action.groups[0].discrete.begin(), action.groups[0].discrete.end());
  }
  std::fill(outcome.rewards[0].begin(), outcome.rewards[0].end(), static_cast<float>(payoff_));
  return absl::OkStatus();
}

void MatrixGame::Observe(JointObservation& observation) const {
  const AgentGroupSpec& group = spec_.groups[0];
  GroupObservation& seen = observation.groups[0];
  std::fill(seen.observations.begin(), seen.observations.end(), 0.0f);
  std::fill(seen.alive.begin(), seen.alive.end(), 1);
  const int num_states = group.observation_size - group.num_agents();
  const int state = matrices_.size() > 1 ? matrix_ + 1 : 0;
  for (int player = 0; player < group.num_agents(); ++player) {
    float* const numbers = seen.observations.data() + player * group.observation_size;
    numbers[state] = 1;
    numbers[num_states + player] = 1;
    for (int action = 0; action < group.action_size; ++action) {
      seen.action_mask[player * group.action_size + action] = action < NumActions(player);
    }
  }
}

void MatrixGame::EpisodeStatistics(absl::Span<double> statistics) const {
  statistics[0] = matrix_;
  statistics[1] = payoff_;
  statistics[2] = payoff_ == optimum() ? 1 : 0;
}

std::string MatrixGame::Render() const {
  if (choosing()) return absl::StrCat("player 0 chooses one of ", matrices_.size(), " matrices\n");
  return absl::StrCat("matrix ", matrix_, ", paid ", payoff_, " of ", optimum(), "\n");
}

EnvironmentEntry MatrixGameEntry() {
  return {.name = "matrix_game",
          .summary = "a team is paid for its joint action: one-step and two-step games with exact optima",
          .create = Create,
          .baselines = Baselines,
          .describe_settings = Describe};
}

}  // namespace troupe
