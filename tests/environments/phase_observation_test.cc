// The numbers of `observation: PHASES`, worked out by hand.
#include "actor_worker/environments/traffic/phase_observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "actor_worker/environments/traffic/queue_simulation.h"
#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::Pointwise;

// Junction A with a through and a left-turn lane from the west, which lead to B's one lane, and a lane from the south
// that leaves the network. A's phases: west through and left · left alone · south. B has phases 0 (its lane) and 1
// (nobody's).
TrafficNetwork TwoJunctions() {
  TrafficNetwork network;
  network.junctions.resize(2);
  network.junctions[0] = {
      .name = "A", .first_lane = 0, .num_lanes = 3, .phases = {"W", "left", "S"}, .neighbours = {1}};
  network.junctions[1] = {.name = "B", .first_lane = 3, .num_lanes = 2, .phases = {"W", "N"}, .neighbours = {0}};
  network.lanes.resize(5);
  network.lanes[0] = {.name = "through", .junction = 0, .green_phases = 0b001, .downstream_lanes = {3, 4}};
  network.lanes[1] = {.name = "left", .junction = 0, .green_phases = 0b011, .downstream_lanes = {3}};
  network.lanes[2] = {.name = "south", .junction = 0, .green_phases = 0b100};
  network.lanes[3] = {.name = "B1", .junction = 1, .green_phases = 0b01};
  network.lanes[4] = {.name = "B2", .junction = 1, .green_phases = 0b01};
  return network;
}

class PhaseObservationTest : public ::testing::Test {
 protected:
  PhaseObservationTest() : network_(TwoJunctions()), lanes_(5), observation_(network_) {
    for (const TrafficJunction& junction : network_.junctions) {
      signals_.emplace_back(&settings_, &junction);
    }
  }
  std::vector<float> Seen(int junction) {
    observation_.Update(lanes_, signals_);
    std::vector<float> seen(PhaseObservation::Size(static_cast<int>(network_.junctions[junction].phases.size())), -1);
    observation_.Write(junction, seen.data());
    return seen;
  }
  std::vector<float> Block(int junction, int phase) {
    const std::vector<float> seen = Seen(junction);
    return {seen.begin() + phase * kPhaseFeatures, seen.begin() + (phase + 1) * kPhaseFeatures};
  }
  std::vector<float> Rest(int junction) {
    const std::vector<float> seen = Seen(junction);
    return {seen.end() - kPhaseJunctionFeatures, seen.end()};
  }

  const TrafficSettings settings_;
  const TrafficNetwork network_;
  std::vector<LaneMeasurement> lanes_;
  std::vector<SignalTiming> signals_;
  PhaseObservation observation_;
};

TEST_F(PhaseObservationTest, EveryPhaseHasTheSumsOfTheLanesItLetsGo) {
  lanes_[0] = {.halting = 3, .vehicles = 5, .waiting_seconds = 60, .first_waiting_seconds = 30};
  lanes_[1] = {
      .halting = 4, .vehicles = 4, .waiting_seconds = 90, .first_waiting_seconds = 45, .emergency_vehicles = 1};
  lanes_[2] = {.halting = 1, .vehicles = 4, .waiting_seconds = 6, .first_waiting_seconds = 6};
  lanes_[3] = {.occupancy = 0.5f};
  lanes_[4] = {.occupancy = 0.25f};
  // Room ahead: 1 - (0.5 + 0.25) / 2 = 0.625 for the through lane, 0.5 for the left-turn lane.
  EXPECT_THAT(Block(0, 0), Pointwise(FloatEq(), {0.7f, 0.4f, 0.2f, 0.5f, 0.75f, 0.5625f, 0.0f, 1.0f, 1.0f, 1.0f}));
  EXPECT_THAT(Block(0, 1), Pointwise(FloatEq(), {0.4f, 0.4f, 0.0f, 0.3f, 0.75f, 0.5f, 0.0f, 1.0f, 1.0f, 0.0f}));
  EXPECT_THAT(Block(0, 2), Pointwise(FloatEq(), {0.1f, 0.1f, 0.3f, 0.02f, 0.1f, 1.0f, 0.0f, 0.0f, 0.0f, 0.0f}));
}

TEST_F(PhaseObservationTest, VehiclesComeFromTheNeighboursLanesThatHaveGreen) {
  lanes_[0].vehicles = 6;  // leads to both of B's lanes
  lanes_[1].vehicles = 2;  // leads to one of them
  EXPECT_FLOAT_EQ(Block(1, 0)[6], (6 + 2) / 10.0f) << "both have green in A's phase 0";
  signals_[0].ChangeTo(1);
  EXPECT_FLOAT_EQ(Block(1, 0)[6], 2 / 10.0f) << "on the way to the left turn's phase";
  EXPECT_FLOAT_EQ(Block(1, 1)[6], 0) << "a phase that lets no lane go";
}

TEST_F(PhaseObservationTest, WhileTheLightsChangeTheGreenPhaseIsTheOneToCome) {
  EXPECT_THAT(Rest(0), ElementsAre(0, 0, 0, 0));
  signals_[0].Pass(6);
  EXPECT_THAT(Rest(0), ElementsAre(FloatEq(0.1f), 0, 0, 0));
  signals_[0].ChangeTo(2);
  signals_[0].Pass(2);
  EXPECT_THAT(Rest(0), ElementsAre(FloatEq(2 / 60.0f), 1, 0, 0));
  EXPECT_FLOAT_EQ(Block(0, 0)[8] + Block(0, 0)[9], 0);
  EXPECT_FLOAT_EQ(Block(0, 2)[8], 1);
  EXPECT_FLOAT_EQ(Block(0, 2)[9], 1);
}

