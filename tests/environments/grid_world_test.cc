#include "actor_worker/environments/grid_world/grid_world.h"

#include <cmath>
#include <map>
#include <queue>
#include <set>

#include "actor_worker/environments/registry/registry.h"
#include "common/base/random.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

// A GridWorld with the memory its views need.
class World {
 public:
  explicit World(const GridWorldSettings& settings = {}) : grid(settings) {}

  StepOutcome Step(int first, int second) {
    actions = {first, second};
    JointAction action;
    action.groups.push_back({.discrete = actions});
    StepOutcome outcome;
    outcome.rewards.push_back(absl::MakeSpan(rewards));
    EXPECT_TRUE(grid.Step(action, outcome).ok());
    return outcome;
  }
  std::vector<float> Observe() {
    std::vector<float> observations(12, -1);
    std::vector<uint8_t> masks(8, 0), alive(2, 0);
    JointObservation joint;
    joint.groups.push_back({absl::MakeSpan(observations), absl::MakeSpan(masks), absl::MakeSpan(alive)});
    grid.Observe(joint);
    return observations;
  }
  // Sum of both agents' rewards over an episode played by `controller`.
  double Play(Controller& controller, uint64_t seed) {
    EXPECT_TRUE(grid.Reset(seed).ok());
    controller.Begin(grid);
    std::vector<int32_t> chosen(2);
    std::vector<absl::Span<int32_t>> discrete = {absl::MakeSpan(chosen)};
    std::vector<absl::Span<float>> continuous(1);
    double sum = 0;
    StepOutcome outcome;
    while (!outcome.terminated && !outcome.truncated) {
      controller.Act(grid, JointObservation{}, discrete, continuous);
      outcome = Step(chosen[0], chosen[1]);
      sum += rewards[0] + rewards[1];
    }
    return sum;
  }

  GridWorld grid;
  std::vector<int32_t> actions;
  std::vector<float> rewards = std::vector<float>(2);
};

std::unique_ptr<Controller> MakeBaseline(const std::string& name) {
  for (const Baseline& baseline : GridWorldBaselines({})) {
    if (baseline.name == name) return baseline.make();
  }
  return nullptr;
}

constexpr int Cell(int row, int column) { return row * 5 + column; }

TEST(ResolveMovesTest, MovesBothAgentsWhenNothingIsInTheWay) {
  const GridMoveResult result = ResolveMoves(5, {Cell(1, 1), Cell(3, 3)}, {kUp, kRight});
  EXPECT_EQ(result.cells, (GridCells{Cell(0, 1), Cell(3, 4)}));
  EXPECT_FALSE(result.hit_wall[0] || result.hit_wall[1] || result.hit_other[0] || result.hit_other[1]);
}

TEST(ResolveMovesTest, StopsAtEveryWall) {
  for (const auto& [cell, move] :
       {std::pair{Cell(0, 2), kUp}, {Cell(4, 2), kDown}, {Cell(2, 0), kLeft}, {Cell(2, 4), kRight}}) {
    const GridMoveResult result = ResolveMoves(5, {cell, Cell(2, 2)}, {move, kUp});
    EXPECT_EQ(result.cells, (GridCells{cell, Cell(1, 2)}));
    EXPECT_TRUE(result.hit_wall[0]);
    EXPECT_FALSE(result.hit_other[0]);
  }
}

TEST(ResolveMovesTest, BlocksBothWhenTheyMoveIntoOneCell) {
  const GridMoveResult result = ResolveMoves(5, {Cell(2, 1), Cell(2, 3)}, {kRight, kLeft});
  EXPECT_EQ(result.cells, (GridCells{Cell(2, 1), Cell(2, 3)}));
  EXPECT_TRUE(result.hit_other[0] && result.hit_other[1]);
}

TEST(ResolveMovesTest, BlocksBothWhenTheyMoveThroughEachOther) {
  const GridMoveResult result = ResolveMoves(5, {Cell(2, 1), Cell(2, 2)}, {kRight, kLeft});
  EXPECT_EQ(result.cells, (GridCells{Cell(2, 1), Cell(2, 2)}));
  EXPECT_TRUE(result.hit_other[0] && result.hit_other[1]);
}

TEST(ResolveMovesTest, BlocksAnAgentThatMovesIntoOneHeldByAWall) {
  const GridMoveResult result = ResolveMoves(5, {Cell(0, 0), Cell(0, 1)}, {kLeft, kLeft});
  EXPECT_EQ(result.cells, (GridCells{Cell(0, 0), Cell(0, 1)}));
  EXPECT_TRUE(result.hit_wall[0] && result.hit_other[1]);
  EXPECT_FALSE(result.hit_wall[1] || result.hit_other[0]);
}

TEST(ResolveMovesTest, LetsAnAgentFollowTheOther) {
  const GridMoveResult result = ResolveMoves(5, {Cell(2, 1), Cell(2, 2)}, {kRight, kRight});
  EXPECT_EQ(result.cells, (GridCells{Cell(2, 2), Cell(2, 3)}));
}

