// What is taken from a user's .sumocfg (https://sumo.dlr.de/docs/sumo.html), and what is not: the file is handed to
// SUMO as it is, so an option in it that breaks a promise of the environment is taken back on SUMO's command line,
// which wins, or refused by name.
//
// Taken back, silently: who draws randomness (random, seed, threads), when vehicles teleport (the environment's
// settings say that), the end, how times are written, tls.all-off, and every file that SUMO would write, for all copies
// of the environment would write the same one. Refused: what would make the delays wrong (load-state,
// max-depart-delay), other kinds of simulation (mesosim), steps that do not fit into a second, saved states. All else
// is the user's: begin, scale, routing, driver models and the like.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_CONFIGURATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_CONFIGURATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"

namespace troupe {

struct SumoConfiguration {
  // Made absolute by the configuration's folder.
  std::string net_file;
  std::vector<std::string> additional_files;
  // Command-line arguments that take back what the file sets, beside FixedSumoArguments.
  std::vector<std::string> overrides;
};

// Errors: NOT_FOUND; INVALID_ARGUMENT naming file and line, the file and the option that is refused and why, or that
// there is no net-file in it.
absl::StatusOr<SumoConfiguration> ReadSumoConfiguration(const std::string& path);
// The same of what `xml` reads, as if it stood in `path`.
absl::StatusOr<SumoConfiguration> ParseSumoConfiguration(XmlReader& xml, const std::string& path);

// What every SUMO is started with, whatever the user's files say: options and their values in turn.
const std::vector<std::string>& FixedSumoArguments();

// The user's further command-line arguments: INVALID_ARGUMENT for one that is refused in a .sumocfg too, or that the
// environment itself, or `overrides` of the .sumocfg, set already (SUMO takes an option once).
absl::Status CheckSumoOptions(const std::vector<std::string>& options, const std::vector<std::string>& overrides);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_CONFIGURATION_H_
