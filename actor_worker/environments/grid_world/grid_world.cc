#include "actor_worker/environments/grid_world/grid_world.h"

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/config/settings_reader.h"

namespace troupe {
namespace {

constexpr float kStepReward = -0.05f;
constexpr float kDistanceReward = -0.1f;
constexpr float kBlockedReward = -0.5f;
constexpr float kGoalReward = 10.0f;

// The cell a move leads to, or -1 off the grid.
int Target(int size, int cell, int move) {
  const int row = cell / size + (move == kDown) - (move == kUp);
  const int column = cell % size + (move == kRight) - (move == kLeft);
  return row < 0 || row >= size || column < 0 || column >= size ? -1 : row * size + column;
}

GridWorldSettings ReadSettings(SettingsReader& reader) {
  const GridWorldSettings fallback;
  GridWorldSettings settings;
  settings.size = static_cast<int>(reader.Integer("size", fallback.size, 2, 12, "cells along each side"));
  settings.max_steps = static_cast<int>(
      reader.Integer("max_steps", fallback.max_steps, 1, 10000, "steps after which an episode is cut"));
  settings.matching_parity = reader.Boolean("matching_parity", fallback.matching_parity,
                                            "only starts from which both can arrive together without being blocked");
  settings.swap_corners =
      reader.Choice("starts", "RANDOM", {"RANDOM", "SWAP_CORNERS"},
                    "RANDOM: starts and goals are drawn; SWAP_CORNERS: from opposite corners, each to the other's") ==
      "SWAP_CORNERS";
  return settings;
}

absl::StatusOr<std::unique_ptr<Environment>> CreateGridWorld(const SettingsMap& settings_map) {
  SettingsReader reader(settings_map);
  const GridWorldSettings settings = ReadSettings(reader);
  RETURN_IF_ERROR(reader.Finish());
  return std::make_unique<GridWorld>(settings);
}

std::string DescribeSettings() {
  SettingsReader reader({});
  ReadSettings(reader);
  return reader.Describe();
}

// In the order of Observe.
std::vector<ObservedNumber> Observed(const GridWorldSettings& settings) {
  std::vector<ObservedNumber> numbers;
  for (const char* whose : {"own", "goal", "other"}) {
    const double last_cell = settings.size - 1;
    numbers.push_back({absl::StrCat(whose, "_row"), "cells", last_cell, "from the top"});
    numbers.push_back({absl::StrCat(whose, "_column"), "cells", last_cell, "from the left"});
  }
  return numbers;
}

// In the order of GridMove.
std::vector<NamedAction> Moves() {
  return {{"up", "one row up"}, {"down", "one row down"}, {"left", "one column left"}, {"right", "one column right"}};
}

EnvironmentSpec MakeSpec(const GridWorldSettings& settings) {
  EnvironmentSpec spec;
  spec.name = "grid_world";
  spec.groups = {{.name = "walkers",
                  .agents = {"walker_0", "walker_1"},
                  .action_kind = ActionKind::kDiscrete,
                  .action_size = kNumGridMoves,
                  .observed = Observed(settings),
                  .actions = Moves()}};
  spec.groups[0].observation_size = static_cast<int>(spec.groups[0].observed.size());
  spec.state_includes_observations = true;
  spec.statistics = {"success", "wall_hits", "collisions"};
  return spec;
}

}  // namespace

GridMoveResult ResolveMoves(int size, GridCells cells, std::array<int, 2> moves) {
  GridMoveResult result{cells, {false, false}, {false, false}};
  GridCells targets;
  for (int agent = 0; agent < 2; ++agent) {
    const int target = Target(size, cells[agent], moves[agent]);
    result.hit_wall[agent] = target < 0;
    targets[agent] = target < 0 ? cells[agent] : target;
  }
  const bool same_cell = targets[0] == targets[1];
  const bool swapped = targets[0] == cells[1] && targets[1] == cells[0];
  if (same_cell || swapped) {
    result.hit_other = {!result.hit_wall[0], !result.hit_wall[1]};
  } else {
    result.cells = targets;
  }
  return result;
}

int GridDistance(int size, int cell_a, int cell_b) {
  return std::abs(cell_a / size - cell_b / size) + std::abs(cell_a % size - cell_b % size);
}

std::array<float, 2> GridRewards(int size, GridCells goals, const GridMoveResult& result) {
  std::array<float, 2> rewards;
  for (int agent = 0; agent < 2; ++agent) {
    const bool blocked = result.hit_wall[agent] || result.hit_other[agent];
    rewards[agent] = kStepReward + kDistanceReward * GridDistance(size, result.cells[agent], goals[agent]) +
                     (blocked ? kBlockedReward : 0.0f) + (result.cells == goals ? kGoalReward : 0.0f);
  }
  return rewards;
}

GridWorld::GridWorld(const GridWorldSettings& settings) : settings_(settings), spec_(MakeSpec(settings)) {}

absl::Status GridWorld::Reset(uint64_t seed) {
  step_ = wall_hits_ = collisions_ = 0;
  const int size = settings_.size;
  if (settings_.swap_corners) {
    cells_ = {0, size * size - 1};
    goals_ = {cells_[1], cells_[0]};
    return absl::OkStatus();
  }
  RandomStream random(MixKey({seed}));
  const auto draw_two = [&random, size] {
    const int first = static_cast<int>(random.Below(size * size));
    const int second = static_cast<int>(random.Below(size * size - 1));
    return GridCells{first, second + (second >= first)};
  };
  bool unfit = true;
  while (unfit) {
    cells_ = draw_two();
    goals_ = draw_two();
    const int parity = (GridDistance(size, cells_[0], goals_[0]) + GridDistance(size, cells_[1], goals_[1])) % 2;
    unfit = cells_ == goals_ || (settings_.matching_parity && parity != 0);
  }
  return absl::OkStatus();
}

absl::Status GridWorld::Step(const JointAction& action, StepOutcome& outcome) {
  const absl::Span<const int32_t> moves = action.groups[0].discrete;
  const GridMoveResult result = ResolveMoves(settings_.size, cells_, {moves[0], moves[1]});
  const std::array<float, 2> rewards = GridRewards(settings_.size, goals_, result);
  cells_ = result.cells;
  ++step_;
  wall_hits_ += result.hit_wall[0] + result.hit_wall[1];
  collisions_ += result.hit_other[0] || result.hit_other[1];
  outcome.rewards[0][0] = rewards[0];
  outcome.rewards[0][1] = rewards[1];
  outcome.terminated = cells_ == goals_;
  outcome.truncated = !outcome.terminated && step_ >= settings_.max_steps;
  return absl::OkStatus();
}

void GridWorld::Observe(JointObservation& observation) const {
  GroupObservation& group = observation.groups[0];
  const float scale = 1.0f / static_cast<float>(settings_.size - 1);
  for (int agent = 0; agent < 2; ++agent) {
    float* out = group.observations.data() + agent * spec_.groups[0].observation_size;
    for (const int cell : {cells_[agent], goals_[agent], cells_[1 - agent]}) {
      *out++ = static_cast<float>(cell / settings_.size) * scale;
      *out++ = static_cast<float>(cell % settings_.size) * scale;
    }
    group.alive[agent] = 1;
  }
  for (uint8_t& allowed : group.action_mask) allowed = 1;
}

void GridWorld::EpisodeStatistics(absl::Span<double> statistics) const {
  statistics[0] = cells_ == goals_ ? 1 : 0;
  statistics[1] = wall_hits_;
  statistics[2] = collisions_;
}

std::string GridWorld::Render() const {
  std::string text = absl::StrFormat("step %d of %d; walkers 0 and 1, goals a and b\n", step_, settings_.max_steps);
  for (int cell = 0; cell < settings_.size * settings_.size; ++cell) {
    const char walker = cell == cells_[0] ? '0' : cell == cells_[1] ? '1' : '.';
    const char goal = cell == goals_[0] ? 'a' : cell == goals_[1] ? 'b' : ' ';
    const bool last = cell % settings_.size == settings_.size - 1;
    absl::StrAppend(&text, std::string{walker, goal}, last ? "\n" : " ");
  }
  return text;
}

EnvironmentEntry GridWorldEntry() {
  return {.name = "grid_world",
          .summary = "two agents on a 5 × 5 grid who must stand on their goals at the same time",
          .create = CreateGridWorld,
          .baselines = GridWorldBaselines,
          .describe_settings = DescribeSettings};
}

}  // namespace troupe
