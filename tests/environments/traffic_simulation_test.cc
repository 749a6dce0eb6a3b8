#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "actor_worker/environments/traffic/queue_simulation.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

DemandSettings Demand(double vehicles_per_hour) {
  DemandSettings demand;
  demand.vehicles_per_hour = vehicles_per_hour;
  return demand;
}

// Lets every junction go round its phases, 20 s green and 3 s yellow each, for `seconds`; calls `look` every second.
template <typename Look>
void Drive(QueueSimulation& simulation, int seconds, Look look) {
  for (int t = 0; t < seconds; ++t) {
    for (int j = 0; j < static_cast<int>(simulation.network().junctions.size()); ++j) {
      const int phases = static_cast<int>(simulation.network().junctions[j].phases.size());
      const int phase = t / 23 % phases;
      if (t % 23 == 0) simulation.SetSignal(j, {SignalStage::kGreen, phase, phase});
      if (t % 23 == 20) simulation.SetSignal(j, {SignalStage::kYellow, phase, (phase + 1) % phases});
    }
    ASSERT_TRUE(simulation.Advance(1).ok());
    look(t + 1);
  }
}

TrafficTotals TotalsOf(QueueSimulation& simulation) {
  TrafficTotals totals;
  EXPECT_TRUE(simulation.Totals(totals).ok());
  return totals;
}

class LoadTest : public ::testing::TestWithParam<double> {};

TEST_P(LoadTest, VehiclesAreNeitherLostNorMadeAndQueuesStayWithinTheirLanes) {
  QueueSimulation simulation(*LoadRoadNetwork("nine_junctions"), Demand(GetParam()));
  ASSERT_TRUE(simulation.Reset(3).ok());
  Drive(simulation, 1800, [&](int) {
    const TrafficTotals totals = TotalsOf(simulation);
    ASSERT_EQ(totals.inserted, totals.finished + simulation.vehicles_inside());
    ASSERT_EQ(totals.scheduled, totals.inserted + simulation.vehicles_waiting_to_enter());
    double on_lanes = 0;
    for (const LaneMeasurement& lane : simulation.Measure()) {
      ASSERT_GE(lane.halting, 0);
      ASSERT_LE(lane.halting, lane.vehicles);
      ASSERT_GE(lane.occupancy, 0);
      ASSERT_LE(lane.occupancy, 1);
      ASSERT_GE(lane.waiting_seconds, 0);
      on_lanes += lane.vehicles;
    }
    ASSERT_LE(on_lanes, simulation.vehicles_inside());
    for (int i = 0; i < simulation.road_network().total_lanes; ++i) {
      ASSERT_LE(simulation.occupied_m(i), simulation.storage_m(i));
      ASSERT_GE(simulation.occupied_m(i), 0);
    }
  });
  EXPECT_GT(TotalsOf(simulation).finished, 100);
}

INSTANTIATE_TEST_SUITE_P(VehiclesPerHour, LoadTest, ::testing::Values(1800, 7200, 20000));

TEST(QueueSimulationTest, OverloadSpillsBackToTheEntries) {
  QueueSimulation simulation(*LoadRoadNetwork("nine_junctions"), Demand(20000));
  ASSERT_TRUE(simulation.Reset(3).ok());
  Drive(simulation, 1800, [](int) {});
  EXPECT_GT(simulation.vehicles_waiting_to_enter(), 500);
  EXPECT_GT(TotalsOf(simulation).depart_delay_seconds, 10000);
}

TEST(QueueSimulationTest, SameSeedSameTrafficAnotherSeedAnother) {
  const auto play = [](QueueSimulation& simulation, uint64_t seed) {
    EXPECT_TRUE(simulation.Reset(seed).ok());
    std::vector<float> seen;
    Drive(simulation, 600, [&](int) {
      for (const LaneMeasurement& lane : simulation.Measure()) seen.push_back(lane.halting + 100 * lane.vehicles);
    });
    seen.push_back(static_cast<float>(TotalsOf(simulation).time_loss_seconds));
    return seen;
  };
  QueueSimulation one(*LoadRoadNetwork("nine_junctions"), Demand(5400));
  QueueSimulation other(*LoadRoadNetwork("nine_junctions"), Demand(5400));
  const std::vector<float> first = play(one, 11);
  EXPECT_EQ(play(other, 11), first);
  EXPECT_NE(play(other, 12), first);
  EXPECT_EQ(play(one, 11), first) << "a used object restarts like a new one";
}