TEST(GridRewardsTest, CountsStepDistanceBlockAndGoal) {
  const GridCells goals = {Cell(0, 0), Cell(4, 4)};
  const GridMoveResult apart{{Cell(0, 3), Cell(2, 4)}, {true, false}, {false, false}};
  EXPECT_FLOAT_EQ(GridRewards(5, goals, apart)[0], -0.05f - 0.3f - 0.5f);
  EXPECT_FLOAT_EQ(GridRewards(5, goals, apart)[1], -0.05f - 0.2f);
  const GridMoveResult arrived{goals, {false, false}, {false, false}};
  EXPECT_FLOAT_EQ(GridRewards(5, goals, arrived)[0], 10 - 0.05f);
  const GridMoveResult one{{Cell(0, 0), Cell(4, 3)}, {false, false}, {false, true}};
  EXPECT_FLOAT_EQ(GridRewards(5, goals, one)[0], -0.05f);
  EXPECT_FLOAT_EQ(GridRewards(5, goals, one)[1], -0.05f - 0.1f - 0.5f);
}

TEST(GridWorldTest, ObservesOwnCellGoalAndOther) {
  World world;
  ASSERT_TRUE(world.grid.Reset(3).ok());
  const std::vector<float> seen = world.Observe();
  const auto row = [](int cell) { return cell / 5 / 4.0f; };
  const auto column = [](int cell) { return cell % 5 / 4.0f; };
  const GridCells cells = world.grid.cells(), goals = world.grid.goals();
  EXPECT_EQ(seen, (std::vector<float>{row(cells[0]), column(cells[0]), row(goals[0]), column(goals[0]), row(cells[1]),
                                      column(cells[1]), row(cells[1]), column(cells[1]), row(goals[1]),
                                      column(goals[1]), row(cells[0]), column(cells[0])}));
}

TEST(GridWorldTest, IsCutAtItsLastStep) {
  World world({.size = 5, .max_steps = 3});
  ASSERT_TRUE(world.grid.Reset(1).ok());
  // Two agents who run against the same wall never arrive.
  const int away = world.grid.goals()[0] / 5 >= 3 ? kUp : kDown;
  EXPECT_FALSE(world.Step(away, away).truncated);
  EXPECT_FALSE(world.Step(away, away).truncated);
  const StepOutcome last = world.Step(away, away);
  EXPECT_TRUE(last.truncated);
  EXPECT_FALSE(last.terminated);
}

TEST(GridWorldTest, DrawsDifferentCellsOfMatchingParity) {
  World world;
  std::set<GridCells> starts;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    ASSERT_TRUE(world.grid.Reset(seed).ok());
    const GridCells cells = world.grid.cells(), goals = world.grid.goals();
    starts.insert(cells);
    ASSERT_NE(cells[0], cells[1]);
    ASSERT_NE(goals[0], goals[1]);
    ASSERT_NE(cells, goals);
    ASSERT_EQ((GridDistance(5, cells[0], goals[0]) + GridDistance(5, cells[1], goals[1])) % 2, 0);
  }
  EXPECT_GT(starts.size(), 550);  // of 600 there are
}

TEST(GridWorldSolutionTest, KnowsTheValueOfOneStep) {
  const GridWorldSolution solution({}, {Cell(0, 0), Cell(4, 4)});
  EXPECT_NEAR(solution.Value({Cell(0, 1), Cell(4, 3)}, 1), 2 * (10 - 0.05), 1e-5);
  EXPECT_EQ(solution.BestMoves({Cell(0, 1), Cell(4, 3)}, 1), (std::array<int, 2>{kLeft, kRight}));
}

TEST(GridWorldSolutionTest, PrefersAWallToALongerWayWhenParitiesDiffer) {
  const GridWorldSolution solution({}, {Cell(0, 0), Cell(4, 4)});
  // Agent 0 stands one step off, agent 1 two: agent 0 goes in and keeps its cell by pushing against the wall.
  EXPECT_NEAR(solution.Value({Cell(0, 1), Cell(4, 2)}, 50), (-0.05) + (-0.05 - 0.1) + (10 - 0.05 - 0.5) + (10 - 0.05),
              1e-5);
}

// The same optimum by another method: exhaustive search of all joint move sequences, by depth.
double Exhaustive(const GridWorldSettings& settings, GridCells goals, GridCells cells, int depth) {
  if (depth == 0) return 0;
  double best = -1e9;
  for (int joint = 0; joint < 16; ++joint) {
    const GridMoveResult result = ResolveMoves(settings.size, cells, {joint / 4, joint % 4});
    const auto rewards = GridRewards(settings.size, goals, result);
    double value = static_cast<double>(rewards[0]) + rewards[1];
    if (result.cells != goals) value += Exhaustive(settings, goals, result.cells, depth - 1);
    best = std::max(best, value);
  }
  return best;
}

