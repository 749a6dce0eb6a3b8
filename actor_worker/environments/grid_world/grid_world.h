// Two agents on a square grid who must stand on their goals at the same time.
//
// Every step each agent moves up, down, left or right; there is no waiting. A move off the grid, into a cell the other
// keeps, into the same cell as the other's move or through the other is blocked: the agent stays where it is. Reward of
// each agent, per step:
//   −0.05 − 0.1 × Manhattan distance to its goal after the move − 0.5 if its move was blocked + 10 when both stand on
//   their goals,
// which ends the episode (terminated). After max_steps it is cut (truncated).
//
// Starts and goals are drawn anew in every episode, the two starts different, the two goals different. As every
// unblocked move changes the colour of an agent's cell (think of a chessboard), agents at an odd and an even distance
// could only meet by blocking each other; matching_parity keeps such episodes out. With starts: SWAP_CORNERS every
// episode is the same: agent 0 begins in the upper left corner, agent 1 in the lower right one, and each must get to
// where the other began.
//
// Observation of an agent: where it is, where its goal and where the other, each number in [0, 1] (MakeSpec in
// grid_world.cc names them). Global state: both observations.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_GRID_WORLD_GRID_WORLD_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_GRID_WORLD_GRID_WORLD_H_

#include <array>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"

namespace troupe {

struct GridWorldSettings {
  int size = 5;
  int max_steps = 50;
  bool matching_parity = true;
  bool swap_corners = false;
};

enum GridMove { kUp, kDown, kLeft, kRight, kNumGridMoves };

// Cells are numbered row by row.
using GridCells = std::array<int, 2>;

// What became of a joint move.
struct GridMoveResult {
  GridCells cells;
  std::array<bool, 2> hit_wall;
  std::array<bool, 2> hit_other;
};
GridMoveResult ResolveMoves(int size, GridCells cells, std::array<int, 2> moves);

// Manhattan.
int GridDistance(int size, int cell_a, int cell_b);

// Both agents' rewards of a resolved move.
std::array<float, 2> GridRewards(int size, GridCells goals, const GridMoveResult& result);

class GridWorld final : public Environment {
 public:
  explicit GridWorld(const GridWorldSettings& settings);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  const GridWorldSettings& settings() const { return settings_; }
  GridCells cells() const { return cells_; }
  GridCells goals() const { return goals_; }
  int steps_left() const { return settings_.max_steps - step_; }

 private:
  const GridWorldSettings settings_;
  EnvironmentSpec spec_;
  GridCells cells_{};
  GridCells goals_{};
  int step_ = 0;
  int wall_hits_ = 0;
  int collisions_ = 0;
};

// The exact optimum of the sum of both agents' undiscounted rewards: a search over all joint states, one step of
// remaining time after the other, until more time changes nothing.
class GridWorldSolution {
 public:
  GridWorldSolution(const GridWorldSettings& settings, GridCells goals);

  // Best sum of both agents' rewards from `cells` with `steps_left` ≥ 0.
  double Value(GridCells cells, int steps_left) const;
  // A joint move that reaches it; steps_left ≥ 1.
  std::array<int, 2> BestMoves(GridCells cells, int steps_left) const;

 private:
  static constexpr int kNumJointMoves = kNumGridMoves * kNumGridMoves;
  static constexpr int kOver = -1;
  struct JointStep {
    double reward = 0;  // both agents'
    int next_state = 0;
  };

  static std::array<int, 2> MovesOf(int joint) { return {joint / kNumGridMoves, joint % kNumGridMoves}; }
  int StateOf(GridCells cells) const { return cells[0] * num_cells_ + cells[1]; }
  double ValueOfMoves(int state, int joint, const std::vector<double>& later) const;
  int BestJointMove(int state, const std::vector<double>& later) const;

  const int num_cells_;
  std::vector<JointStep> steps_;             // [joint state][joint move]
  std::vector<std::vector<double>> values_;  // [steps left][joint state]; the last row holds for all longer times
};

std::vector<Baseline> GridWorldBaselines(const SettingsMap& settings);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_GRID_WORLD_GRID_WORLD_H_
