// What is read from SUMO's files (https://sumo.dlr.de/docs/Networks/SUMO_Road_Networks.html): roads, connections and
// signal programs, as they stand there. Internal edges, pavements and crossings are left out.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_NET_FILE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_NET_FILE_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace troupe {

struct NetLane {
  std::string id;
  double length_m = 0;
  // Direction of travel over the last 15 m, y to the north; not normalised.
  double heading_x = 0;
  double heading_y = 0;
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
};

// Files a .sumocfg names, made absolute by the configuration's folder.
struct SumoConfiguration {
  std::string net_file;
  std::vector<std::string> additional_files;
};

// Errors: NOT_FOUND, INVALID_ARGUMENT naming file and line, or that there is no net-file in it.
absl::StatusOr<SumoConfiguration> ReadSumoConfiguration(const std::string& path);

// Reads the network, then the signal programs of the additional files, which replace the network's.
absl::StatusOr<NetFile> ReadNetFile(const SumoConfiguration& configuration);

// The same from text, for tests.
absl::Status ParseNet(absl::string_view text, const std::string& file_name, NetFile& net);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SUMO_NET_FILE_H_
