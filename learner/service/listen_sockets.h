// Sockets that listen at an address.
#ifndef TROUPE_LEARNER_SERVICE_LISTEN_SOCKETS_H_
#define TROUPE_LEARNER_SERVICE_LISTEN_SOCKETS_H_

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe {

// They do not block and are not passed on to children. Closes them, and removes a Unix socket's file while it is still
// its own. Not thread-safe.
class ListenSockets {
 public:
  // "HOST:PORT" (port 0: any; every address that HOST has, a wildcard in IPv4 and IPv6 alike) or "unix:PATH", where a
  // socket that nobody listens at any more gives way. UNAVAILABLE, naming the address: not one of them can be had.
  static absl::StatusOr<ListenSockets> Open(const std::string& address);

  ListenSockets() = default;
  ListenSockets(ListenSockets&& other) noexcept { *this = std::move(other); }
  ListenSockets& operator=(ListenSockets&& other) noexcept;
  ~ListenSockets();

  const std::vector<int>& descriptors() const { return descriptors_; }
  int port() const { return port_; }  // 0 of a Unix socket

 private:
  absl::Status OpenUnix(const std::string& path);
  absl::Status OpenTcp(const std::string& address);
  absl::Status Listen(int family, const sockaddr* address, socklen_t length);

  std::vector<int> descriptors_;
  int port_ = 0;
  std::string path_;  // of a Unix socket's file
  uint64_t inode_ = 0;
};

// An address of this machine's at which `descriptor` listens, as it must be dialled: of a Unix socket the file, of a
// wildcard its loopback address.
struct DialAddress {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};
DialAddress DialAddressOf(int descriptor);

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_LISTEN_SOCKETS_H_
