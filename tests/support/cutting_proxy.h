// Between clients and a server of this machine: passes bytes on, holds back what the server answers, and breaks
// connections, as networks do.
#ifndef TROUPE_TESTS_SUPPORT_CUTTING_PROXY_H_
#define TROUPE_TESTS_SUPPORT_CUTTING_PROXY_H_

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <list>
#include <string>
#include <vector>

#include "common/threads/named_thread.h"
#include "tests/support/loopback.h"

namespace troupe::testing {

// Thread-safe.
class CuttingProxy {
 public:
  explicit CuttingProxy(int server_port) : server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = LoopbackAddress(0);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(listen(listener_, 64), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    port_ = ntohs(address.sin_port);
    thread_ = NamedThread("proxy", [this] { Run(); });
  }
  ~CuttingProxy() {
    ending_ = true;
    thread_.Join();
    close(listener_);
  }

  int port() const { return port_; }
  // From now on nothing that the server says arrives, until Release or, on new connections, Cut.
  void Hold() { holding_ = true; }
  void Release() { holding_ = false; }
  // Breaks every connection there is, with all that is held. Returns when that is done.
  void Cut() {
    cut_ = true;
    while (cut_) std::this_thread::yield();
    holding_ = false;
  }

 private:
  struct Pair {
    int client, server;
    bool broken = false;
  };
  static constexpr int kLookMilliseconds = 2;

  static bool Relay(int from, int to) {
    char buffer[1 << 16];
    const ssize_t got = recv(from, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return true;
    for (ssize_t at = 0; at < got;) {
      const ssize_t sent = send(to, buffer + at, static_cast<size_t>(got - at), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += sent;
    }
    return got > 0;
  }

  void Run() {
    while (!ending_) {
      std::vector<pollfd> looks = {{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        looks.push_back({pair.client, POLLIN, 0});
        looks.push_back({pair.server, static_cast<short>(holding_ ? 0 : POLLIN), 0});
      }
      poll(looks.data(), looks.size(), kLookMilliseconds);
      size_t at = 1;
      for (Pair& pair : pairs_) {
        if (looks[at++].revents != 0) pair.broken |= !Relay(pair.client, pair.server);
        if ((looks[at++].revents & POLLIN) != 0) pair.broken |= !Relay(pair.server, pair.client);
      }
      const bool all = cut_;
      pairs_.remove_if([all](const Pair& pair) {
        if (!all && !pair.broken) return false;
        close(pair.client);
        close(pair.server);
        return true;
      });
      if (all) cut_ = false;
      if (looks[0].revents == 0) continue;
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) pairs_.push_back({client, Connect(server_port_)});
    }
    for (const Pair& pair : pairs_) {
      close(pair.client);
      close(pair.server);
    }
  }

  const int server_port_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> holding_ = false, cut_ = false, ending_ = false;
  std::list<Pair> pairs_;  // the thread's
  NamedThread thread_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_SUPPORT_CUTTING_PROXY_H_
