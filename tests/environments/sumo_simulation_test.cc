// Live tests against the installed SUMO; skipped where there is none.
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"

#include <signal.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "actor_worker/environments/traffic/sumo/installation.h"
#include "gmock/gmock.h"
#include "tests/common/temporary_folder.h"
#include "tests/environments/live_sumo.h"

namespace troupe {
namespace {

TEST_F(LiveSumo, RepeatsItselfFromASeedAndDiffersFromAnother) {
  const auto one = Make(), other = Make();
  const std::vector<float> trace = Play(*one, 3, 300);
  EXPECT_EQ(trace, Play(*one, 3, 300)) << "used copy";
  EXPECT_EQ(trace, Play(*other, 3, 300)) << "new copy";
  EXPECT_NE(trace, Play(*other, 4, 300));
}

TEST_F(LiveSumo, AUsersFileCanNeitherTakeTheSeedsAwayNorMakeCopiesWriteFiles) {
  std::ofstream(configuration_)
      << "<configuration><net-file value='grid_3x3.net.xml'/><route-files value='grid_3x3.rou.xml'/>"
         "<random value='true'/><threads value='2'/><end value='100'/>"
         "<human-readable-time value='true'/><time-to-teleport.highways value='1'/>"
         "<output-prefix value='mine_'/><tripinfo-output value='trips.xml'/>"
         "<summary value='summary.xml'/><log value='log.txt'/></configuration>";
  const size_t files = folder_.Names().size();
  const auto simulation = Make();
  const std::vector<float> trace = Play(*simulation, 3, 200);
  EXPECT_EQ(trace, Play(*simulation, 3, 200));
  EXPECT_NE(trace, Play(*simulation, 4, 200));
  TrafficTotals totals;
  EXPECT_TRUE(simulation->Totals(totals).ok());
  EXPECT_GT(totals.finished, 0);
  EXPECT_EQ(folder_.Names().size(), files);
}

TEST_F(LiveSumo, PlaysGzippedNetworksRoutesAndPolygons) {
  const auto gzip = [this](const std::string& name) {
    std::ifstream in(folder_ / name, std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    gzFile out = gzopen((folder_ / (name + ".gz")).c_str(), "wb");
    ASSERT_EQ(gzwrite(out, text.data(), text.size()), text.size());
    gzclose(out);
    std::filesystem::remove(folder_ / name);
  };
  const std::vector<float> plain = Play(*Make(), 3, 100);
  std::ofstream(folder_ / "p.poly.xml")
      << "<additional><poly id='p' type='park' color='1,0,0' shape='0,0 9,0 9,9'/></additional>";
  for (const char* name : {"grid_3x3.net.xml", "grid_3x3.rou.xml", "p.poly.xml"}) gzip(name);
  std::ofstream(configuration_) << "<configuration><net-file value='grid_3x3.net.xml.gz'/>"
                                   "<route-files value='grid_3x3.rou.xml.gz'/>"
                                   "<additional-files value='p.poly.xml.gz'/></configuration>";
  EXPECT_EQ(Play(*Make(), 3, 100), plain);
}

TEST_F(LiveSumo, TotalsRepeatThemselvesToTheLastBit) {
  const auto one = Make(), other = Make();
  TrafficTotals totals, again;
  Play(*one, 3, 300);
  Play(*other, 3, 300);
  ASSERT_TRUE(one->Totals(totals).ok() && other->Totals(again).ok());
  EXPECT_GT(totals.emergency_scheduled, 5);
  EXPECT_EQ(totals.emergency_time_loss_seconds, again.emergency_time_loss_seconds);
  EXPECT_EQ(totals.time_loss_seconds, again.time_loss_seconds);
}

TEST_F(LiveSumo, KnowsTheTypesOfMixedAndOfLateVehicles) {
  WriteRoutes([&](std::string& text) {
    text += R"(<vType id="car" vClass="passenger"/><vTypeDistribution id="mixed">
      <vType id="mixed_car" vClass="passenger" probability="0.5"/>
      <vType id="mixed_bus" vClass="bus" probability="0.5"/></vTypeDistribution>)";
    for (int second = 0; second < 100; second += 4) AddVehicle(text, "car", second);
    for (int second = 100; second < 300; second += 4) AddVehicle(text, "mixed", second);
    text += R"(<vType id="late" vClass="emergency"/>)";
    AddVehicle(text, "late", 400);
  });
  const auto simulation = Make();
  ASSERT_TRUE(simulation->Reset(1).ok());
  float most_buses = 0, least_buses = 1, most_emergencies = 0;
  for (int second = 5; second <= 500; second += 5) {
    ASSERT_TRUE(simulation->Advance(5).ok());
    const LaneMeasurement sum = Sum(simulation->Measure());
    const float extra = sum.weighted_vehicles - sum.vehicles;
    most_emergencies = std::max(most_emergencies, sum.emergency_vehicles);
    if (second <= 100) {
      EXPECT_EQ(extra, 0) << "only cars by second " << second;
    }
    if (second <= 400) {
      EXPECT_EQ(sum.emergency_vehicles, 0) << second;
    }
    if (second < 100 || second > 300 || sum.vehicles == 0) continue;
    EXPECT_EQ(extra, 1.5f * std::round(extra / 1.5f)) << "a bus weighs 2.5 cars";
    most_buses = std::max(most_buses, extra / 1.5f);
    least_buses = std::min(least_buses, extra / 1.5f / sum.vehicles);
  }
  EXPECT_GE(most_buses, 1);
  EXPECT_LT(least_buses, 1) << "some of the mixed ones are cars";
  EXPECT_EQ(most_emergencies, 1);
  TrafficTotals totals;
  ASSERT_TRUE(simulation->Totals(totals).ok());
  EXPECT_EQ(totals.emergency_scheduled, 1);
}

TEST_F(LiveSumo, KnowsTheTypesOfVehiclesThatALoadedStateBrings) {
  const std::string state = folder_.path() + "/state.xml";
  options_.more_arguments = {"--save-state.times", "200", "--save-state.files", state, "--save-state.rng", "true"};
  const auto saver = Make();
  ASSERT_TRUE(saver->Reset(1).ok());
  ASSERT_TRUE(saver->Advance(201).ok());
  options_.more_arguments = {"--load-state", state};
  const auto loader = Make();
  ASSERT_TRUE(loader->Reset(1).ok());
  ASSERT_TRUE(loader->Advance(1).ok());
  const LaneMeasurement saved = Sum(saver->Measure()), loaded = Sum(loader->Measure());
  EXPECT_GT(saved.emergency_vehicles, 0);
  EXPECT_EQ(loaded.emergency_vehicles, saved.emergency_vehicles);
  EXPECT_EQ(loaded.weighted_vehicles, saved.weighted_vehicles);
}

TEST_F(LiveSumo, AccountsForEveryVehicle) {
  const auto simulation = Make();
  Play(*simulation, 1, 600);
  TrafficTotals totals;
  ASSERT_TRUE(simulation->Totals(totals).ok());
  EXPECT_EQ(totals.seconds, 600);
  // What is due within the last second departs with the next step.
  const auto due = [](const ListedVehicle& vehicle) { return vehicle.depart_seconds <= 599; };
  EXPECT_EQ(totals.scheduled, std::count_if(vehicles_.begin(), vehicles_.end(), due));
  EXPECT_LE(totals.finished, totals.inserted);
  EXPECT_GT(totals.finished, 100);
  EXPECT_GT(totals.waiting_seconds, 0);
  EXPECT_GT(totals.time_loss_seconds, totals.waiting_seconds);
  const auto emergencies = std::count_if(vehicles_.begin(), vehicles_.end(), [&](const ListedVehicle& vehicle) {
    return due(vehicle) && vehicle.type == VehicleType::kEmergency;
  });
  EXPECT_EQ(totals.emergency_scheduled, emergencies);
  EXPECT_GT(totals.emergency_time_loss_seconds, 0);

  TrafficTotals again;
  ASSERT_TRUE(simulation->Totals(again).ok());
  EXPECT_EQ(again.time_loss_seconds, totals.time_loss_seconds) << "asking changes nothing";
  EXPECT_TRUE(simulation->Advance(5).ok()) << "and the episode goes on";
}

TEST_F(LiveSumo, VehiclesObeyTheLights) {
  const auto simulation = Make();
  ASSERT_TRUE(simulation->Reset(1).ok());
  const TrafficNetwork& network = simulation->network();
  float with_green = 0, without = 0;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(simulation->Advance(5).ok());
    const auto lanes = simulation->Measure();
    for (size_t k = 0; k < lanes.size(); ++k) {
      (network.lanes[k].green_phases & 1 ? with_green : without) += lanes[k].departed;
    }
  }
  EXPECT_GT(with_green, 50);
  EXPECT_EQ(without, 0) << "phase 0 has green all the time";
}

TEST_F(LiveSumo, AKilledSumoIsAnErrorAndResetStartsAnother) {
  const auto simulation = Make();
  ASSERT_TRUE(simulation->Reset(1).ok());
  ASSERT_TRUE(simulation->Advance(5).ok());
  const pid_t pid = simulation->process_id();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  const absl::Status status = simulation->Advance(5);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_NE(status.message().find("signal 9"), std::string::npos) << status;
  EXPECT_EQ(kill(pid, 0), -1) << "no zombie is left";
  EXPECT_EQ(simulation->Advance(5).code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(simulation->Reset(1).ok());
  EXPECT_TRUE(simulation->Advance(5).ok());
}

TEST_F(LiveSumo, AStoppedSumoRunsIntoTheTimeLimit) {
  options_.step_timeout_seconds = 0.3;
  const auto simulation = Make();
  ASSERT_TRUE(simulation->Reset(1).ok());
  const pid_t pid = simulation->process_id();
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  EXPECT_EQ(simulation->Advance(5).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(kill(pid, 0), -1) << "it is killed and reaped";
}

TEST_F(LiveSumo, ASumoThatMayNotTakeMemoryIsAnErrorWithItsLastWords) {
  options_.memory_limit_mb = 8;
  EXPECT_FALSE(Make()->Reset(1).ok());
}

TEST_F(LiveSumo, SumosReasonForRefusingAnOptionIsTold) {
  options_.more_arguments = {"--no-such-option"};
  const absl::Status status = Make()->Reset(1);
  EXPECT_NE(status.message().find("saying: Error: On processing option '--no-such-option': No option with the name"),
            std::string::npos)
      << status;
  EXPECT_EQ(status.message().find("proj.db"), std::string::npos) << status;
}

TEST_F(LiveSumo, SeveralRunAtOnceAndEndWithTheirOwner) {
  std::vector<std::unique_ptr<SumoSimulation>> simulations;
  std::vector<pid_t> pids;
  for (int i = 0; i < 4; ++i) {
    simulations.push_back(Make());
    ASSERT_TRUE(simulations.back()->Reset(5).ok());
    pids.push_back(simulations.back()->process_id());
  }
  std::vector<std::vector<float>> halting(4);
  for (int step = 0; step < 20; ++step) {
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(simulations[i]->Advance(5).ok());
      for (const LaneMeasurement& lane : simulations[i]->Measure()) halting[i].push_back(lane.halting);
    }
  }
  for (int i = 1; i < 4; ++i) EXPECT_EQ(halting[i], halting[0]);
  simulations.clear();
  for (const pid_t pid : pids) EXPECT_EQ(kill(pid, 0), -1);
}

TEST_F(LiveSumo, TheEnvironmentPlaysEveryBaselineOnAUsersNetwork) {
  const EnvironmentEntry entry = SumoEntry();
  const SettingsMap settings = {
      {"network", configuration_}, {"decision_interval_seconds", "5"}, {"episode_seconds", "300"}};
  double worst = 0, best = 1e9;
  for (const Baseline& baseline : entry.baselines(settings)) {
    SettingsMap merged = settings;
    for (const auto& [name, value] : baseline.setting_overrides) merged[name] = value;
    const auto environment = entry.create(merged);
    ASSERT_TRUE(environment.ok()) << environment.status();
    EXPECT_EQ((*environment)->spec().num_agents(), 9);
    const auto controller = baseline.make();
    const auto statistics = PlayEpisode(**environment, *controller, 11);
    ASSERT_TRUE(statistics.ok()) << baseline.name << ": " << statistics.status();
    worst = std::max(worst, (*statistics)[1]);
    best = std::min(best, (*statistics)[1]);
  }
  EXPECT_LT(best, 0.7 * worst) << "mean_delay_seconds";
}

TEST(SumoColognes, NetworkProgramHasTheDelayKnownFromSumoItself) {
  const auto installation = FindSumo("");
  if (!installation.ok() || !FindSumoNetwork("cologne8").ok()) GTEST_SKIP() << "cologne8 is not installed";
  const EnvironmentEntry entry = SumoEntry();
  // `sumo -c cologne8.sumocfg --seed 1 --time-to-teleport -1` 1.28 itself: 49.00 s over 2046 trips.
  const auto environment = entry.create({{"network", "cologne8"},
                                         {"signal_control", "NETWORK_PROGRAM"},
                                         {"action_set", "CHOOSE_PHASE"},
                                         {"decision_interval_seconds", "60"},
                                         {"max_green_seconds", "600"},
                                         {"ignore_junction_blocker_seconds", "-1"}});
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ((*environment)->spec().num_agents(), 8);
  EXPECT_EQ((*environment)->spec().groups.size(), 3u) << "junctions of two, three and four phases";
  const auto controller = entry.baselines({})[0].make();
  const auto statistics = PlayEpisode(**environment, *controller, 1);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_NEAR((*statistics)[1], 49.00, 0.01);
  EXPECT_EQ((*statistics)[6], 2046);
}

TEST(SumoEnvironment, SaysHowToInstallWhatIsMissing) {
  const EnvironmentEntry entry = SumoEntry();
  const absl::Status no_sumo = entry.create({{"sumo_home", "/nowhere"}}).status();
  EXPECT_EQ(no_sumo.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(no_sumo.message().find("/nowhere"), std::string::npos) << no_sumo;
  EXPECT_NE(no_sumo.message().find("./deploy/setup.sh --sumo"), std::string::npos) << no_sumo;
  const absl::Status no_network = FindSumoNetwork("atlantis").status();
  EXPECT_EQ(no_network.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(no_network.message().find("atlantis"), std::string::npos) << no_network;
  EXPECT_EQ(FindSumoNetwork("/nowhere/x.sumocfg").status().code(), absl::StatusCode::kNotFound);
}

TEST(SumoEnvironment, AFileThatCannotBeLookedForIsAnErrorAndNoException) {
  const TemporaryFolder folder;
  const std::string loop = folder / "loop.sumocfg";
  std::filesystem::create_symlink(loop, loop);
  const absl::Status status = FindSumoNetwork(loop).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("environment.settings.network: look for " + loop + ": Too many levels"),
            std::string::npos)
      << status;
  EXPECT_THAT(SumoVariables({.home = loop}), testing::ElementsAre("SUMO_HOME=" + loop));
}

}  // namespace
}  // namespace troupe
