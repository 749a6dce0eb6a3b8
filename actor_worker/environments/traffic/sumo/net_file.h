// What is read from SUMO's files (https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html): roads, connections and
// signal programs, as they stand there. Internal edges, pavements and crossings are left out.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NET_FILE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NET_FILE_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "actor_worker/environments/traffic/simulation.h"
#include "actor_worker/environments/traffic/sumo/sumo_configuration.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"

namespace troupe {

struct NetLane {
  std::string id;
  double length_m = 0;
  // Direction of travel over the last 15 m, y to the north; not normalised.
  double heading_x = 0;
  double heading_y = 0;
  std::vector<MapPoint> shape{};
};

struct NetEdge {
  std::string id;
  std::vector<NetLane> lanes;  // by SUMO's lane index, 0 = outermost
};

struct NetConnection {
  int from_edge = 0;
  int from_lane = 0;
  int to_edge = 0;
  int to_lane = 0;
  int signal = -1;  // index into signals; -1: not signalised
  int link = -1;    // position of its light in the signal's state strings
  bool turnaround = false;
  bool through = false;  // straight on
};

struct NetPhase {
  double seconds = 0;
  std::string state;  // one letter per link: G g green, y yellow, r red, …
};

struct NetSignal {
  std::string id;
  std::vector<NetPhase> program;
};

struct NetFile {
  std::vector<NetEdge> edges;
  std::vector<NetConnection> connections;
  std::vector<NetSignal> signals;
  std::vector<std::string> written_files;  // by detectors and the like
};

// Reads the network, then the signal programs of the additional files, which replace the network's; all of them plain
// or gzipped. Errors: XmlReader's.
absl::StatusOr<NetFile> ReadNetFile(const SumoConfiguration& configuration);

// Adds what one file holds to `net`.
absl::Status ParseNet(XmlReader& xml, NetFile& net);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_NET_FILE_H_
