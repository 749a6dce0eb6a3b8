#include "tests/environments/sumo_validation.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "actor_worker/environments/traffic/controllers.h"
#include "actor_worker/environments/traffic/play_episode.h"
#include "actor_worker/environments/traffic/queue_simulation.h"
#include "actor_worker/environments/traffic/sumo/network_export.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_simulation.h"
#include "actor_worker/environments/traffic/traffic_environment.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

TrafficSettings ValidationSettings() {
  TrafficSettings settings;
  settings.action_set = TrafficActionSet::kChoosePhase;
  settings.decision_interval_seconds = 5;
  settings.episode_seconds = kValidationSeconds;
  return settings;
}

// With parameters of their own, so that tuning the baselines leaves the golden figures valid.
absl::StatusOr<std::unique_ptr<Controller>> MakeController(const std::string& name) {
  if (name == "fixed_time") return MakeFixedTime(FixedTimeParameters{});
  if (name == "longest_queue_first") return MakeLongestQueueFirst(GreedyParameters{});
  if (name == "max_pressure") return MakeMaxPressure(GreedyParameters{});
  return absl::NotFoundError(absl::StrCat("no controller ", name));
}

double ChecksumOf(const std::vector<ListedVehicle>& vehicles) {
  uint64_t sum = 0;
  for (const ListedVehicle& vehicle : vehicles) {
    sum = sum * 31 + static_cast<uint64_t>(std::llround(vehicle.depart_seconds * 100)) + vehicle.edges.size() * 7 +
          static_cast<uint64_t>(vehicle.type);
    for (const char c : vehicle.edges.front() + vehicle.edges.back()) sum = sum * 31 + static_cast<uint8_t>(c);
  }
  return static_cast<double>(sum % 1000000007);
}

// Plays one episode and adds its figures, weighted 1 / runs.
absl::Status AddEpisode(std::unique_ptr<TrafficSimulation> simulation, const std::string& controller_name, int seed,
                        double weight, ValidationFigures& figures) {
  TrafficEnvironment environment("validation", std::move(simulation), ValidationSettings());
  ASSIGN_OR_RETURN(const auto controller, MakeController(controller_name));
  StepBuffers buffers(environment.spec());
  RETURN_IF_ERROR(environment.Reset(seed));
  controller->Begin(environment);
  std::map<std::string, double> queues;
  int decisions = 0;
  do {
    environment.Observe(buffers.observation);
    controller->Act(environment, buffers.observation, buffers.discrete, buffers.continuous);
    RETURN_IF_ERROR(environment.Step(buffers.action, buffers.outcome));
    for (size_t i = 0; i < environment.lanes().size(); ++i) {
      queues[environment.network().lanes[i].edge] += environment.lanes()[i].halting;
    }
    ++decisions;
  } while (!buffers.outcome.truncated);
  ASSIGN_OR_RETURN(const TrafficTotals totals, environment.Totals());
  figures.vehicles += weight * totals.scheduled;
  figures.waiting_seconds += weight * totals.waiting_seconds / totals.inserted;
  figures.time_loss_seconds += weight * totals.time_loss_seconds / totals.inserted;
  figures.depart_delay_seconds += weight * totals.depart_delay_seconds / totals.scheduled;
  figures.finished += weight * totals.finished;
  figures.teleported += weight * totals.teleported;
  for (const auto& [edge, sum] : queues) figures.approach_queues[edge] += weight * sum / decisions;
  return absl::OkStatus();
}

std::vector<ListedVehicle> VehiclesOf(const RoadNetwork& network, int vehicles_per_hour, int seed) {
  DemandSettings demand;
  demand.vehicles_per_hour = vehicles_per_hour;
  return DrawVehicleList(network, demand, kValidationSeconds, seed);
}

// A folder that is gone when this is.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sumo_validation_XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

std::vector<ValidationCase> AllValidationCases() {
  std::vector<ValidationCase> cases;
  for (const char* controller : kValidationControllers) {
    for (const int demand : kValidationDemands) cases.push_back({controller, demand});
  }
  return cases;
}

absl::StatusOr<ValidationFigures> RunBuiltIn(const ValidationCase& which, const QueueModel& model) {
  ASSIGN_OR_RETURN(const RoadNetwork network, LoadRoadNetwork(kValidationNetwork));
  ValidationFigures figures;
  for (const int seed : kValidationSeeds) {
    const std::vector<ListedVehicle> vehicles = VehiclesOf(network, which.vehicles_per_hour, seed);
    figures.checksum += ChecksumOf(vehicles);
    auto simulation = std::make_unique<QueueSimulation>(network, DemandSettings{}, IncidentSettings{}, model);
    RETURN_IF_ERROR(simulation->UseVehicleList(vehicles));
    RETURN_IF_ERROR(
        AddEpisode(std::move(simulation), which.controller, seed, 1.0 / std::size(kValidationSeeds), figures));
  }
  return figures;
}

