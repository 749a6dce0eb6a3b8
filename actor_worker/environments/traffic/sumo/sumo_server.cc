#include "actor_worker/environments/traffic/sumo/sumo_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"

namespace troupe {
namespace {

constexpr absl::Duration kConnectInterval = absl::Milliseconds(2);
constexpr absl::Duration kDeathNotice = absl::Milliseconds(200);

// A loopback port reserved for the child. Both sockets allow reuse, so SUMO can bind it while it is held here, and the
// kernel gives it to nobody else meanwhile.
class ReservedPort {
 public:
  ReservedPort() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
      port_ = ntohs(address.sin_port);
    }
  }
  ~ReservedPort() {
    if (socket_ >= 0) close(socket_);
  }
  ReservedPort(const ReservedPort&) = delete;
  ReservedPort& operator=(const ReservedPort&) = delete;
  int port() const { return port_; }  // 0: none was to be had

 private:
  const int socket_;
  int port_ = 0;
};

absl::Status WithObituary(const absl::Status& status, LimitedProcess& process) {
  return absl::Status(status.code(),
                      absl::StrCat(status.message(), "; sumo (process ", process.pid(), ") ", process.Obituary()));
}

class RunningSumo final : public SumoServer {
 public:
  RunningSumo(absl::Duration step_timeout, std::unique_ptr<LimitedProcess> process)
      : step_timeout_(step_timeout), process_(std::move(process)) {}

  absl::StatusOr<traci::Reader> Exchange(const traci::Message& message) override;
  pid_t pid() const override { return process_->pid(); }

  LimitedProcess& process() { return *process_; }
  void set_connection(std::unique_ptr<traci::Connection> connection) { connection_ = std::move(connection); }

 private:
  const absl::Duration step_timeout_;
  const std::unique_ptr<LimitedProcess> process_;
  std::unique_ptr<traci::Connection> connection_;
};

absl::StatusOr<traci::Reader> RunningSumo::Exchange(const traci::Message& message) {
  auto reply = connection_->Exchange(message, step_timeout_);
  if (reply.ok()) return reply;
  const SteadyTime patience = SteadyTime::Now() + kDeathNotice;
  while (absl::IsUnavailable(reply.status()) && process_->IsRunning() && SteadyTime::Now() < patience) {
    absl::SleepFor(kConnectInterval);
  }
  return WithObituary(reply.status(), *process_);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SumoServer>> SumoServer::Start(const Options& options) {
  const ReservedPort reserved;
  if (reserved.port() == 0) return absl::InternalError(absl::StrCat("no loopback port: ", std::strerror(errno)));
  LimitedProcess::Options child;
  child.command = {options.installation.binary, "--remote-port", absl::StrCat(reserved.port()), "--num-clients", "1"};
  child.command.insert(child.command.end(), options.arguments.begin(), options.arguments.end());
  child.environment_overrides = SumoVariables(options.installation);
  child.memory_limit_bytes = options.memory_limit_bytes;

  ASSIGN_OR_RETURN(std::unique_ptr<LimitedProcess> process, LimitedProcess::Start(child));
  auto server = std::make_unique<RunningSumo>(options.step_timeout, std::move(process));
  const SteadyTime deadline = SteadyTime::Now() + options.start_timeout;
  while (true) {
    if (!server->process().IsRunning()) {
      return WithObituary(absl::UnavailableError("SUMO ended before it listened"), server->process());
    }
    auto connection = traci::Connection::Connect(reserved.port());
    if (connection.ok()) {
      server->set_connection(*std::move(connection));
      return server;
    }
    if (SteadyTime::Now() > deadline) {
      return WithObituary(absl::DeadlineExceededError("SUMO did not start listening in time"), server->process());
    }
    absl::SleepFor(kConnectInterval);
  }
}

}  // namespace troupe
