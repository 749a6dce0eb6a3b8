// One environment server: the child process, the connection to it and the memory shared with it, as
// proto/environment_service.proto has them.
//
//   ASSIGN_OR_RETURN(auto server, EnvironmentServer::Launch(options));
//   RETURN_IF_ERROR(server->Greet());
//   loop:
//     write commands, seeds and actions to server->arrays()
//     RETURN_IF_ERROR(server->Ring());
//     … the server works …
//     RETURN_IF_ERROR(server->Await());
//     read the rest of server->arrays()
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_ENVIRONMENT_SERVER_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_ENVIRONMENT_SERVER_H_

#include <sys/types.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "actor_worker/environments/external/server_connection.h"
#include "actor_worker/environments/external/server_hello.h"
#include "actor_worker/environments/external/shared_arrays.h"
#include "actor_worker/environments/external/shared_memory.h"
#include "common/processes/limited_process.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// Not thread-safe. After an error the server is of no further use.
//
// Errors quote what the server said of itself, or else how its process ended and the last of what it printed:
//   INTERNAL           it answered with an error (the environment raised, observed a wrong shape, …), or nonsense
//   UNAVAILABLE        it ended, or closed the connection
//   DEADLINE_EXCEEDED  it did not answer in time; it was asked where it is (SIGABRT) and is gone
//   RESOURCE_EXHAUSTED the system refuses, or the copies take too much memory
class EnvironmentServer {
 public:
  static constexpr uint32_t kProtocolVersion = kEnvironmentProtocolVersion;

  struct Options {
    std::vector<std::string> command;  // program, by its path, and arguments
    std::map<std::string, std::string> arguments;
    int copies = 1;
    absl::Duration start_timeout = absl::Seconds(120);
    absl::Duration step_timeout = absl::Seconds(15);
    int64_t memory_limit_bytes = 0;
    bool operator==(const Options&) const = default;
  };

  // Starts the process, without waiting for it.
  static absl::StatusOr<std::unique_ptr<EnvironmentServer>> Launch(const Options& options);
  EnvironmentServer(const EnvironmentServer&) = delete;
  EnvironmentServer& operator=(const EnvironmentServer&) = delete;

  // Waits for the server's hello and prepares the memory. Once, before all else. More errors: INVALID_ARGUMENT naming
  // the field of a spec that cannot be.
  absl::Status Greet();

  // As the server told it.
  const EnvironmentSpec& spec() const { return spec_; }
  // All commands are kRest. Not to be touched between Ring and Await.
  SharedArrays& arrays() { return arrays_; }

  // Lets it do what the commands say.
  absl::Status Ring();
  // Waits until it has, and sets the commands to kRest.
  absl::Status Await();

  const Options& options() const { return options_; }
  pid_t pid() const { return process_->pid(); }

 private:
  explicit EnvironmentServer(const Options& options) : options_(options) {}
  absl::StatusOr<absl::string_view> Hear(absl::Duration timeout);
  absl::Status WithObituary(const absl::Status& status);

  const Options options_;
  std::unique_ptr<SharedMemory> memory_;
  std::unique_ptr<ServerConnection> connection_;
  std::unique_ptr<LimitedProcess> process_;
  EnvironmentSpec spec_;
  SharedArrays arrays_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_ENVIRONMENT_SERVER_H_
