#include "common/security/http_proxy.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/security/addresses.h"

namespace troupe {
namespace {

bool IsExcepted(const std::string& host, const EnvironmentReader& read) {
  const char* list = read("no_grpc_proxy");
  if (list == nullptr) list = read("no_proxy");
  if (list == nullptr) return false;
  for (const absl::string_view entry : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    if (absl::EndsWithIgnoreCase(host, absl::StripAsciiWhitespace(entry))) return true;
  }
  return false;
}

}  // namespace

HttpProxy HttpProxyFor(const std::string& address, const EnvironmentReader& read) {
  if (IsLoopbackAddress(address) || IsExcepted(HostOf(address), read)) return {};
  for (const char* variable : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    const char* const value = read(variable);
    if (value == nullptr) continue;
    absl::string_view proxy = value;
    if (!absl::ConsumePrefix(&proxy, "http://")) return {};
    proxy = proxy.substr(0, proxy.find('/'));
    if (const size_t user = proxy.rfind('@'); user != absl::string_view::npos) proxy.remove_prefix(user + 1);
    return {std::string(proxy), variable};
  }
  return {};
}

HttpProxy HttpProxyFor(const std::string& address) {
  return HttpProxyFor(address, [](const char* name) { return std::getenv(name); });
}

std::string DescribeRoute(const std::string& address) {
  const HttpProxy proxy = HttpProxyFor(address);
  if (proxy.address.empty()) return address;
  return absl::StrCat(address, " through the proxy ", proxy.address, " (", proxy.variable, ")");
}

}  // namespace troupe
