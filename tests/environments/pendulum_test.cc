// The pendulum is Gymnasium's, and its controller swings it up.
#include "actor_worker/environments/pendulum/pendulum.h"

#include <cmath>
#include <fstream>
#include <numbers>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

// tests/golden/pendulum/record.py wrote them.
TEST(PendulumTest, StepsAreThoseOfGymnasium) {
  std::ifstream file(absl::StrCat(TROUPE_SOURCE_DIR, "/tests/golden/pendulum/gymnasium.txt"));
  int steps = 0, at_full_speed = 0, weaker_than_asked = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream numbers(line);
    double torque, angle, speed, reward, next_angle, next_speed;
    if (!(numbers >> torque >> angle >> speed >> reward >> next_angle >> next_speed)) continue;
    PendulumState state{angle, speed};
    EXPECT_NEAR(StepPendulum(torque, &state), reward, 1e-12) << line;
    EXPECT_NEAR(state.angle, next_angle, 1e-12) << line;
    EXPECT_NEAR(state.speed, next_speed, 1e-12) << line;
    ++steps;
    at_full_speed += std::abs(next_speed) == kMaxSpeed;
    weaker_than_asked += std::abs(torque) > kMaxTorque;
  }
  EXPECT_EQ(steps, 100);
  EXPECT_GT(at_full_speed, 0);
  EXPECT_GT(weaker_than_asked, 5);
}

TEST(PendulumTest, AnglesAreTurnedBackToWithinHalfATurn) {
  constexpr double kPi = std::numbers::pi;
  for (const auto& [angle, expected] : std::vector<std::pair<double, double>>{{0.5, 0.5},
                                                                              {kPi, -kPi},
                                                                              {-kPi, -kPi},
                                                                              {3.5, 3.5 - 2 * kPi},
                                                                              {-3.5, 2 * kPi - 3.5},
                                                                              {7 * kPi - 0.1, kPi - 0.1},
                                                                              {-40.0, -40 + 12 * kPi}}) {
    EXPECT_NEAR(NormalizedAngle(angle), expected, 1e-12) << angle;
  }
}

TEST(PendulumTest, AgentsSeeTheirOwnPendulumAndAreTruncatedAfterMaxSteps) {
  PendulumEnvironment environment(2, 3);
  ASSERT_TRUE(environment.Reset(5).ok());
  std::vector<float> seen(6), rewards(2);
  std::vector<uint8_t> alive(2);
  JointObservation joint;
  joint.groups.push_back({.observations = absl::MakeSpan(seen), .alive = absl::MakeSpan(alive)});
  StepOutcome outcome;
  outcome.rewards.push_back(absl::MakeSpan(rewards));
  ASSERT_EQ(environment.spec().groups[0].action_bounds, (std::vector<ActionBounds>{{-2, 2}}));
  const float torques[] = {1.0f, -2.0f};
  JointAction action;
  action.groups.push_back({.continuous = torques});
  for (int step = 1; step <= 3; ++step) {
    std::vector<PendulumState> expected = environment.states();
    EXPECT_NE(expected[0].angle, expected[1].angle);
    ASSERT_TRUE(environment.Step(action, outcome).ok());
    environment.Observe(joint);
    for (int i = 0; i < 2; ++i) {
      EXPECT_FLOAT_EQ(rewards[i], StepPendulum(i == 0 ? 1 : -2, &expected[i]));
      EXPECT_FLOAT_EQ(seen[3 * i], std::cos(expected[i].angle));
      EXPECT_FLOAT_EQ(seen[3 * i + 1], std::sin(expected[i].angle));
      EXPECT_FLOAT_EQ(seen[3 * i + 2], expected[i].speed / 8);
      EXPECT_EQ(alive[i], 1);
    }
    EXPECT_FALSE(outcome.terminated);
    EXPECT_EQ(outcome.truncated, step == 3);
  }
}

// The same controller in NumPy came to −149.7 ± 0.6 (95 % confidence) over 100,000 episodes, whose deviation is 91:
// three standard errors of 400 are 14.
TEST(PendulumTest, TheControllerSwingsUpAndBalances) {
  const EnvironmentEntry& entry = **FindEnvironment("pendulum");
  const Baseline baseline = entry.baselines({})[0];
  const auto episodes = RunEpisodes({.environment = &entry, .first_seed = 1, .episodes = 400, .threads = 1},
                                    {.name = baseline.name, .make_controller = baseline.make});
  ASSERT_TRUE(episodes.ok()) << episodes.status();
  double sum = 0, upright = 0;
  for (const EpisodeResult& episode : *episodes) {
    sum += episode.group_returns[0];
    upright += episode.statistics[0];
    EXPECT_EQ(episode.length, 200);
  }
  EXPECT_NEAR(sum / 400, -149.7, 14);
  EXPECT_GT(upright / 400, 0.7);
}

}  // namespace
}  // namespace troupe
