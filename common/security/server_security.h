// How a server shows who it is and whom it lets in: plain text, TLS or mutual TLS, each with or without a token.
#ifndef TROUPE_COMMON_SECURITY_SERVER_SECURITY_H_
#define TROUPE_COMMON_SECURITY_SERVER_SECURITY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/security/server_credentials.h"

namespace troupe {

// Files, by the flags --tls_certificate, --tls_key, --tls_client_ca and --token_file; empty: none.
struct ServerSecurity {
  std::string tls_certificate;  // with tls_key: TLS
  std::string tls_key;
  std::string tls_client_ca;  // not empty: clients must show a certificate of this authority
  std::string token_file;     // not empty: every call must carry this token
  bool insecure = false;      // allows addresses that others can reach without one of the two, or without TLS

  bool tls() const { return !tls_certificate.empty(); }
  bool any() const { return tls() || !token_file.empty(); }
};

// INVALID_ARGUMENT naming flags that do not go together, or that are not enough for a `listen_address` which others can
// reach; errors of common/security/credential_files.h.
absl::Status CheckServerSecurity(const ServerSecurity& security, const std::string& listen_address);

// TLS by checked files, which are followed when they are renewed; plain text without a certificate.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const ServerSecurity& security);

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_SERVER_SECURITY_H_
