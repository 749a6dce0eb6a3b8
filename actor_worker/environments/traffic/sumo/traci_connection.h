// A TCP connection to one SUMO over which whole TraCI messages are exchanged, each within a time limit.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CONNECTION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actor_worker/environments/traffic/sumo/traci_codec.h"
#include "common/clock/steady_time.h"

namespace troupe::traci {

// Replies longer than this are refused: no network's subscriptions come near it.
inline constexpr int64_t kMaxReplyBytes = int64_t{64} << 20;

// Not thread-safe. After an error of Exchange the connection is of no further use.
class Connection {
 public:
  // Connects to a port of the loopback interface. Errors: UNAVAILABLE when nobody listens (yet).
  static absl::StatusOr<std::unique_ptr<Connection>> Connect(int port);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Sends a message and waits for its reply; the reader's bytes stay valid until the next call. Statuses inside the
  // reply are the caller's to read.
  // Errors: DEADLINE_EXCEEDED (SUMO hangs), UNAVAILABLE (the connection broke), INTERNAL (impossible length).
  absl::StatusOr<Reader> Exchange(const Message& message, absl::Duration timeout);

 private:
  explicit Connection(int socket) : socket_(socket) {}
  absl::Status Send(absl::string_view bytes, SteadyTime deadline);
  absl::Status Receive(char* bytes, size_t count, SteadyTime deadline);
  absl::Status WaitFor(short events, SteadyTime deadline);

  const int socket_;
  std::string reply_;
};

}  // namespace troupe::traci

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CONNECTION_H_