absl::StatusOr<ValidationFigures> RunSumo(const ValidationCase& which, const SumoInstallation& installation,
                                          const std::vector<int>& seeds) {
  ASSIGN_OR_RETURN(const RoadNetwork network, LoadRoadNetwork(kValidationNetwork));
  ValidationFigures figures;
  for (const int seed : seeds) {
    const TemporaryFolder folder;
    const std::vector<ListedVehicle> vehicles = VehiclesOf(network, which.vehicles_per_hour, seed);
    figures.checksum += ChecksumOf(vehicles);
    ASSIGN_OR_RETURN(const std::string path, ExportToSumo(network, vehicles, installation, folder.path()));
    ASSIGN_OR_RETURN(SumoScenario scenario, ReadSumoScenario(path));
    SumoOptions options;
    options.installation = installation;
    RETURN_IF_ERROR(AddEpisode(std::make_unique<SumoSimulation>(std::move(scenario), options), which.controller, seed,
                               1.0 / static_cast<double>(seeds.size()), figures));
  }
  return figures;
}

ValidationFigures MeanOf(const std::vector<ValidationFigures>& figures) {
  ValidationFigures mean;
  const double weight = 1.0 / static_cast<double>(figures.size());
  for (const ValidationFigures& one : figures) {
    mean.vehicles += weight * one.vehicles;
    mean.checksum += one.checksum;
    mean.waiting_seconds += weight * one.waiting_seconds;
    mean.time_loss_seconds += weight * one.time_loss_seconds;
    mean.depart_delay_seconds += weight * one.depart_delay_seconds;
    mean.finished += weight * one.finished;
    mean.teleported += weight * one.teleported;
    for (const auto& [edge, queue] : one.approach_queues) mean.approach_queues[edge] += weight * queue;
  }
  return mean;
}

std::string FormatTable(const ValidationTable& table) {
  std::string text;
  for (const auto& [which, figures] : table) {
    absl::StrAppendFormat(&text,
                          "case %s %d vehicles=%.2f checksum=%.0f waiting_seconds=%.3f time_loss_seconds=%.3f "
                          "depart_delay_seconds=%.3f finished=%.2f teleported=%.2f",
                          which.controller, which.vehicles_per_hour, figures.vehicles, figures.checksum,
                          figures.waiting_seconds, figures.time_loss_seconds, figures.depart_delay_seconds,
                          figures.finished, figures.teleported);
    for (const auto& [edge, queue] : figures.approach_queues) absl::StrAppendFormat(&text, " %s=%.3f", edge, queue);
    text += "\n";
  }
  return text;
}

absl::StatusOr<ValidationTable> ReadTable(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  ValidationTable table;
  std::string line;
  while (std::getline(file, line)) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty() || words[0][0] == '#') continue;
    ValidationCase which;
    if (words.size() < 3 || words[0] != "case" || !absl::SimpleAtoi(words[2], &which.vehicles_per_hour)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": \"", line.substr(0, 60), "\", expected case NAME DEMAND …"));
    }
    which.controller = words[1];
    std::map<std::string, double> values;
    for (size_t i = 3; i < words.size(); ++i) {
      const std::pair<std::string, std::string> pair = absl::StrSplit(words[i], absl::MaxSplits('=', 1));
      if (!absl::SimpleAtod(pair.second, &values[pair.first])) {
        return absl::InvalidArgumentError(absl::StrCat(path, ": \"", words[i], "\", expected NAME=NUMBER"));
      }
    }
    const auto take = [&](const char* name) {
      const auto node = values.extract(name);
      return node.empty() ? std::nan("") : node.mapped();
    };
    ValidationFigures figures;
    figures.vehicles = take("vehicles");
    figures.checksum = take("checksum");
    figures.waiting_seconds = take("waiting_seconds");
    figures.time_loss_seconds = take("time_loss_seconds");
    figures.depart_delay_seconds = take("depart_delay_seconds");
    figures.finished = take("finished");
    figures.teleported = take("teleported");
    figures.approach_queues = std::move(values);
    table[which] = std::move(figures);
  }
  return table;
}

double QueueCorrelation(const ValidationFigures& a, const ValidationFigures& b) {
  double n = 0, sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (const auto& [edge, x] : a.approach_queues) {
    const auto other = b.approach_queues.find(edge);
    if (other == b.approach_queues.end()) return 0;
    const double y = other->second;
    n += 1;
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  return (ab - sum_a * sum_b / n) / std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
}

}  // namespace troupe
