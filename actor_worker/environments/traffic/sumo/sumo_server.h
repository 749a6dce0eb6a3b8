// One running SUMO, spoken to over TraCI: a child process and the connection to it, or what stands in for them.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SERVER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actor_worker/environments/traffic/sumo/installation.h"
#include "actor_worker/environments/traffic/sumo/traci_connection.h"
#include "common/processes/limited_process.h"

namespace troupe {

// Not thread-safe. After an error of Exchange the server is of no further use.
class SumoServer {
 public:
  virtual ~SumoServer() = default;

  struct Options {
    SumoInstallation installation;
    std::vector<std::string> arguments;  // without --remote-port
    int64_t memory_limit_bytes = 0;
    absl::Duration start_timeout = absl::Seconds(60);
    absl::Duration step_timeout = absl::Seconds(60);
  };

  // Starts SUMO on a loopback port nobody else has and connects to it.
  // Errors: UNAVAILABLE with SUMO's last words when it ends first, DEADLINE_EXCEEDED.
  static absl::StatusOr<std::unique_ptr<SumoServer>> Start(const Options& options);

  // traci::Connection::Exchange, with what became of the process added to its errors.
  virtual absl::StatusOr<traci::Reader> Exchange(const traci::Message& message) = 0;

  virtual pid_t pid() const = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_SUMO_SERVER_H_
