#include "actor_worker/environments/traffic/sumo/traci_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace troupe::traci {
namespace {

absl::Status Broken(absl::string_view doing) {
  return absl::UnavailableError(absl::StrCat("TraCI connection broke while ", doing, ": ", std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Connect(int port) {
  const int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (handle < 0) return Broken("creating a socket");
  std::unique_ptr<Connection> connection(new Connection(handle));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return Broken("connecting");
  const int on = 1;
  setsockopt(handle, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) | O_NONBLOCK) != 0) return Broken("connecting");
  return connection;
}

Connection::~Connection() { close(socket_); }

absl::Status Connection::WaitFor(short events, SteadyTime deadline) {
  while (true) {
    // Late, look all the same: this process may have been paused, and the answer has come meanwhile.
    const int64_t left = std::clamp<int64_t>(absl::ToInt64Milliseconds(deadline - SteadyTime::Now()), 0, 1 << 30);
    pollfd descriptor{socket_, events, 0};
    const int ready = poll(&descriptor, 1, static_cast<int>(left));
    if (ready > 0) return absl::OkStatus();
    if (ready == 0 && left == 0) return absl::DeadlineExceededError("SUMO did not answer in time");
    if (ready < 0 && errno != EINTR) return Broken("waiting");
  }
}

absl::Status Connection::Send(absl::string_view bytes, SteadyTime deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      RETURN_IF_ERROR(WaitFor(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return Broken("sending");
    }
  }
  return absl::OkStatus();
}

absl::Status Connection::Receive(char* bytes, size_t count, SteadyTime deadline) {
  while (count > 0) {
    const ssize_t got = recv(socket_, bytes, count, 0);
    if (got > 0) {
      bytes += got;
      count -= got;
    } else if (got == 0) {
      return absl::UnavailableError("SUMO closed the TraCI connection");
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      RETURN_IF_ERROR(WaitFor(POLLIN, deadline));
    } else if (errno != EINTR) {
      return Broken("receiving");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Reader> Connection::Exchange(const Message& message, absl::Duration timeout) {
  const SteadyTime deadline = SteadyTime::Now() + timeout;
  RETURN_IF_ERROR(Send(message.Encode(), deadline));
  char header[4];
  RETURN_IF_ERROR(Receive(header, sizeof(header), deadline));
  const int64_t length = Reader(absl::string_view(header, sizeof(header))).Integer();
  if (length < 4 || length > kMaxReplyBytes) {
    return absl::InternalError(
        absl::StrCat("malformed TraCI reply: a message of length ", length, ", expected 4 to ", kMaxReplyBytes));
  }
  reply_.resize(length - 4);
  RETURN_IF_ERROR(Receive(reply_.data(), reply_.size(), deadline));
  return Reader(reply_);
}

}  // namespace troupe::traci
