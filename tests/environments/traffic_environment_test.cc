#include "actor_worker/environments/traffic/traffic_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TrafficSettings Decisions(int interval, TrafficActionSet action_set = TrafficActionSet::kKeepNextExtendOverride) {
  TrafficSettings settings;
  settings.decision_interval_seconds = interval;
  settings.action_set = action_set;
  return settings;
}

TEST(TrafficGridTest, OffersNineJunctionsSeventeenFeaturesFourActionsAndAStateOf155) {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({});
  ASSERT_NE(environment, nullptr);
  const EnvironmentSpec& spec = environment->spec();
  ASSERT_EQ(spec.groups.size(), 1u);
  EXPECT_EQ(spec.groups[0].name, "junction");
  EXPECT_THAT(spec.groups[0].agents, ElementsAre("J0", "J1", "J5", "J6", "J7", "J10", "J11", "J12", "J22"));
  EXPECT_EQ(spec.groups[0].observation_size, 17);
  EXPECT_EQ(spec.groups[0].action_size, 4);
  EXPECT_EQ(spec.state_size(), 155);
}

// As the map of actor_worker/environments/traffic/builtin_networks.cc shows.
TEST(TrafficGridTest, JunctionsHearThoseOneRoadAway) {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({});
  ASSERT_NE(environment, nullptr);
  // J0 hears J6 and J11; J1, in the middle, J6, J7, J10 and J11; and so on.
  EXPECT_THAT(environment->spec().groups[0].neighbours,
              ElementsAre(ElementsAre(3, 6), ElementsAre(3, 4, 5, 6), ElementsAre(5, 6), ElementsAre(0, 1, 7),
                          ElementsAre(1, 7, 8), ElementsAre(1, 2, 8), ElementsAre(0, 1, 2), ElementsAre(3, 4),
                          ElementsAre(4, 5)));
}

TEST(TrafficGridTest, EpisodesLast3600DecisionsOfOneSecondByDefault) {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({});
  StepBuffers buffers(environment->spec());
  ASSERT_TRUE(environment->Reset(1).ok());
  RandomPlayer player(1);
  int steps = 0;
  do {
    environment->Observe(buffers.observation);
    player.Act(*environment, buffers.observation, buffers.discrete, buffers.continuous);
    ASSERT_TRUE(environment->Step(buffers.action, buffers.outcome).ok());
    ASSERT_FALSE(buffers.outcome.terminated);
    ++steps;
  } while (!buffers.outcome.truncated);
  EXPECT_EQ(steps, 3600);
}

TEST(TrafficGridTest, DifferentPhaseCountsMakeSeveralGroups) {
  const std::string path = ::testing::TempDir() + "/two_kinds.net";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs(
      "network two_kinds\njunction A 0 0\njunction B 300 0\nboundary w -300 0\nboundary e 600 0\n"
      "boundary n 0 300\nboundary s 0 -300\nboundary t 300 300\n"
      "road w A\nroad A B\nroad B e\nroad n A\nroad s A\nroad t B\n",
      file);
  std::fclose(file);
  const auto environment = TrafficGridEntry().create({{"network", path}, {"action_set", "CHOOSE_PHASE"}});
  ASSERT_TRUE(environment.ok()) << environment.status();
  const EnvironmentSpec& spec = (*environment)->spec();
  ASSERT_EQ(spec.groups.size(), 2u);
  EXPECT_EQ(spec.groups[0].name, "junction_3_actions");
  EXPECT_THAT(spec.groups[0].agents, ElementsAre("B"));
  EXPECT_EQ(spec.groups[1].name, "junction_4_actions");
  RandomPlayer player(3);
  const auto statistics = PlayEpisode(**environment, player, 1);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_GT(statistics->at(4), 100);
}

TEST(TrafficGridTest, BadSettingsAreRefusedByName) {
  const auto told = [](const SettingsMap& settings) {
    return std::string(TrafficGridEntry().create(settings).status().message());
  };
  EXPECT_THAT(told({{"vehicles_per_hour", "-1"}}), HasSubstr("environment.settings.vehicles_per_hour"));
  EXPECT_THAT(told({{"vehicle_per_hour", "1"}}), HasSubstr("did you mean \"vehicles_per_hour\""));
  EXPECT_THAT(told({{"network", "no_such_network"}}), HasSubstr("environment.settings.network"));
  EXPECT_THAT(told({{"max_green_seconds", "5"}}), HasSubstr("environment.settings.max_green_seconds"));
}

