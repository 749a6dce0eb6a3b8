// The project's own 3×3 network in the installed SUMO, for live tests; they are skipped where there is none.
#ifndef TROUPE_TESTS_ENVIRONMENTS_LIVE_SUMO_H_
#define TROUPE_TESTS_ENVIRONMENTS_LIVE_SUMO_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/traffic/play_episode.h"
#include "actor_worker/environments/traffic/sumo/network_export.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"

namespace troupe {

EnvironmentEntry SumoEntry();

// No downloaded network is needed.
class LiveSumo : public testing::Test {
 protected:
  void SetUp() override {
    const auto installation = FindSumo("");
    if (!installation.ok()) GTEST_SKIP() << installation.status();
    options_.installation = *installation;
    const auto network = LoadRoadNetwork("grid_3x3");
    ASSERT_TRUE(network.ok());
    DemandSettings demand;
    demand.vehicles_per_hour = 3600;
    demand.emergency_share = 0.05;
    vehicles_ = DrawVehicleList(*network, demand, 600, 7);
    const auto path = ExportToSumo(*network, vehicles_, *installation, folder_.path());
    ASSERT_TRUE(path.ok()) << path.status();
    configuration_ = *path;
  }

  std::unique_ptr<SumoSimulation> Make() {
    auto scenario = ReadSumoScenario(configuration_);
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return std::make_unique<SumoSimulation>(*std::move(scenario), options_);
  }
  // All measurements while the lights change round every 20 s.
  static std::vector<float> Play(SumoSimulation& simulation, uint64_t seed, int seconds) {
    EXPECT_TRUE(simulation.Reset(seed).ok());
    std::vector<float> trace;
    const int junctions = static_cast<int>(simulation.network().junctions.size());
    for (int second = 0; second < seconds; second += 5) {
      for (int j = 0; second % 20 == 0 && j < junctions; ++j) {
        simulation.SetSignal(j, {SignalStage::kGreen, second / 20 % 4, 0});
      }
      const absl::Status status = simulation.Advance(5);
      EXPECT_TRUE(status.ok()) << status;
      if (!status.ok()) break;
      for (const LaneMeasurement& lane : simulation.Measure()) {
        for (const float value : {lane.halting, lane.vehicles, lane.weighted_vehicles, lane.occupancy,
                                  lane.waiting_seconds, lane.emergency_vehicles, lane.departed}) {
          trace.push_back(value);
        }
      }
    }
    return trace;
  }

  // Other vehicles for the network.
  template <typename Write>
  void WriteRoutes(const Write& write) {
    std::string text = "<routes>";
    write(text);
    std::ofstream(folder_.path() + "/grid_3x3.rou.xml") << text << "</routes>";
  }
  // On the way of the first vehicle of the list.
  void AddVehicle(std::string& text, const char* type, int depart_seconds) const {
    absl::StrAppend(&text, "<vehicle id=\"", type, ".", depart_seconds, "\" type=\"", type, "\" depart=\"",
                    depart_seconds, "\"><route edges=\"", absl::StrJoin(vehicles_[0].edges, " "), "\"/></vehicle>");
  }
  static LaneMeasurement Sum(absl::Span<const LaneMeasurement> lanes) {
    LaneMeasurement sum;
    for (const LaneMeasurement& lane : lanes) {
      sum.vehicles += lane.vehicles;
      sum.weighted_vehicles += lane.weighted_vehicles;
      sum.emergency_vehicles += lane.emergency_vehicles;
    }
    return sum;
  }

  TemporaryFolder folder_;
  SumoOptions options_;
  std::vector<ListedVehicle> vehicles_;
  std::string configuration_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_LIVE_SUMO_H_
