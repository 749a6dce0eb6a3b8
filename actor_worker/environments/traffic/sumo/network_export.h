// Writes the built-in simulator's networks and vehicle lists as SUMO files, so that both simulators run the same
// scenario: the same edges by name, lanes, turns, green phases, vehicles and ways.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NETWORK_EXPORT_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NETWORK_EXPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/arrivals.h"
#include "actor_worker/environments/traffic/road_network.h"
#include "actor_worker/environments/traffic/sumo/installation.h"

namespace troupe {

// Plain descriptions for netconvert (https://sumo.dlr.de/docs/Networks/PlainXML.html).
std::string SumoNodes(const RoadNetwork& network);
std::string SumoEdges(const RoadNetwork& network);
std::string SumoConnections(const RoadNetwork& network);
// Signal programs with the network's green phases in their order, 3 s of yellow between them.
std::string SumoSignals(const RoadNetwork& network);

// A routes file: one type per VehicleType by SUMO's vehicle classes, ids "TYPE.NUMBER", sorted by departure.
std::string SumoRoutes(const std::vector<ListedVehicle>& vehicles);

// Writes everything into `folder` (which exists), runs netconvert, and returns the path of the .sumocfg.
// Errors: INTERNAL with netconvert's words; UNAVAILABLE naming the file that cannot be written.
absl::StatusOr<std::string> ExportToSumo(const RoadNetwork& network, const std::vector<ListedVehicle>& vehicles,
                                         const SumoInstallation& installation, const std::string& folder);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NETWORK_EXPORT_H_