TEST(GridWorldSolutionTest, AgreesWithExhaustiveSearchOverShortEpisodes) {
  const GridWorldSettings settings{.size = 3, .max_steps = 4, .matching_parity = false};
  RandomStream random(11);
  for (int trial = 0; trial < 12; ++trial) {
    GridWorld grid(settings);
    ASSERT_TRUE(grid.Reset(random.NextWord()).ok());
    const GridWorldSolution solution(settings, grid.goals());
    EXPECT_NEAR(solution.Value(grid.cells(), 4), Exhaustive(settings, grid.goals(), grid.cells(), 4), 1e-9);
  }
}

TEST(GridWorldBaselinesTest, OptimalPlayReturnsExactlyTheSolutionsValue) {
  World world({.matching_parity = false});
  const auto controller = MakeBaseline("optimal");
  for (uint64_t seed = 0; seed < 40; ++seed) {
    ASSERT_TRUE(world.grid.Reset(seed).ok());
    const double value = GridWorldSolution(world.grid.settings(), world.grid.goals()).Value(world.grid.cells(), 50);
    EXPECT_NEAR(world.Play(*controller, seed), value, 1e-4);
  }
}

TEST(GridWorldBaselinesTest, OptimalBeatsGreedyAndAlwaysArrives) {
  World world;
  const auto optimal = MakeBaseline("optimal"), greedy = MakeBaseline("greedy");
  double optimal_sum = 0, greedy_sum = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const double best = world.Play(*optimal, seed);
    EXPECT_EQ(world.grid.cells(), world.grid.goals());
    const double other = world.Play(*greedy, seed);
    EXPECT_LE(other, best + 1e-4);
    optimal_sum += best;
    greedy_sum += other;
  }
  RecordProperty("optimal_mean_return_sum", std::to_string(optimal_sum / 100));
  RecordProperty("greedy_mean_return_sum", std::to_string(greedy_sum / 100));
  EXPECT_GT(optimal_sum, greedy_sum);
}

// Who swaps corners, by a search of the joint cells in breadth from the start: the fewest steps in which both arrive
// without being blocked. The shortest way of each is 8 steps, and no one can be nearer to its goal at any time than on
// it.
int StepsToSwap(int size) {
  const GridCells start = {0, size * size - 1}, goals = {size * size - 1, 0};
  std::map<GridCells, int> steps = {{start, 0}};
  std::queue<GridCells> open({start});
  while (!open.empty()) {
    const GridCells cells = open.front();
    open.pop();
    if (cells == goals) return steps[cells];
    for (int joint = 0; joint < 16; ++joint) {
      const GridMoveResult result = ResolveMoves(size, cells, {joint / 4, joint % 4});
      const bool blocked = result.hit_wall[0] || result.hit_wall[1] || result.hit_other[0] || result.hit_other[1];
      if (!blocked && steps.emplace(result.cells, steps[cells] + 1).second) open.push(result.cells);
    }
  }
  return -1;
}

TEST(GridWorldTest, SwapsCornersInEveryEpisode) {
  World world({.swap_corners = true});
  for (const uint64_t seed : {1, 2}) {
    ASSERT_TRUE(world.grid.Reset(seed).ok());
    EXPECT_EQ(world.grid.cells(), (GridCells{Cell(0, 0), Cell(4, 4)}));
    EXPECT_EQ(world.grid.goals(), (GridCells{Cell(4, 4), Cell(0, 0)}));
  }
  EXPECT_EQ(StepsToSwap(5), 8);
  // 2 × (10 − 8 × 0.05 − 0.1 × (7 + 6 + … + 1)).
  const GridWorldSolution solution(world.grid.settings(), world.grid.goals());
  EXPECT_NEAR(solution.Value(world.grid.cells(), 50), 13.6, 1e-5);
  EXPECT_NEAR(world.Play(*MakeBaseline("optimal"), 3), 13.6, 1e-4);
  EXPECT_EQ(world.grid.steps_left(), 42);
}

// Golden playthrough: any change to the rules, the seeding or the solver shows here.
TEST(GridWorldTest, PlaysTheGoldenEpisode) {
  World world;
  const auto controller = MakeBaseline("optimal");
  const double sum = world.Play(*controller, 7);
  std::vector<double> statistics(3);
  world.grid.EpisodeStatistics(absl::MakeSpan(statistics));
  EXPECT_EQ(statistics, (std::vector<double>{1, 0, 0}));
  // Both four cells away, four steps: 2 × (10 − 4 × 0.05 − 0.1 × (3 + 2 + 1)).
  EXPECT_NEAR(sum, 18.4, 1e-4);
  EXPECT_EQ(world.grid.steps_left(), 46);
  EXPECT_NE(world.grid.Render().find("0a"), std::string::npos);
}

TEST(GridWorldTest, RefusesSettingsOutOfRangeByName) {
  const auto entry = FindEnvironment("grid_world");
  ASSERT_TRUE(entry.ok());
  const auto refused = (*entry)->create({{"size", "1"}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("environment.settings.size"), std::string::npos);
}

}  // namespace
}  // namespace troupe
