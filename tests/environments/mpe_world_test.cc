#include <limits>
#include <numeric>

#include "actor_worker/environments/mpe/minimum_assignment.h"
#include "tests/environments/mpe_test_support.h"

namespace troupe {
namespace {

MpeWorld OneAgent(const Disc& agent) {
  MpeWorld world;
  world.agents = {agent};
  return world;
}

TEST(MpePhysicsTest, MovesBeforeOrAfterThePushAsTheDynamicsSay) {
  for (const bool original : {false, true}) {
    MpePhysics physics(original ? MpeDynamics::kOriginal : MpeDynamics::kMpe2, 1);
    MpeWorld world = OneAgent({.position = {0.5, 0}, .velocity = {1, -2}});
    physics.Step({Vector2{1, 0}}, world);
    // Velocity: three quarters of it, and 0.1 s of a push of 5.
    EXPECT_DOUBLE_EQ(world.agents[0].velocity.x, 0.75 + 0.5);
    EXPECT_DOUBLE_EQ(world.agents[0].velocity.y, -1.5);
    EXPECT_DOUBLE_EQ(world.agents[0].position.x, original ? 0.5 + 0.125 : 0.5 + 0.1);
    EXPECT_DOUBLE_EQ(world.agents[0].position.y, original ? -0.15 : -0.2);
  }
}

TEST(MpePhysicsTest, CutsTheSpeedAndKeepsTheDirection) {
  MpePhysics physics(MpeDynamics::kMpe2, 1);
  MpeWorld world = OneAgent({.velocity = {4, 3}, .max_speed = 1});
  physics.Step({Vector2{}}, world);
  EXPECT_NEAR(world.agents[0].velocity.x, 0.8, 1e-12);
  EXPECT_NEAR(world.agents[0].velocity.y, 0.6, 1e-12);
}

TEST(MpePhysicsTest, PushesOverlappingDiscsApartByAHundredTimesTheirOverlap) {
  MpePhysics physics(MpeDynamics::kMpe2, 2);
  MpeWorld world;
  world.agents = {{.position = {0, 0}, .radius = 0.15}, {.position = {0.2, 0}, .radius = 0.15}};
  physics.Step({Vector2{}, Vector2{}}, world);
  // 0.1 s of a force of 100 × 0.1.
  EXPECT_NEAR(world.agents[0].velocity.x, -1, 1e-9);
  EXPECT_NEAR(world.agents[1].velocity.x, 1, 1e-9);
}

TEST(MpePhysicsTest, LeavesDiscsOfOneCentreAlone) {
  MpePhysics physics(MpeDynamics::kMpe2, 2);
  MpeWorld world;
  world.agents.resize(2);
  physics.Step({Vector2{}, Vector2{}}, world);
  EXPECT_EQ(world.agents[0].velocity.x, 0);
}

TEST(MpePhysicsTest, RestsWhereItWasForetold) {
  for (const MpeDynamics dynamics : {MpeDynamics::kMpe2, MpeDynamics::kOriginal}) {
    MpePhysics physics(dynamics, 1);
    MpeWorld world = OneAgent({.position = {0.3, 0.4}, .velocity = {1, -2}});
    const Vector2 rest = RestingPlace(dynamics, world.agents[0], {0, 1});
    physics.Step({Vector2{0, 1}}, world);
    for (int step = 0; step < 200; ++step) physics.Step({Vector2{}}, world);
    EXPECT_NEAR(world.agents[0].position.x, rest.x, 1e-9);
    EXPECT_NEAR(world.agents[0].position.y, rest.y, 1e-9);
  }
}

TEST(MinimumAssignmentTest, IsAsGoodAsTheBestOfAllPermutations) {
  RandomStream random(5);
  for (const int n : {1, 2, 3, 5, 6}) {
    MinimumAssignment assignment(n);
    for (int trial = 0; trial < 30; ++trial) {
      std::vector<double> costs(n * n);
      for (double& cost : costs) cost = random.UniformDouble() * 4 - 1;
      std::vector<int> permutation(n);
      std::iota(permutation.begin(), permutation.end(), 0);
      double best = std::numeric_limits<double>::infinity();
      do {
        double sum = 0;
        for (int row = 0; row < n; ++row) sum += costs[row * n + permutation[row]];
        best = std::min(best, sum);
      } while (std::next_permutation(permutation.begin(), permutation.end()));
      const absl::Span<const int> columns = assignment.Solve(costs);
      double sum = 0;
      for (int row = 0; row < n; ++row) sum += costs[row * n + columns[row]];
      EXPECT_NEAR(sum, best, 1e-12);
      EXPECT_TRUE(std::is_permutation(columns.begin(), columns.end(), permutation.begin()));
    }
  }
}

}  // namespace
}  // namespace troupe
