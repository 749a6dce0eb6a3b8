// What is committed stays true: a short playthrough of traffic_grid, what is seen in one, and what SUMO made of the
// same vehicles and signal plans. TROUPE_UPDATE_GOLDEN=1 rewrites the playthroughs.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "actor_worker/environments/traffic/controllers.h"
#include "tests/environments/traffic_test_support.h"

namespace troupe {
namespace {

const std::string kFolder = std::string(TROUPE_SOURCE_DIR) + "/tests/golden/traffic/";

// What one junction sees of its phases, in the same play with the phases chosen.
std::string PhasePlaythrough() {
  const std::unique_ptr<Environment> environment =
      MakeTrafficGrid({{"decision_interval_seconds", "5"}, {"observation", "PHASES"}, {"action_set", "CHOOSE_PHASE"}});
  StepBuffers buffers(environment->spec());
  RandomPlayer player(7);
  EXPECT_TRUE(environment->Reset(7).ok());
  std::string text = "traffic_grid nine_junctions seed 7, J0 every 20 steps: a line per phase, then the junction\n";
  for (int step = 1; step <= 120; ++step) {
    environment->Observe(buffers.observation);
    player.Act(*environment, buffers.observation, buffers.discrete, buffers.continuous);
    EXPECT_TRUE(environment->Step(buffers.action, buffers.outcome).ok());
    environment->Observe(buffers.observation);
    if (step % 20 != 0) continue;
    absl::StrAppendFormat(&text, "step %d action %d", step, buffers.discrete[0][0]);
    const int size = environment->spec().groups[0].observation_size;
    for (int i = 0; i < size; ++i) {
      absl::StrAppendFormat(&text, "%s%.4f", i % kPhaseFeatures == 0 ? "\n " : " ",
                            buffers.observation.groups[0].observations[i]);
    }
    text += "\n";
  }
  return text;
}

std::string Playthrough() {
  const std::unique_ptr<Environment> environment = MakeTrafficGrid({{"decision_interval_seconds", "5"}});
  StepBuffers buffers(environment->spec());
  RandomPlayer player(7);
  EXPECT_TRUE(environment->Reset(7).ok());
  std::string text = "traffic_grid nine_junctions seed 7: actions | rewards | state extras\n";
  for (int step = 1; step <= 60; ++step) {
    environment->Observe(buffers.observation);
    player.Act(*environment, buffers.observation, buffers.discrete, buffers.continuous);
    EXPECT_TRUE(environment->Step(buffers.action, buffers.outcome).ok());
    environment->Observe(buffers.observation);
    for (const int action : buffers.discrete[0]) absl::StrAppendFormat(&text, "%d ", action);
    text += "|";
    for (const float reward : buffers.outcome.rewards[0]) absl::StrAppendFormat(&text, " %.4f", reward);
    text += " |";
    for (const float extra : buffers.observation.state_extras) absl::StrAppendFormat(&text, " %.4f", extra);
    text += "\n";
    if (step % 20 == 0) text += environment->Render();
  }
  return text;
}

void ExpectCommitted(const std::string& played, const std::string& name) {
  const std::string path = kFolder + name;
  if (std::getenv("TROUPE_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << played;
  std::ifstream file(path);
  std::ostringstream committed;
  committed << file.rdbuf();
  EXPECT_EQ(played, committed.str());
}

TEST(TrafficGoldenTest, PlaysTheCommittedPlaythrough) { ExpectCommitted(Playthrough(), "playthrough.txt"); }

TEST(TrafficGoldenTest, SeesTheCommittedPhases) { ExpectCommitted(PhasePlaythrough(), "playthrough_phases.txt"); }

// One signal plan and demand, as SUMO 1.28 simulated it. File: lines "PLAN VEHICLES_PER_HOUR TIME_LOSS WAITING COUNT",
// means over inserted vehicles in seconds, each followed by COUNT pairs "EDGE MEAN_STANDING_VEHICLES".
struct SumoRun {
  std::string plan;
  double vehicles_per_hour = 0, time_loss_seconds = 0, waiting_seconds = 0;
  std::map<std::string, double> queue;
};

std::vector<SumoRun> ReadSumoRuns() {
  std::ifstream file(kFolder + "sumo_grid_3x3.txt");
  std::vector<SumoRun> runs;
  std::string line;
  while (file.peek() == '#') std::getline(file, line);
  SumoRun run;
  int edges = 0;
  while (file >> run.plan >> run.vehicles_per_hour >> run.time_loss_seconds >> run.waiting_seconds >> edges) {
    run.queue.clear();
    for (std::string edge; edges > 0; --edges) {
      file >> edge;
      file >> run.queue[edge];
    }
    runs.push_back(run);
  }
  return runs;
}

std::vector<ListedVehicle> Vehicles(double vehicles_per_hour) {
  DemandSettings demand;
  demand.vehicles_per_hour = vehicles_per_hour;
  return DrawVehicleList(*LoadRoadNetwork("grid_3x3"), demand, 3600, 1);
}

const std::map<std::string, std::vector<double>> kPlans = {
    {"base", {25, 8, 25, 8}}, {"short", {12, 5, 12, 5}}, {"long", {40, 12, 40, 12}}, {"nsheavy", {40, 10, 15, 6}}};

VehicleListResult RunBuiltIn(const SumoRun& run) {
  RoadNetwork network = *LoadRoadNetwork("grid_3x3");
  const std::vector<ListedVehicle> vehicles = Vehicles(run.vehicles_per_hour);
  for (TrafficJunction& junction : network.traffic.junctions) junction.program_green_seconds = kPlans.at(run.plan);
  return *RunVehicleList(network, vehicles, TrafficSettings{}, *MakeFixedTime({}), 1);
}

TEST(TrafficGoldenTest, DelaysAgreeWithSumoOnTheSameVehiclesAndPlans) {
  const std::vector<SumoRun> runs = ReadSumoRuns();
  ASSERT_EQ(runs.size(), 16u);
  double error = 0;
  for (const SumoRun& run : runs) {
    const TrafficTotals totals = RunBuiltIn(run).totals;
    const double loss = totals.time_loss_seconds / totals.inserted / run.time_loss_seconds - 1;
    const double waiting = totals.waiting_seconds / totals.inserted / run.waiting_seconds - 1;
    EXPECT_LT(std::abs(loss), 0.15) << run.plan << " " << run.vehicles_per_hour;
    EXPECT_LT(std::abs(waiting), 0.15) << run.plan << " " << run.vehicles_per_hour;
    error += (std::abs(loss) + std::abs(waiting)) / 2 / runs.size();
  }
  EXPECT_LT(error, 0.045);
}

TEST(TrafficGoldenTest, QueuesPerApproachCorrelateWithSumo) {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  for (const SumoRun& run : ReadSumoRuns()) {
    // East and west are starved there: queues grow through the whole hour, and where they stand is chance.
    if (run.plan == "nsheavy" && run.vehicles_per_hour > 5400) continue;
    const RoadNetwork network = *LoadRoadNetwork("grid_3x3");
    std::map<std::string, double> queue;
    const VehicleListResult result = RunBuiltIn(run);
    for (size_t i = 0; i < result.mean_queue.size(); ++i) {
      queue[network.traffic.lanes[i].edge] += result.mean_queue[i];
    }
    for (const auto& [edge, built_in] : queue) {
      const double sumo = run.queue.at(edge);
      n += 1;
      x += built_in;
      y += sumo;
      xx += built_in * built_in;
      yy += sumo * sumo;
      xy += built_in * sumo;
    }
  }
  EXPECT_EQ(n, 15 * 36);
  EXPECT_GT((n * xy - x * y) / std::sqrt((n * xx - x * x) * (n * yy - y * y)), 0.9);
}

// Not a test: writes the vehicles as SUMO's route files, for make_sumo_reference.py.
TEST(TrafficGoldenTest, DISABLED_WritesVehiclesForSumo) {
  const char* const folder = std::getenv("TROUPE_VEHICLES_FOLDER");
  ASSERT_NE(folder, nullptr);
  for (const int demand : {1800, 3600, 5400, 7200}) {
    std::ofstream file(absl::StrFormat("%s/vehicles.%d.rou.xml", folder, demand));
    file << "<routes>\n<vType id=\"car\" vClass=\"passenger\"/>\n"
         << "<vType id=\"motorcycle\" vClass=\"motorcycle\" length=\"2.25\"/>\n"
         << "<vType id=\"bus\" vClass=\"bus\" length=\"12\" speedFactor=\"normc(0.95,0.1,0.2,2)\"/>\n"
         << "<vType id=\"truck\" vClass=\"truck\" length=\"7.125\" speedFactor=\"normc(0.95,0.1,0.2,2)\"/>\n"
         << "<vType id=\"emergency\" vClass=\"emergency\" speedFactor=\"normc(1.3,0.1,0.2,2)\"/>\n";
    int number = 0;
    for (const ListedVehicle& vehicle : Vehicles(demand)) {
      absl::Format(&file,
                   "<vehicle id=\"%d\" type=\"%s\" depart=\"%.2f\" departLane=\"best\" departSpeed=\"max\">"
                   "<route edges=\"%s\"/></vehicle>\n",
                   number++, kVehicleTypeNames[static_cast<int>(vehicle.type)], vehicle.depart_seconds,
                   absl::StrJoin(vehicle.edges, " "));
    }
    file << "</routes>\n";
  }
}

}  // namespace
}  // namespace troupe
