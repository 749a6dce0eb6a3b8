// The comparison of the built-in traffic simulator with SUMO: the same network, vehicle lists and controllers.
#ifndef TROUPE_TESTS_ENVIRONMENTS_SUMO_VALIDATION_H_
#define TROUPE_TESTS_ENVIRONMENTS_SUMO_VALIDATION_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/queue_model.h"
#include "actor_worker/environments/traffic/sumo/installation.h"

namespace troupe {

inline constexpr const char* kValidationNetwork = "grid_3x3";
inline constexpr const char* kValidationControllers[] = {"fixed_time", "longest_queue_first", "max_pressure"};
inline constexpr int kValidationDemands[] = {1800, 3600, 4500, 5400, 7200};  // vehicles per hour
inline constexpr int kValidationSeeds[] = {11, 12, 13};  // one vehicle list each; calibration used lists 1, 2 and 3
inline constexpr int kValidationSeconds = 3600;

// One simulator, controller and demand; means over the seeds.
struct ValidationFigures {
  double vehicles = 0;              // scheduled
  double checksum = 0;              // of the vehicle lists: figures of other lists are not comparable
  double waiting_seconds = 0;       // per inserted vehicle
  double time_loss_seconds = 0;     // per inserted vehicle
  double depart_delay_seconds = 0;  // per scheduled vehicle
  double finished = 0;
  double teleported = 0;
  std::map<std::string, double> approach_queues;  // edge → standing vehicles, mean over decisions
};

struct ValidationCase {
  std::string controller;
  int vehicles_per_hour = 0;
  auto operator<=>(const ValidationCase&) const = default;
};
using ValidationTable = std::map<ValidationCase, ValidationFigures>;

std::vector<ValidationCase> AllValidationCases();

// Errors: what the simulators return.
absl::StatusOr<ValidationFigures> RunBuiltIn(const ValidationCase& which, const QueueModel& model = {});
absl::StatusOr<ValidationFigures> RunSumo(const ValidationCase& which, const SumoInstallation& installation,
                                          const std::vector<int>& seeds);

// Means of single seeds' figures; the checksum is their sum.
ValidationFigures MeanOf(const std::vector<ValidationFigures>& figures);

// Text, a line per case: "case CONTROLLER DEMAND name=value …"; lines that begin with # are comments.
std::string FormatTable(const ValidationTable& table);
absl::StatusOr<ValidationTable> ReadTable(const std::string& path);

// Pearson's correlation of the approaches' mean queues.
double QueueCorrelation(const ValidationFigures& a, const ValidationFigures& b);

}  // namespace troupe

#endif  // TROUPE_TESTS_ENVIRONMENTS_SUMO_VALIDATION_H_