TEST_F(PhaseObservationTest, TheShareThatHasGreenTellsPhasesApartThatShareLanes) {
  signals_[0].ChangeTo(1);
  EXPECT_FLOAT_EQ(Block(0, 0)[8], 0.5f) << "the left-turn lane of two";
  EXPECT_FLOAT_EQ(Block(0, 0)[9], 0);
  EXPECT_FLOAT_EQ(Block(0, 1)[8], 1);
  EXPECT_FLOAT_EQ(Block(0, 2)[8], 0);
}

TEST_F(PhaseObservationTest, OwnAndNeighboursQueuesStandAtTheEnd) {
  lanes_[0].halting = 5;
  lanes_[2].halting = 7;
  lanes_[3].halting = 4;
  EXPECT_THAT(Rest(0), ElementsAre(0, 0, 12 / 20.0f, 4 / 20.0f));
  EXPECT_THAT(Rest(1), ElementsAre(0, 0, 4 / 20.0f, 12 / 20.0f));
}

TEST_F(PhaseObservationTest, NothingExceedsTen) {
  lanes_[0] = {.halting = 500, .vehicles = 900, .waiting_seconds = 1e6f, .first_waiting_seconds = 1e5f};
  signals_[0].Pass(3000);
  for (const int junction : {0, 1}) {
    for (const float value : Seen(junction)) EXPECT_LE(value, 10);
  }
  EXPECT_EQ(Block(0, 0)[3], 10);
}

TEST(PhaseObservationOfTheEnvironment, IsWhatAgentsSeeWhenAskedFor) {
  TrafficSettings settings;
  settings.observation = TrafficObservation::kPhases;
  settings.action_set = TrafficActionSet::kChoosePhase;
  ScriptedEnvironment scripted(settings);
  EXPECT_TRUE(scripted.simulation->measures_first_vehicles);
  const AgentGroupSpec& group = scripted.environment->spec().groups[0];
  EXPECT_EQ(group.observation_size, 3 * 10 + 4);
  scripted.simulation->lanes[2] = {.halting = 4, .vehicles = 4, .first_waiting_seconds = 12};
  scripted.simulation->lanes[7] = {.halting = 2, .vehicles = 5};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(scripted.Step(0, 0).ok());
  const auto seen = scripted.buffers->observation.groups[0].observations;
  EXPECT_FLOAT_EQ(seen[10], 0.4f) << "the left junction's phase E";
  EXPECT_FLOAT_EQ(seen[14], 0.2f);
  EXPECT_FLOAT_EQ(seen[9], 1) << "phase NS has green";
  EXPECT_FLOAT_EQ(seen[30], 3 / 60.0f);
  EXPECT_FLOAT_EQ(seen[34 + 20], 0.2f) << "the right junction's phase W";
  EXPECT_FLOAT_EQ(seen[34 + 22], 0.3f);
  EXPECT_EQ(scripted.environment->spec().state_size(), 2 * 34 + 2);
}

TEST(PhaseObservationOfTheEnvironment, IsNotMeasuredForUnasked) {
  ScriptedEnvironment scripted(TrafficSettings{});
  EXPECT_FALSE(scripted.simulation->measures_first_vehicles);
  EXPECT_EQ(scripted.environment->spec().groups[0].observation_size, kTrafficFeatures);
}

TEST(PhaseObservationOfTheEnvironment, ComesWithTheFourActionsToo) {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({{"observation", "PHASES"}});
  ASSERT_NE(environment, nullptr);
  ASSERT_EQ(environment->spec().groups.size(), 1u);
  EXPECT_EQ(environment->spec().groups[0].observation_size, 4 * 10 + 4);
  EXPECT_EQ(environment->spec().groups[0].action_size, 4);
}

// A vehicle of its own before a light that stays red.
TEST(FirstVehiclesOfTheBuiltInSimulator, WaitFromWhenTheyStandUntilTheyMove) {
  const auto network = LoadRoadNetwork("grid_3x3");
  ASSERT_TRUE(network.ok());
  DemandSettings demand;
  demand.vehicles_per_hour = 3600;
  QueueSimulation simulation(*network, demand);
  simulation.MeasureFirstVehicles();
  ASSERT_TRUE(simulation.Reset(1).ok());
  std::vector<float> before(simulation.network().lanes.size(), 0);
  int grown = 0, alone = 0;
  for (int second = 1; second <= 300; ++second) {
    ASSERT_TRUE(simulation.Advance(1).ok());
    const auto lanes = simulation.Measure();
    for (size_t i = 0; i < lanes.size(); ++i) {
      const float now = lanes[i].first_waiting_seconds;
      if (simulation.network().lanes[i].green_phases & 1) continue;  // phase 0 has green all the time
      ASSERT_EQ(now > 0, lanes[i].halting > 0 && lanes[i].waiting_seconds > 0) << "lane " << i << " at " << second;
      if (before[i] > 0) {
        ASSERT_FLOAT_EQ(now, before[i] + 1) << "lane " << i << " at " << second;
        ++grown;
      }
      if (lanes[i].halting == 1) {
        ASSERT_NEAR(now, lanes[i].waiting_seconds, 1e-3) << "it stands alone";
        ++alone;
      }
      before[i] = now;
    }
  }
  EXPECT_GT(grown, 100);
  EXPECT_GT(alone, 20);
  for (int j = 0; j < 9; ++j) simulation.SetSignal(j, {SignalStage::kGreen, 2, 2});
  ASSERT_TRUE(simulation.Advance(2).ok());
  const auto lanes = simulation.Measure();
  for (size_t i = 0; i < lanes.size(); ++i) {
    if (simulation.network().lanes[i].green_phases >> 2 & 1) {
      EXPECT_EQ(lanes[i].first_waiting_seconds, 0) << i;
    }
  }
}

}  // namespace
}  // namespace troupe
