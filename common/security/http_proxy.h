// Which HTTP proxy gRPC's channels go through.
#ifndef TROUPE_COMMON_SECURITY_HTTP_PROXY_H_
#define TROUPE_COMMON_SECURITY_HTTP_PROXY_H_

#include <functional>
#include <string>

namespace troupe {

// Reads an environment variable as std::getenv does.
using EnvironmentReader = std::function<const char*(const char*)>;

struct HttpProxy {
  std::string address;   // "HOST:PORT", without a user's name and password; empty: none
  std::string variable;  // that named it
};

// For a channel to `address` ("HOST:PORT"), by gRPC's own rule: the first that is set of grpc_proxy, https_proxy and
// http_proxy, if it is an http:// URL, unless the host ends like an entry of no_grpc_proxy or, where that is not set,
// of no_proxy. Unlike gRPC's rule, never for loopback addresses: no proxy reaches this machine's.
HttpProxy HttpProxyFor(const std::string& address, const EnvironmentReader& read);
HttpProxy HttpProxyFor(const std::string& address);

// "learner:7070", or "learner:7070 through the proxy 192.0.2.1:3128 (http_proxy)": for messages about a connection.
std::string DescribeRoute(const std::string& address);

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_HTTP_PROXY_H_
