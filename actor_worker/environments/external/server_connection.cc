#include "actor_worker/environments/external/server_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"

namespace troupe {
namespace {

constexpr size_t kPieceBytes = 16 << 10;
constexpr char kEnded[] = "the environment server ended";

absl::Status Broken(absl::string_view doing) {
  return absl::UnavailableError(
      absl::StrCat("the connection to the environment server broke while ", doing, ": ", std::strerror(errno)));
}

// What was said before the end is read first.
absl::Status WaitToRead(int socket, int end_file, SteadyTime deadline) {
  while (true) {
    // Late, look all the same: this process may have been paused, and the answer has come meanwhile.
    const int64_t left = std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - SteadyTime::Now()), 0, 1 << 30);
    pollfd descriptors[] = {{socket, POLLIN, 0}, {end_file, POLLIN, 0}};
    const int ready = poll(descriptors, 2, static_cast<int>(left));
    if (ready > 0 && descriptors[0].revents != 0) return absl::OkStatus();
    if (ready > 0) return absl::UnavailableError(kEnded);
    if (ready == 0 && left == 0) return absl::DeadlineExceededError("the environment server did not answer in time");
    if (ready < 0 && errno != EINTR) return Broken("waiting");
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerConnection>> ServerConnection::Create() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ResourceExhaustedError(absl::StrCat("no socket for an environment server: ", std::strerror(errno)));
  }
  return std::unique_ptr<ServerConnection>(new ServerConnection(ends[0], ends[1]));
}

ServerConnection::~ServerConnection() {
  close(own_end_);
  CloseServersEnd();
}

void ServerConnection::CloseServersEnd() {
  if (servers_end_ >= 0) close(servers_end_);
  servers_end_ = -1;
}

absl::Status ServerConnection::Send(absl::string_view line) {
  while (!line.empty()) {
    const ssize_t sent = send(own_end_, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      line.remove_prefix(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return absl::UnavailableError("the environment server does not read what it is sent");
    } else if (errno != EINTR) {
      return Broken("sending");
    }
  }
  return absl::OkStatus();
}

bool ServerConnection::HasUnread() const {
  char next = 0;
  return taken_ < received_.size() || recv(own_end_, &next, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

absl::StatusOr<absl::string_view> ServerConnection::Receive(absl::Duration timeout, int end_file) {
  const SteadyTime deadline = SteadyTime::Now() + timeout;
  received_.erase(0, taken_);
  taken_ = 0;
  size_t searched = 0;
  while (true) {
    const size_t newline = received_.find('\n', searched);
    if (newline != std::string::npos) {
      taken_ = newline + 1;
      return absl::string_view(received_).substr(0, newline);
    }
    searched = received_.size();
    if (searched > kMostLineBytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the environment server sent a line of more than ", kMostLineBytes, " bytes"));
    }
    RETURN_IF_ERROR(WaitToRead(own_end_, end_file, deadline));
    received_.resize(searched + kPieceBytes);
    const ssize_t got = recv(own_end_, received_.data() + searched, kPieceBytes, MSG_DONTWAIT);
    received_.resize(searched + std::max<ssize_t>(0, got));
    if (got == 0) return absl::UnavailableError(kEnded);
    if (got < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) return Broken("receiving");
  }
}

}  // namespace troupe