TEST(QueueSimulationTest, AdvancingInOneGoOrSecondBySecondIsTheSame) {
  QueueSimulation one(*LoadRoadNetwork("grid_3x3"), Demand(5400)), other(*LoadRoadNetwork("grid_3x3"), Demand(5400));
  ASSERT_TRUE(one.Reset(5).ok());
  ASSERT_TRUE(other.Reset(5).ok());
  ASSERT_TRUE(one.Advance(300).ok());
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(other.Advance(1).ok());
  EXPECT_EQ(TotalsOf(one).time_loss_seconds, TotalsOf(other).time_loss_seconds);
  EXPECT_EQ(TotalsOf(one).waiting_seconds, TotalsOf(other).waiting_seconds);
}

TEST(QueueSimulationTest, WithoutDemandNothingHappens) {
  QueueSimulation simulation(*LoadRoadNetwork("nine_junctions"), Demand(0));
  ASSERT_TRUE(simulation.Reset(1).ok());
  Drive(simulation, 600, [&](int) {
    for (const LaneMeasurement& lane : simulation.Measure()) ASSERT_EQ(lane.vehicles, 0);
  });
  EXPECT_EQ(TotalsOf(simulation).scheduled, 0);
  EXPECT_EQ(TotalsOf(simulation).time_loss_seconds, 0);
}

TEST(QueueSimulationTest, DemandMeetsItsMean) {
  QueueSimulation simulation(*LoadRoadNetwork("nine_junctions"), Demand(3600));
  double scheduled = 0;
  for (int seed = 0; seed < 10; ++seed) {
    ASSERT_TRUE(simulation.Reset(seed).ok());
    Drive(simulation, 3600, [](int) {});
    scheduled += TotalsOf(simulation).scheduled;
  }
  EXPECT_NEAR(scheduled, 36000, 4 * std::sqrt(36000.0));
}

TEST(QueueSimulationTest, RushProfileKeepsTheMeanAndPeaksInTheMiddle) {
  const RoadNetwork network = *LoadRoadNetwork("grid_3x3");
  DemandSettings demand = Demand(5400);
  demand.profile = DemandProfile::kRush;
  Arrivals arrivals(network, demand);
  double middle = 0, all = 0;
  for (int seed = 0; seed < 10; ++seed) {
    arrivals.Reset(seed);
    for (; arrivals.next().due_seconds < 3600; arrivals.Take()) {
      all += 1;
      middle += arrivals.next().due_seconds >= 1200 && arrivals.next().due_seconds < 2400;
    }
  }
  EXPECT_NEAR(all, 54000, 4 * std::sqrt(54000.0));
  EXPECT_NEAR(middle / all, (1.0 / 3) * (1.4 - 0.8 / 6), 0.01);
}

constexpr char kStreet[] = R"(
network street
junction C 0 0
boundary w -500 0
boundary e 500 0
boundary n 0 500
boundary s 0 -500
road w C
road e C
road n C
road s C
)";

TEST(QueueSimulationTest, OneVehicleOnGreenNeedsItsFreeFlowTime) {
  QueueModel model;
  model.speed_deviation = 0;
  QueueSimulation simulation(*ParseRoadNetwork(kStreet), Demand(0), {}, model);
  ASSERT_TRUE(simulation.UseVehicleList({{10.0, {"n_C", "C_s"}, VehicleType::kCar}}).ok());
  ASSERT_TRUE(simulation.Reset(1).ok());
  const double way = 2 * (500 - 13.6) / 13.89 + model.crossing_seconds + model.insertion_loss_seconds;
  ASSERT_TRUE(simulation.Advance(static_cast<int>(10 + way)).ok());
  EXPECT_EQ(TotalsOf(simulation).finished, 0);
  ASSERT_TRUE(simulation.Advance(2).ok());
  EXPECT_EQ(TotalsOf(simulation).finished, 1);
  EXPECT_NEAR(TotalsOf(simulation).time_loss_seconds, model.insertion_loss_seconds, 0.01);
  EXPECT_EQ(TotalsOf(simulation).waiting_seconds, 0);
}

