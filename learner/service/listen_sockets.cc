#include "learner/service/listen_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"

namespace troupe {
namespace {

absl::Status Failure(const std::string& why) { return absl::UnavailableError(why); }

// Whether somebody listens at that file already.
bool IsTaken(const sockaddr_un& address) {
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  // EAGAIN: its queue is full.
  const bool taken =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 || errno == EAGAIN;
  close(probe);
  return taken;
}

// 0: no such file, or no socket.
uint64_t InodeOfSocket(const std::string& path) {
  struct stat found = {};
  return stat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode) ? found.st_ino : 0;
}

in_port_t* PortIn(sockaddr_storage* address) {
  return address->ss_family == AF_INET6 ? &reinterpret_cast<sockaddr_in6*>(address)->sin6_port
                                        : &reinterpret_cast<sockaddr_in*>(address)->sin_port;
}

}  // namespace

absl::StatusOr<ListenSockets> ListenSockets::Open(const std::string& address) {
  ListenSockets sockets;
  absl::string_view path = address;
  const absl::Status status =
      absl::ConsumePrefix(&path, "unix:") ? sockets.OpenUnix(std::string(path)) : sockets.OpenTcp(address);
  if (status.ok()) return sockets;
  return absl::UnavailableError(absl::StrCat("cannot listen on ", address, ": ", status.message()));
}

ListenSockets& ListenSockets::operator=(ListenSockets&& other) noexcept {
  std::swap(descriptors_, other.descriptors_);
  std::swap(port_, other.port_);
  std::swap(path_, other.path_);
  std::swap(inode_, other.inode_);
  return *this;
}

ListenSockets::~ListenSockets() {
  for (const int descriptor : descriptors_) close(descriptor);
  if (inode_ != 0 && InodeOfSocket(path_) == inode_) unlink(path_.c_str());
}

absl::Status ListenSockets::OpenUnix(const std::string& path) {
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ""};
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Failure(absl::StrCat("expected a path of 1 to ", sizeof(address.sun_path) - 1, " bytes"));
  }
  path.copy(address.sun_path, path.size());
  if (IsTaken(address)) return Failure("somebody does already");
  if (InodeOfSocket(path) != 0) unlink(path.c_str());
  RETURN_IF_ERROR(Listen(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address)));
  path_ = path;
  inode_ = InodeOfSocket(path);
  return absl::OkStatus();
}

absl::Status ListenSockets::OpenTcp(const std::string& address) {
  const size_t colon = address.rfind(':');
  uint32_t number = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &number) || number > 65535) {
    return Failure("expected HOST:PORT, the port from 0 to 65535");
  }
  if (IsWildcardAddress(address)) {
    sockaddr_in6 any = {};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(static_cast<uint16_t>(number));
    if (Listen(AF_INET6, reinterpret_cast<const sockaddr*>(&any), sizeof(any)).ok()) return absl::OkStatus();
    // No IPv6 here, or the port is taken, which the next says too.
    sockaddr_in any_four = {};
    any_four.sin_family = AF_INET;
    any_four.sin_port = htons(static_cast<uint16_t>(number));
    return Listen(AF_INET, reinterpret_cast<const sockaddr*>(&any_four), sizeof(any_four));
  }
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(HostOf(address).c_str(), absl::StrCat(number).c_str(), &hints, &found);
  if (error != 0) return Failure(gai_strerror(error));
  absl::Status first_error;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    sockaddr_storage wanted = {};
    std::memcpy(&wanted, one->ai_addr, one->ai_addrlen);
    // A port that was any for the first is the others' too.
    if (port_ != 0) *PortIn(&wanted) = htons(static_cast<uint16_t>(port_));
    first_error.Update(Listen(one->ai_family, reinterpret_cast<const sockaddr*>(&wanted), one->ai_addrlen));
  }
  freeaddrinfo(found);
  return descriptors_.empty() ? first_error : absl::OkStatus();
}

absl::Status ListenSockets::Listen(int family, const sockaddr* address, socklen_t length) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return Failure(std::strerror(errno));
  const int yes = 1, no = 0;
  // Not SO_REUSEPORT: two learners on one port would share its workers between them.
  if (family != AF_UNIX) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (family == AF_INET6) setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (bind(descriptor, address, length) != 0 || listen(descriptor, SOMAXCONN) != 0) {
    const int error = errno;
    close(descriptor);
    return Failure(std::strerror(error));
  }
  descriptors_.push_back(descriptor);
  if (family == AF_UNIX) return absl::OkStatus();
  sockaddr_storage bound = {};
  socklen_t bound_length = sizeof(bound);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &bound_length);
  port_ = ntohs(*PortIn(&bound));
  return absl::OkStatus();
}

DialAddress DialAddressOf(int descriptor) {
  DialAddress address;
  address.length = sizeof(address.bytes);
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&address.bytes), &address.length);
  if (auto* six = reinterpret_cast<sockaddr_in6*>(&address.bytes);
      address.bytes.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&six->sin6_addr)) {
    six->sin6_addr = in6addr_loopback;
  }
  if (auto* four = reinterpret_cast<sockaddr_in*>(&address.bytes);
      address.bytes.ss_family == AF_INET && four->sin_addr.s_addr == htonl(INADDR_ANY)) {
    four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  return address;
}

}  // namespace troupe
