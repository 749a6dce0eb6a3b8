#include "common/security/addresses.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace troupe {

std::string HostOf(const std::string& address) {
  if (absl::StartsWith(address, "[")) return address.substr(1, address.find(']') - 1);
  return address.substr(0, address.rfind(':'));
}

bool IsHostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || absl::StartsWith(address, "unix:")) return false;
  const std::string digits = address.substr(colon + 1);
  if (!std::ranges::all_of(digits, absl::ascii_isdigit) || !absl::SimpleAtoi(digits, &port)) return false;
  if (port < 1 || port > 65535) return false;
  std::string host = address.substr(0, colon);
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  return std::ranges::all_of(host, [&](char letter) {
    return absl::ascii_isalnum(letter) || letter == '.' || letter == '-' || (brackets && letter == ':');
  });
}

bool IsLoopbackAddress(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const std::string host = HostOf(address);
  if (host == "localhost") return true;
  in_addr four;
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six;
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

bool IsWildcardAddress(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return false;
  const std::string host = HostOf(address);
  return host.empty() || host == "0.0.0.0" || host == "::";
}

std::string AddressOf(const std::string& listen_address, int port) {
  if (absl::StartsWith(listen_address, "unix:")) return listen_address;
  return absl::StrCat(listen_address.substr(0, listen_address.rfind(':')), ":", port);
}

std::string AddressToDial(const std::string& listen_address, int port) {
  if (!IsWildcardAddress(listen_address)) return AddressOf(listen_address, port);
  return absl::StrCat(absl::StartsWith(listen_address, "[") ? "[::1]:" : "127.0.0.1:", port);
}

}  // namespace troupe
