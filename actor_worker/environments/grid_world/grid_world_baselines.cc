#include <algorithm>
#include <limits>
#include <memory>
#include <optional>

#include "actor_worker/environments/grid_world/grid_world.h"

namespace troupe {
namespace {

// Plays a joint move that reaches the best possible sum of rewards.
class OptimalController final : public Controller {
 public:
  void Begin(const Environment& environment) override {
    const auto& grid = static_cast<const GridWorld&>(environment);
    solution_.emplace(grid.settings(), grid.goals());
  }
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& grid = static_cast<const GridWorld&>(environment);
    const std::array<int, 2> moves = solution_->BestMoves(grid.cells(), grid.steps_left());
    std::copy(moves.begin(), moves.end(), actions[0].begin());
  }

 private:
  std::optional<GridWorldSolution> solution_;
};

// Each agent for itself: the first move that brings it closest to its goal, blind to the other.
class GreedyController final : public Controller {
 public:
  void Begin(const Environment&) override {}
  void Act(const Environment& environment, const JointObservation&, std::vector<absl::Span<int32_t>>& actions,
           std::vector<absl::Span<float>>&) override {
    const auto& grid = static_cast<const GridWorld&>(environment);
    const int size = grid.settings().size;
    for (int agent = 0; agent < 2; ++agent) {
      int nearest = std::numeric_limits<int>::max();
      for (int move = 0; move < kNumGridMoves; ++move) {
        // The other far away, so that only walls block.
        const int cell = grid.cells()[agent];
        const GridMoveResult result = ResolveMoves(size, {cell, -2 * size * size}, {move, kUp});
        const int distance = GridDistance(size, result.cells[0], grid.goals()[agent]);
        if (result.hit_wall[0] || distance >= nearest) continue;
        nearest = distance;
        actions[0][agent] = move;
      }
    }
  }
};

}  // namespace

GridWorldSolution::GridWorldSolution(const GridWorldSettings& settings, GridCells goals)
    : num_cells_(settings.size * settings.size), steps_(size_t{kNumJointMoves} * num_cells_ * num_cells_) {
  const int num_states = num_cells_ * num_cells_;
  for (int state = 0; state < num_states; ++state) {
    const GridCells cells = {state / num_cells_, state % num_cells_};
    if (cells[0] == cells[1]) continue;
    for (int joint = 0; joint < kNumJointMoves; ++joint) {
      const GridMoveResult result = ResolveMoves(settings.size, cells, MovesOf(joint));
      const std::array<float, 2> rewards = GridRewards(settings.size, goals, result);
      steps_[state * kNumJointMoves + joint] = {static_cast<double>(rewards[0]) + rewards[1],
                                                result.cells == goals ? kOver : StateOf(result.cells)};
    }
  }
  values_.emplace_back(num_states, 0.0);
  for (int steps = 1; steps <= settings.max_steps; ++steps) {
    std::vector<double> values(num_states);
    for (int state = 0; state < num_states; ++state) {
      values[state] = ValueOfMoves(state, BestJointMove(state, values_.back()), values_.back());
    }
    const bool settled = values == values_.back();
    values_.push_back(std::move(values));
    if (settled) break;
  }
}

double GridWorldSolution::ValueOfMoves(int state, int joint, const std::vector<double>& later) const {
  const JointStep& step = steps_[state * kNumJointMoves + joint];
  return step.next_state == kOver ? step.reward : step.reward + later[step.next_state];
}

int GridWorldSolution::BestJointMove(int state, const std::vector<double>& later) const {
  int best = 0;
  double best_value = ValueOfMoves(state, 0, later);
  for (int joint = 1; joint < kNumJointMoves; ++joint) {
    const double value = ValueOfMoves(state, joint, later);
    if (value > best_value) {
      best_value = value;
      best = joint;
    }
  }
  return best;
}

double GridWorldSolution::Value(GridCells cells, int steps_left) const {
  return values_[std::min<size_t>(steps_left, values_.size() - 1)][StateOf(cells)];
}

std::array<int, 2> GridWorldSolution::BestMoves(GridCells cells, int steps_left) const {
  return MovesOf(BestJointMove(StateOf(cells), values_[std::min<size_t>(steps_left, values_.size()) - 1]));
}

std::vector<Baseline> GridWorldBaselines(const SettingsMap&) {
  return {{.name = "optimal", .make = [] { return std::make_unique<OptimalController>(); }},
          {.name = "greedy", .make = [] { return std::make_unique<GreedyController>(); }}};
}

}  // namespace troupe
