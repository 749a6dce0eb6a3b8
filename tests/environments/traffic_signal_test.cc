#include <gtest/gtest.h>

#include <map>
#include <string>

#include "actor_worker/environments/traffic/signal_timing.h"
#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

TrafficSettings Timing() {
  TrafficSettings settings;
  settings.yellow_seconds = 3;
  settings.all_red_seconds = 2;
  settings.min_green_seconds = 5;
  settings.max_green_seconds = 20;
  settings.extension_seconds = 6;
  return settings;
}

TrafficJunction JunctionOf(int phases) {
  TrafficJunction junction;
  junction.phases.resize(phases);
  return junction;
}

TEST(SignalTimingTest, AChangeGoesThroughYellowAndAllRed) {
  const TrafficSettings settings = Timing();
  const TrafficJunction junction = JunctionOf(3);
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  EXPECT_FALSE(signal.Pass(5));
  ASSERT_TRUE(signal.MayLeave());
  signal.ChangeTo(2);
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kYellow, 0, 2}));
  EXPECT_EQ(signal.phase_number(), 1);
  EXPECT_EQ(signal.target_phase(), 2);
  EXPECT_EQ(signal.SecondsToChange(), 3);
  EXPECT_FALSE(signal.Pass(2));
  EXPECT_TRUE(signal.Pass(1));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kAllRed, 0, 2}));
  EXPECT_TRUE(signal.Pass(2));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kGreen, 2, 2}));
  EXPECT_EQ(signal.seconds_in_stage(), 0);
  EXPECT_EQ(signal.phase_number(), 4);
}

TEST(SignalTimingTest, WithoutYellowAndAllRedAChangeIsImmediate) {
  TrafficSettings settings = Timing();
  settings.yellow_seconds = settings.all_red_seconds = 0;
  const TrafficJunction junction = JunctionOf(2);
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  signal.Pass(5);
  signal.ChangeTo(1);
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kGreen, 1, 1}));
}

TEST(SignalTimingTest, APhaseIsLeftThroughItsClearingSteps) {
  TrafficSettings settings = Timing();
  settings.all_red_seconds = 0;
  TrafficJunction junction = JunctionOf(2);
  junction.clearing_seconds = {{2, 1}, {}};
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  signal.Pass(5);
  signal.ChangeTo(1);
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kClearing, 0, 1, 0}));
  EXPECT_TRUE(signal.in_transition());
  EXPECT_FALSE(signal.MayLeave());
  EXPECT_EQ(signal.phase_number(), 1);
  EXPECT_EQ(signal.target_phase(), 1);
  EXPECT_FALSE(signal.Pass(1));
  EXPECT_TRUE(signal.Pass(1));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kClearing, 0, 1, 1}));
  EXPECT_TRUE(signal.Pass(1));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kYellow, 0, 1, 0}));
  EXPECT_TRUE(signal.Pass(3));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kGreen, 1, 1, 0}));
  signal.Pass(5);
  signal.ChangeTo(0);
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kYellow, 1, 0, 0})) << "the other phase has none";
  settings.yellow_seconds = 0;
  signal.Reset();
  signal.Pass(5);
  signal.ChangeTo(1);
  signal.Pass(2);
  EXPECT_TRUE(signal.Pass(1));
  EXPECT_EQ(signal.state(), (SignalState{SignalStage::kGreen, 1, 1, 0})) << "without yellow";
}

TEST(SignalTimingTest, GreenLastsFromMinimumToMaximum) {
  const TrafficSettings settings = Timing();
  const TrafficJunction junction = JunctionOf(3);
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  for (int t = 0; t < 20; ++t, signal.Pass(1)) {
    EXPECT_EQ(signal.MayLeave(), t >= 5) << t;
    EXPECT_EQ(signal.MayStay(), t + 1 <= 20) << t;
    EXPECT_EQ(signal.MayExtend(), t + 6 <= 20) << t;
  }
  EXPECT_FALSE(signal.MayStay());
}

TEST(SignalTimingTest, ASinglePhaseStaysForEver) {
  const TrafficSettings settings = Timing();
  const TrafficJunction junction = JunctionOf(1);
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  signal.Pass(500);
  EXPECT_TRUE(signal.MayStay());
  EXPECT_FALSE(signal.MayLeave());
}

