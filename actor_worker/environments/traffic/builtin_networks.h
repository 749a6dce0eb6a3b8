// Networks compiled into the program, so that a worker needs no file.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_BUILTIN_NETWORKS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_BUILTIN_NETWORKS_H_

#include <string>

namespace troupe {

// The text (road_network.h) of a built-in network, nullptr when there is none of that name.
const char* BuiltinNetwork(const std::string& name);

// "nine_junctions, grid_3x3"
std::string BuiltinNetworkNames();

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_BUILTIN_NETWORKS_H_