TEST(TrafficEnvironmentTest, FeaturesAreLaidOutAndScaledAsDocumented) {
  ScriptedEnvironment scripted(Decisions(1));
  auto& lanes = scripted.simulation->lanes;
  lanes[0] = {.halting = 4, .vehicles = 6, .weighted_vehicles = 8, .occupancy = 0.25f};                             // N
  lanes[3] = {.halting = 10, .vehicles = 12, .weighted_vehicles = 20, .occupancy = 0.5f, .emergency_vehicles = 1};  // W
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.Step(kActionNext, kActionNext).ok());
  EXPECT_THAT(scripted.environment->RawFeatures(0),
              ElementsAre(1, 4, 0, 0, 10, 8, 0, 0, 20, 0.25f, 0, 0, 0.5f, 1, 1, 1, 0));
  const auto seen = scripted.buffers->observation.groups[0].observations.first(17);
  EXPECT_THAT(std::vector<float>(seen.begin(), seen.end()),
              ElementsAre(1 / 5.0f, 4 / 20.0f, 0, 0, 10 / 20.0f, 8 / 40.0f, 0, 0, 20 / 40.0f, 0.25f, 0, 0, 0.5f,
                          1 / 60.0f, 1, 1 / 5.0f, 0));
}

TEST(TrafficEnvironmentTest, StateExtrasAreTotalVehiclesAndWaiting) {
  ScriptedEnvironment scripted(Decisions(1));
  scripted.simulation->lanes[2] = {.vehicles = 20, .waiting_seconds = 300};
  scripted.simulation->lanes[6] = {.vehicles = 30, .waiting_seconds = 100};
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  EXPECT_THAT(scripted.buffers->observation.state_extras, ElementsAre(50 / 200.0f, 400 / 2000.0f));
}

TEST(TrafficEnvironmentTest, NextSkipsPhasesNobodyWaitsFor) {
  ScriptedEnvironment scripted(Decisions(5));
  scripted.simulation->lanes[3].halting = scripted.simulation->lanes[3].vehicles = 1;  // left junction, W: phase 2
  scripted.simulation->lanes[6].vehicles = 1;                                          // right junction, E, rolling
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.Step(kActionNext, kActionNext).ok());
  EXPECT_EQ(scripted.environment->signal(0).target_phase(), 2);
  EXPECT_EQ(scripted.environment->signal(1).target_phase(), 1);
}

TEST(TrafficEnvironmentTest, MasksOfTheFourActions) {
  TrafficSettings settings = Decisions(1);
  settings.min_green_seconds = 3;
  settings.max_green_seconds = 10;
  settings.extension_seconds = 4;
  ScriptedEnvironment scripted(settings);
  EXPECT_EQ(scripted.Mask(0), "1010") << "before minimum green: keep or extend";
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  EXPECT_EQ(scripted.Mask(0), "1110");
  ASSERT_TRUE(scripted.Step(kActionExtend, kActionNext).ok());
  EXPECT_EQ(scripted.Mask(0), "1000") << "committed";
  EXPECT_EQ(scripted.Mask(1), "1000") << "yellow";
  scripted.simulation->lanes[2].emergency_vehicles = 1;
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  EXPECT_EQ(scripted.Mask(0), "1001") << "an emergency vehicle overrides a commitment";
  scripted.simulation->lanes[2].emergency_vehicles = 0;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  EXPECT_EQ(scripted.Mask(0), "0100") << "at maximum green: only a change";
}

TEST(TrafficEnvironmentTest, MasksOfChoosePhase) {
  TrafficSettings settings = Decisions(1, TrafficActionSet::kChoosePhase);
  settings.min_green_seconds = 2;
  settings.max_green_seconds = 4;
  ScriptedEnvironment scripted(settings);
  EXPECT_EQ(scripted.Mask(0), "100");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(scripted.Step(0, 0).ok());
  EXPECT_EQ(scripted.Mask(0), "111");
  ASSERT_TRUE(scripted.Step(2, 0).ok());
  EXPECT_EQ(scripted.Mask(0), "001") << "on the way to phase 2";
  ASSERT_TRUE(scripted.Step(2, 0).ok());
  EXPECT_EQ(scripted.Mask(1), "011") << "at maximum green";
}

TEST(TrafficEnvironmentTest, AForbiddenActionIsAnErrorThatNamesIt) {
  ScriptedEnvironment scripted(Decisions(1));
  const absl::Status status = scripted.Step(kActionKeep, kActionNext);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("action 1 of junction right"));
}

TEST(TrafficEnvironmentTest, ASimulationThatFailsFailsTheStep) {
  ScriptedEnvironment scripted(Decisions(1));
  scripted.simulation->advance_status = absl::UnavailableError("gone");
  EXPECT_EQ(scripted.Step(kActionKeep, kActionKeep).code(), absl::StatusCode::kUnavailable);
}

TEST(TrafficEnvironmentTest, OverrideServesTheEmergencyVehiclesApproach) {
  ScriptedEnvironment scripted(Decisions(5));
  scripted.simulation->lanes[2].halting = 5;             // E waits too
  scripted.simulation->lanes[3].emergency_vehicles = 1;  // W
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.Step(kActionOverride, kActionKeep).ok());
  EXPECT_EQ(scripted.environment->signal(0).target_phase(), 2);
}

