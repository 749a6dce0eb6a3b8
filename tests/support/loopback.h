// Ports and plain connections on the loopback address, for tests that speak to a server without its own client.
#ifndef TROUPE_TESTS_SUPPORT_LOOPBACK_H_
#define TROUPE_TESTS_SUPPORT_LOOPBACK_H_

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace troupe::testing {

inline sockaddr_in LoopbackAddress(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A port nobody listens on at this moment.
inline int FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = LoopbackAddress(0);
  socklen_t length = sizeof(address);
  EXPECT_EQ(bind(probe, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length), 0);
  close(probe);
  return ntohs(address.sin_port);
}

// A socket connected to the port, for the caller to close.
inline int Connect(int port) {
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = LoopbackAddress(port);
  EXPECT_EQ(connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  return connection;
}

// All that the server at the port answers to `request`.
inline std::string HttpAsk(int port, const std::string& request) {
  const int connection = Connect(port);
  EXPECT_EQ(send(connection, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t got; (got = recv(connection, buffer, sizeof(buffer), 0)) > 0;) answer.append(buffer, got);
  close(connection);
  return answer;
}

// Headers and page, as a person's browser would ask for it, and as Prometheus would.
inline std::string HttpGet(int port, const std::string& path) {
  return HttpAsk(port, absl::StrCat("GET ", path, " HTTP/1.0\r\n\r\n"));
}
inline std::string Scrape(int port) {
  return HttpAsk(port, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n");
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_SUPPORT_LOOPBACK_H_