TEST(SignalTimingTest, ExtendCommitsForItsSeconds) {
  const TrafficSettings settings = Timing();
  const TrafficJunction junction = JunctionOf(2);
  SignalTiming signal(&settings, &junction);
  signal.Reset();
  signal.Extend();
  EXPECT_FALSE(signal.MayExtend());
  signal.Pass(5);
  EXPECT_TRUE(signal.committed());
  signal.Pass(1);
  EXPECT_FALSE(signal.committed());
}

struct RandomPlay {
  const char* action_set;
  int interval, yellow, all_red, min_green, max_green;
};

class RandomPlayTest : public ::testing::TestWithParam<RandomPlay> {};

// Whatever agents do, every junction's lights obey the rules; seen from what the simulation was told.
TEST_P(RandomPlayTest, LightsObeyClearingYellowAllRedMinimumAndMaximumGreen) {
  const RandomPlay& play = GetParam();
  TrafficSettings settings;
  if (std::string(play.action_set) == "CHOOSE_PHASE") settings.action_set = TrafficActionSet::kChoosePhase;
  settings.decision_interval_seconds = play.interval;
  settings.yellow_seconds = play.yellow;
  settings.all_red_seconds = play.all_red;
  settings.min_green_seconds = play.min_green;
  settings.max_green_seconds = play.max_green;
  settings.episode_seconds = 3000;
  ScriptedEnvironment scripted(settings, {2});
  RandomPlayer player(4);
  RandomStream traffic(5);
  do {
    for (LaneMeasurement& lane : scripted.simulation->lanes) {
      lane.halting = lane.vehicles = static_cast<float>(traffic.Below(3));
      lane.emergency_vehicles = traffic.Below(10) == 0 ? 1.0f : 0.0f;
    }
    player.Act(*scripted.environment, scripted.buffers->observation, scripted.buffers->discrete,
               scripted.buffers->continuous);
    ASSERT_TRUE(scripted.Step(scripted.buffers->discrete[0][0], scripted.buffers->discrete[0][1]).ok());
  } while (!scripted.buffers->outcome.truncated);

  std::map<int, SignalCall> last = {{0, {}}, {1, {0, 1, {}}}};
  int greens = 0;
  for (const SignalCall& call : scripted.simulation->calls) {
    const SignalCall& before = last[call.junction];
    const int held = call.second - before.second;
    switch (before.state.stage) {
      case SignalStage::kGreen:
        ASSERT_GE(held, play.min_green);
        ASSERT_LE(held, play.max_green);
        ASSERT_EQ(call.state.stage, call.junction == 0 ? SignalStage::kClearing : SignalStage::kYellow);
        ASSERT_EQ(call.state.phase, before.state.phase);
        ASSERT_NE(call.state.next_phase, before.state.phase);
        ++greens;
        break;
      case SignalStage::kClearing:
        ASSERT_EQ(held, 2);
        ASSERT_EQ(call.state.stage, SignalStage::kYellow);
        break;
      case SignalStage::kYellow:
        ASSERT_EQ(held, play.yellow);
        ASSERT_EQ(call.state.stage, play.all_red > 0 ? SignalStage::kAllRed : SignalStage::kGreen);
        break;
      case SignalStage::kAllRed:
        ASSERT_EQ(held, play.all_red);
        ASSERT_EQ(call.state.stage, SignalStage::kGreen);
        break;
    }
    if (call.state.stage == SignalStage::kGreen) {
      ASSERT_EQ(call.state.phase, before.state.next_phase);
    }
    last[call.junction] = call;
  }
  EXPECT_GT(greens, 50);
  for (const auto& [junction, call] : last) {
    EXPECT_LE(3000 - call.second, std::max(play.max_green, play.yellow + play.all_red)) << "the last green is too long";
  }
}

INSTANTIATE_TEST_SUITE_P(Each, RandomPlayTest,
                         ::testing::Values(RandomPlay{"KEEP_NEXT_EXTEND_OVERRIDE", 1, 3, 0, 5, 60},
                                           RandomPlay{"KEEP_NEXT_EXTEND_OVERRIDE", 1, 3, 2, 5, 15},
                                           RandomPlay{"KEEP_NEXT_EXTEND_OVERRIDE", 5, 3, 1, 5, 10},
                                           RandomPlay{"KEEP_NEXT_EXTEND_OVERRIDE", 7, 4, 0, 6, 40},
                                           RandomPlay{"CHOOSE_PHASE", 1, 3, 1, 1, 2},
                                           RandomPlay{"CHOOSE_PHASE", 5, 3, 0, 5, 60},
                                           RandomPlay{"CHOOSE_PHASE", 3, 5, 3, 10, 13}));

}  // namespace
}  // namespace troupe
