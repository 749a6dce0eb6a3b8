// Where SUMO and its networks are on this machine. `deploy/setup.sh --sumo` puts both under .deps/sumo.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_INSTALLATION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_INSTALLATION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe {

struct SumoInstallation {
  std::string home;    // SUMO_HOME: holds bin/ and data/
  std::string binary;  // home + "/bin/sumo"
};

// Environment variables for SUMO's programs, "NAME=value": where SUMO is, and where the wheel keeps the tables of its
// projections (without them every start complains of a missing proj.db).
std::vector<std::string> SumoVariables(const SumoInstallation& installation);

// `setting` when it is not empty, else the variable SUMO_HOME, else .deps/sumo/site/sumo in the working directory, in
// the program's folder or in a folder above either.
// Errors: NOT_FOUND naming the places tried and the command that installs SUMO.
absl::StatusOr<SumoInstallation> FindSumo(const std::string& setting);

// Path of a .sumocfg: `network` itself when it ends in .sumocfg, else the network of that name under
// .deps/sumo/networks, looked for as above. Errors: NOT_FOUND, listing the networks there are.
absl::StatusOr<std::string> FindSumoNetwork(const std::string& network);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_INSTALLATION_H_