TEST(QueueSimulationTest, AVehicleAtRedWaitsForGreen) {
  QueueModel model;
  model.speed_deviation = 0;
  QueueSimulation simulation(*ParseRoadNetwork(kStreet), Demand(0), {}, model);
  ASSERT_TRUE(simulation.UseVehicleList({{0.0, {"w_C", "C_e"}, VehicleType::kCar}}).ok());
  ASSERT_TRUE(simulation.Reset(1).ok());
  ASSERT_TRUE(simulation.Advance(100).ok());
  float halting = 0;
  for (const LaneMeasurement& lane : simulation.Measure()) halting += lane.halting;
  EXPECT_EQ(halting, 1);
  simulation.SetSignal(0, {SignalStage::kGreen, 2, 2});
  ASSERT_TRUE(simulation.Advance(100).ok());
  EXPECT_EQ(TotalsOf(simulation).finished, 1);
  const double at_stop_line = (500 - 13.6) / 13.89;
  EXPECT_NEAR(TotalsOf(simulation).waiting_seconds, 100 - at_stop_line - model.braking_seconds, 2);
  EXPECT_NEAR(TotalsOf(simulation).time_loss_seconds, 100 - at_stop_line, 5);
}

TEST(QueueSimulationTest, LeftTurnsYieldToOncomingTrafficUntilItHasPassed) {
  std::vector<ListedVehicle> vehicles = {{0.0, {"n_C", "C_e"}, VehicleType::kCar}};
  for (int i = 0; i < 20; ++i) vehicles.push_back({2.0 * i, {"s_C", "C_n"}, VehicleType::kCar});
  const auto left_turn_seconds = [&](const std::vector<ListedVehicle>& list) {
    QueueModel model;
    model.speed_deviation = 0;
    QueueSimulation simulation(*ParseRoadNetwork(kStreet), Demand(0), {}, model);
    EXPECT_TRUE(simulation.UseVehicleList(list).ok());
    EXPECT_TRUE(simulation.Reset(1).ok());
    const int edge = simulation.road_network().FindEdge("n_C");
    const int lane = simulation.road_network().edges[edge].first_lane + 2;
    for (int t = 1; t < 300; ++t) {
      EXPECT_TRUE(simulation.Advance(1).ok());
      if (simulation.Measure()[lane].departed > 0) return t;
    }
    return -1;
  };
  const int alone = left_turn_seconds({vehicles[0]}), among = left_turn_seconds(vehicles);
  EXPECT_GT(alone, 0);
  EXPECT_GT(among, alone + 20);
}

TEST(QueueSimulationTest, AnIncidentDelaysTraffic) {
  IncidentSettings incident;
  incident.probability = 1;
  incident.duration_seconds = 1800;
  incident.headway_factor = 20;
  double with = 0, without = 0;
  for (int seed = 0; seed < 8; ++seed) {
    for (const bool happens : {false, true}) {
      QueueSimulation simulation(*LoadRoadNetwork("nine_junctions"), Demand(3600),
                                 happens ? incident : IncidentSettings{});
      ASSERT_TRUE(simulation.Reset(seed).ok());
      Drive(simulation, 3600, [](int) {});
      (happens ? with : without) += TotalsOf(simulation).time_loss_seconds;
    }
  }
  EXPECT_GT(with, 1.02 * without);
}

TEST(QueueSimulationTest, AnImpossibleWayIsRefusedByName) {
  QueueSimulation simulation(*LoadRoadNetwork("grid_3x3"), Demand(0));
  const auto told = [&](std::vector<std::string> edges) {
    return std::string(simulation.UseVehicleList({{0.0, std::move(edges), VehicleType::kCar}}).message());
  };
  EXPECT_THAT(told({"west0_A0", "B0_C0"}), HasSubstr("\"west0_A0\" does not lead to \"B0_C0\""));
  EXPECT_THAT(told({"west9_A0"}), HasSubstr("no edge is called \"west9_A0\""));
  EXPECT_THAT(told({"west0_A0"}), HasSubstr("must leave the network"));
}

}  // namespace
}  // namespace troupe
