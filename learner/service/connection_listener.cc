#include "learner/service/connection_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/security/addresses.h"
#include "learner/service/reaction.h"

namespace troupe {
namespace {

// Taken of one socket before the others are looked at.
constexpr int kAtOnce = 64;
// Until a connection that waits for a descriptor is tried again.
constexpr int kRetryMs = 100;

// RFC 9113: the client's preface and its empty SETTINGS; the server begins with a SETTINGS frame of its own.
constexpr absl::string_view kPreface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
constexpr size_t kFrameHeaderBytes = 9;
constexpr size_t kFrameTypeByte = 3;
constexpr char kSettingsFrame = 4;

// What connections may have, by the limit as it is now.
int MostDescriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const uint64_t most = std::min<uint64_t>(limit.rlim_cur, 1 << 30);
  return static_cast<int>(most - std::min(ConnectionListener::kOwnDescriptors, most / 4));
}

bool IsWantOfDescriptors(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

std::string BytesOf(const sockaddr_storage& address, socklen_t length) {
  return std::string(reinterpret_cast<const char*>(&address), std::min<size_t>(length, sizeof(address)));
}

// Closes itself.
struct Socket {
  explicit Socket(int descriptor) : descriptor(descriptor) {}
  ~Socket() {
    if (descriptor >= 0) close(descriptor);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  const int descriptor;
};

// Binds to an address of its own that the other side will see: of the same host, any port; of a Unix socket a name that
// the kernel invents.
bool BindBeside(int descriptor, const DialAddress& to) {
  sockaddr_storage from = to.bytes;
  socklen_t length = to.length;
  if (from.ss_family == AF_UNIX) length = sizeof(sa_family_t);
  if (from.ss_family == AF_INET) reinterpret_cast<sockaddr_in*>(&from)->sin_port = 0;
  if (from.ss_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(&from)->sin6_port = 0;
  return bind(descriptor, reinterpret_cast<const sockaddr*>(&from), length) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionListener>> ConnectionListener::Open(const std::string& address) {
  ASSIGN_OR_RETURN(ListenSockets sockets, ListenSockets::Open(address));
  const std::string with_port = AddressOf(address, sockets.port());
  return std::unique_ptr<ConnectionListener>(new ConnectionListener(with_port, std::move(sockets)));
}

ConnectionListener::ConnectionListener(std::string address, ListenSockets sockets)
    : address_(std::move(address)),
      port_(sockets.port()),
      halt_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      sockets_(std::move(sockets)) {}

ConnectionListener::~ConnectionListener() {
  Stop();
  close(halt_);
  close(stop_);
}

void ConnectionListener::Serve(Doors doors) {
  doors_ = std::move(doors);
  absl::MutexLock lock(&life_mutex_);
  serves_ = true;
  Start();
}

void ConnectionListener::Start() {
  thread_ = NamedThread("accept", [this] { Run(); });
}

void ConnectionListener::Halt() {
  eventfd_write(halt_, 1);
  thread_.Join();
  eventfd_t ignored;
  eventfd_read(halt_, &ignored);
}

void ConnectionListener::Stop() {
  eventfd_write(stop_, 1);
  absl::MutexLock lock(&life_mutex_);
  if (std::exchange(stopped_, true)) return;
  Halt();
  sockets_ = ListenSockets();
}

absl::Status ConnectionListener::Reopen() {
  absl::MutexLock lock(&life_mutex_);
  if (stopped_ || !serves_) return absl::CancelledError("the listener is stopped");
  Halt();
  sockets_ = ListenSockets();
  absl::StatusOr<ListenSockets> sockets = ListenSockets::Open(address_);
  if (sockets.ok()) sockets_ = *std::move(sockets);
  Start();
  return sockets.status();
}

void ConnectionListener::Run() {
  const std::vector<int>& listeners = sockets_.descriptors();
  std::vector<pollfd> waits;
  while (true) {
    waits.assign(1, {halt_, POLLIN, 0});
    for (const int listener : listeners) waits.push_back({listener, POLLIN, 0});
    for (const Silent& each : silent_) waits.push_back({each.connection, POLLIN, 0});
    if (poll(waits.data(), waits.size(), silent_.empty() ? -1 : kRetryMs) < 0 && errno != EINTR) break;
    if (waits[0].revents != 0) break;
    // Before others come, whose descriptors may be those of connections that end here.
    LookAtSilent(waits, 1 + listeners.size());
    bool room = true;
    for (size_t i = 1; i <= listeners.size(); ++i) {
      if (waits[i].revents != 0) room &= Accept(waits[i].fd);
    }
    has_room_ = room;
    // What waits there stays, and would be told again at once.
    if (!room && poll(waits.data(), 1, kRetryMs) > 0) break;
  }
  while (CloseLongestSilent()) {
  }
}

void ConnectionListener::LookAtSilent(const std::vector<pollfd>& waits, size_t first) {
  std::deque<Silent> before;
  before.swap(silent_);
  const SteadyTime now = SteadyTime::Now();
  for (size_t i = 0; i < before.size(); ++i) {
    const Silent& each = before[i];
    if (waits[first + i].revents != 0) {
      HandOver(each.listener, each.connection, each.is_own);
    } else if (now - each.since >= kSilence) {
      close(each.connection);
      doors_.refused(Refusal::kSilent);
    } else {
      silent_.push_back(each);
    }
  }
}

bool ConnectionListener::CloseLongestSilent() {
  if (silent_.empty()) return false;
  close(silent_.front().connection);
  silent_.pop_front();
  return true;
}

bool ConnectionListener::Accept(int listener) {
  for (int i = 0; i < kAtOnce; ++i) {
    sockaddr_storage peer = {};
    socklen_t length = sizeof(peer);
    const int connection = accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const bool wants = connection < 0 ? IsWantOfDescriptors(errno) : connection >= MostDescriptors();
    // Nobody waits any more. Whatever else it is belongs to the connection that would have come.
    if (connection < 0 && !wants) return true;
    const bool is_own = connection >= 0 && IsExpected(BytesOf(peer, length));
    if ((wants && !is_own) || silent_.size() >= kMostSilent) {
      const bool made_room = CloseLongestSilent();
      doors_.refused(made_room ? Refusal::kSilent : Refusal::kNoDescriptors);
      if (!made_room && connection >= 0) {
        close(connection);
        continue;
      }
      if (connection < 0) return made_room;
    }
    silent_.push_back({listener, connection, is_own, SteadyTime::Now()});
  }
  return true;
}

void ConnectionListener::HandOver(int listener, int connection, bool is_own) {
  // As gRPC's own listener has them; a Unix socket knows none of them.
  const int yes = 1;
  const auto patience_ms = static_cast<unsigned int>(absl::ToInt64Milliseconds(doors_.patience));
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  setsockopt(connection, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof(patience_ms));
  (void)WithoutThrowing([&] {
    Acceptor::NewConnectionParameters parameters;
    parameters.listener_fd = listener;
    parameters.fd = connection;
    (is_own ? doors_.own : doors_.peers)->HandleNewConnection(&parameters);
    return absl::OkStatus();
  });
}

void ConnectionListener::Expect(const std::string& dialler) {
  absl::MutexLock lock(&dial_mutex_);
  dialler_ = dialler;
}

bool ConnectionListener::IsExpected(const std::string& peer) {
  absl::MutexLock lock(&dial_mutex_);
  return !dialler_.empty() && dialler_ == peer;
}

absl::Status ConnectionListener::Dial(absl::Duration patience) {
  std::vector<DialAddress> addresses;
  {
    absl::MutexLock lock(&life_mutex_);
    if (stopped_) return absl::CancelledError("the listener is stopped");
    for (const int listener : sockets_.descriptors()) addresses.push_back(DialAddressOf(listener));
  }
  if (addresses.empty()) return absl::UnavailableError("nobody listens");
  for (const DialAddress& address : addresses) RETURN_IF_ERROR(DialOne(address, patience));
  return absl::OkStatus();
}

absl::Status ConnectionListener::DialOne(const DialAddress& to, absl::Duration patience) {
  const SteadyTime deadline = SteadyTime::Now() + patience;
  const Socket dialled(socket(to.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (dialled.descriptor < 0 || !BindBeside(dialled.descriptor, to)) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot dial: ", std::strerror(errno)));
  }
  sockaddr_storage from = {};
  socklen_t length = sizeof(from);
  getsockname(dialled.descriptor, reinterpret_cast<sockaddr*>(&from), &length);
  Expect(BytesOf(from, length));
  if (connect(dialled.descriptor, reinterpret_cast<const sockaddr*>(&to.bytes), to.length) != 0 &&
      errno != EINPROGRESS) {
    return absl::UnavailableError(absl::StrCat("connect: ", std::strerror(errno)));
  }
  std::string answer;
  size_t sent = 0;
  while (answer.size() < kFrameHeaderBytes) {
    const absl::Duration left = deadline - SteadyTime::Now();
    pollfd waits[2] = {{dialled.descriptor, static_cast<int16_t>(sent < kPreface.size() ? POLLOUT : POLLIN), 0},
                       {stop_, POLLIN, 0}};
    if (left <= absl::ZeroDuration() || poll(waits, 2, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1) == 0) {
      const std::string waited = absl::StrCat("no answer within ", absl::FormatDuration(patience));
      return has_room_ ? absl::UnavailableError(waited)
                       : absl::ResourceExhaustedError(absl::StrCat(waited, ": no descriptor is left"));
    }
    if (waits[1].revents != 0) return absl::CancelledError("the listener is stopped");
    if (waits[0].revents == 0) continue;
    char bytes[64];
    const bool sends = sent < kPreface.size();
    const ssize_t passed = sends
                               ? send(dialled.descriptor, kPreface.data() + sent, kPreface.size() - sent, MSG_NOSIGNAL)
                               : recv(dialled.descriptor, bytes, sizeof(bytes), 0);
    if (passed < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (passed < 0) return absl::UnavailableError(std::strerror(errno));
    if (passed == 0) return absl::UnavailableError("the connection is closed at once");
    if (sends) {
      sent += static_cast<size_t>(passed);
    } else {
      answer.append(bytes, static_cast<size_t>(passed));
    }
  }
  return answer[kFrameTypeByte] == kSettingsFrame ? absl::OkStatus()
                                                  : absl::UnavailableError("what answers does not speak HTTP/2");
}

}  // namespace troupe
