// What protects a benchmark's wire: nothing, TLS, or TLS with certificates on both sides.
#ifndef TROUPE_TESTS_BENCHMARKS_SUPPORT_WIRE_SECURITY_H_
#define TROUPE_TESTS_BENCHMARKS_SUPPORT_WIRE_SECURITY_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "common/security/client_credentials.h"
#include "common/security/server_security.h"
#include "tests/benchmarks/support/must.h"

namespace troupe::testing {

// The files are those that deploy/certificates.sh makes in a folder.
enum class WireSecurity { kPlain, kTls, kMutualTls };

inline WireSecurity WireSecurityOf(const std::string& name) {
  if (name == "plain") return WireSecurity::kPlain;
  if (name == "tls") return WireSecurity::kTls;
  Must(name == "mutual_tls", absl::StrCat("reading \"", name, "\" as plain, tls or mutual_tls"));
  return WireSecurity::kMutualTls;
}

inline ServerSecurity ServerSide(WireSecurity security, const std::string& folder) {
  ServerSecurity files;
  if (security == WireSecurity::kPlain) return files;
  files.tls_certificate = absl::StrCat(folder, "/learner.pem");
  files.tls_key = absl::StrCat(folder, "/learner.key");
  if (security == WireSecurity::kMutualTls) files.tls_client_ca = absl::StrCat(folder, "/ca.pem");
  return files;
}

inline ClientSecurity ClientSide(WireSecurity security, const std::string& folder) {
  ClientSecurity files;
  if (security == WireSecurity::kPlain) return files;
  files.tls_ca = absl::StrCat(folder, "/ca.pem");
  if (security != WireSecurity::kMutualTls) return files;
  files.tls_certificate = absl::StrCat(folder, "/worker.pem");
  files.tls_key = absl::StrCat(folder, "/worker.key");
  return files;
}

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_BENCHMARKS_SUPPORT_WIRE_SECURITY_H_