TEST(TrafficEnvironmentTest, RewardIsTheWeightedSumDocumented) {
  TrafficSettings settings = Decisions(1);
  settings.reward = {
      .level = 1, .presence = 0.125, .improvement = 0.5, .throughput = 0.25, .neighbour = 0.5, .emergency = 2};
  ScriptedEnvironment scripted(settings);
  auto& lanes = scripted.simulation->lanes;
  lanes[0].halting = 8;
  lanes[4].halting = 2;
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  lanes[0].halting = 3;
  lanes[0].vehicles = 16;
  lanes[0].departed = 4;
  lanes[5].emergency_vehicles = 1;
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  const float left = (-3 - 0.125f * 16 + 0.5f * (8 - 3) + 0.25f * 4) / 20, right = (-2 - 2 * 1) / 20.0f;
  EXPECT_THAT(scripted.buffers->outcome.rewards[0],
              ElementsAre(::testing::FloatEq(left + 0.5f * right), ::testing::FloatEq(right + 0.5f * left)));
}

TEST(TrafficEnvironmentTest, EmptyRoadsBringNoReward) {
  const std::unique_ptr<Environment> environment =
      MakeTrafficGrid({{"vehicles_per_hour", "0"}, {"episode_seconds", "60"}});
  StepBuffers buffers(environment->spec());
  ASSERT_TRUE(environment->Reset(1).ok());
  RandomPlayer player(1);
  do {
    environment->Observe(buffers.observation);
    player.Act(*environment, buffers.observation, buffers.discrete, buffers.continuous);
    ASSERT_TRUE(environment->Step(buffers.action, buffers.outcome).ok());
    EXPECT_THAT(buffers.outcome.rewards[0], Each(0.0f));
  } while (!buffers.outcome.truncated);
}

TEST(TrafficEnvironmentTest, StatisticsAreMeansOverTheRightVehicles) {
  TrafficSettings settings = Decisions(1);
  settings.episode_seconds = 2;
  ScriptedEnvironment scripted(settings);
  scripted.simulation->totals_to_report = {.seconds = 2,
                                           .scheduled = 10,
                                           .inserted = 8,
                                           .finished = 5,
                                           .waiting_seconds = 80,
                                           .time_loss_seconds = 160,
                                           .depart_delay_seconds = 40,
                                           .emergency_scheduled = 2,
                                           .emergency_time_loss_seconds = 30,
                                           .teleported = 1};
  scripted.simulation->lanes[0].halting = 6;
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.buffers->outcome.truncated);
  std::vector<double> values(scripted.environment->spec().num_statistics());
  scripted.environment->EpisodeStatistics(absl::MakeSpan(values));
  ASSERT_EQ(values.size(), 16);
  values.resize(10);
  EXPECT_THAT(values, ElementsAre(10, 20, 20, 6, 5, 15, 10, 5, 0, 1));
}

TEST(TrafficEnvironmentTest, EveryJunctionHasItsOwnStatistics) {
  TrafficSettings settings = Decisions(5);
  settings.episode_seconds = 12;  // the last interval is 2 s long
  ScriptedEnvironment scripted(settings);
  const std::vector<TrafficJunction>& junctions = scripted.environment->network().junctions;
  LaneMeasurement& left = scripted.simulation->lanes[junctions[0].first_lane];
  LaneMeasurement& right = scripted.simulation->lanes[junctions[1].first_lane];
  left.halting = 3;
  left.departed = 2;
  right.halting = 1;
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.buffers->outcome.truncated);
  const EnvironmentSpec& spec = scripted.environment->spec();
  EXPECT_THAT(spec.agent_statistics, ElementsAre("mean_waiting_seconds", "mean_queue_vehicles", "throughput_vehicles"));
  std::vector<double> values(spec.num_statistics());
  scripted.environment->EpisodeStatistics(absl::MakeSpan(values));
  values.erase(values.begin(), values.begin() + spec.statistics.size());
  // 3 standing for 12 s, 6 crossed; 1 standing for 12 s, none crossed.
  EXPECT_THAT(values, ElementsAre(6, 3, 6, 12, 1, 0));
}

TEST(TrafficEnvironmentTest, RenderShowsEveryJunctionsLightsAndQueues) {
  ScriptedEnvironment scripted(Decisions(5));
  scripted.simulation->lanes[0].halting = 7;
  ASSERT_TRUE(scripted.Step(kActionKeep, kActionKeep).ok());
  ASSERT_TRUE(scripted.Step(kActionNext, kActionKeep).ok());
  const std::string text = scripted.environment->Render();
  EXPECT_THAT(text, HasSubstr("scripted at second 10"));
  EXPECT_THAT(text, HasSubstr("left         E 2s"));
  EXPECT_THAT(text, HasSubstr("right        NS 10s"));
  EXPECT_THAT(text, HasSubstr("  7 "));
}

}  // namespace
}  // namespace troupe
