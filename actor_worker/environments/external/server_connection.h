// Lines to and from an environment server, each within a time limit.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_CONNECTION_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// Not thread-safe. After an error the connection is of no further use.
class ServerConnection {
 public:
  // The longest line that is read; a hello names every number of every group.
  static constexpr size_t kMostLineBytes = 16 << 20;

  // A pair of connected Unix sockets. Errors: RESOURCE_EXHAUSTED when the system has none.
  static absl::StatusOr<std::unique_ptr<ServerConnection>> Create();
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // The server's end, for it to inherit; closed here by CloseServersEnd, so that its own end is noticed.
  int servers_end() const { return servers_end_; }
  void CloseServersEnd();

  // `line` ends in a newline and is short. Errors: UNAVAILABLE when the server has closed its end.
  absl::Status Send(absl::string_view line);
  // Whether something that the server has said was not received yet.
  bool HasUnread() const;
  // The next line, without its newline; good until the next call. `end_file`: LimitedProcess::end_file of the server,
  // for a process that it started may keep its end open.
  // Errors: DEADLINE_EXCEEDED; UNAVAILABLE when the server has closed its end or ended; RESOURCE_EXHAUSTED for a line
  // that is too long.
  absl::StatusOr<absl::string_view> Receive(absl::Duration timeout, int end_file);

 private:
  ServerConnection(int own_end, int servers_end) : own_end_(own_end), servers_end_(servers_end) {}

  const int own_end_;
  int servers_end_;
  std::string received_;
  size_t taken_ = 0;  // bytes of it, up to and including the last line's newline
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_SERVER_CONNECTION_H_
