#include "common/security/server_security.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"
#include "common/security/credential_files.h"
#include "common/security/tls_reload.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace troupe {
namespace {

absl::Status CheckReachable(const ServerSecurity& security, const std::string& listen_address) {
  if (security.insecure || IsLoopbackAddress(listen_address)) return absl::OkStatus();
  const std::string lead = absl::StrCat("--listen=", listen_address, ": others can reach this address ");
  if (!security.any()) {
    return absl::InvalidArgumentError(absl::StrCat(
        lead, "and nothing is encrypted or checked; add --tls_certificate, --tls_key and --tls_client_ca or ",
        "--token_file (docs/security.md), or --insecure on a network you trust"));
  }
  if (!security.tls()) {
    return absl::InvalidArgumentError(
        absl::StrCat(lead,
                     "and --token_file would travel in plain text; add --tls_certificate and --tls_key, or "
                     "--insecure on a network you trust"));
  }
  if (security.tls_client_ca.empty() && security.token_file.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(lead, "and TLS alone lets everybody in; add --tls_client_ca or --token_file, or --insecure"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckServerSecurity(const ServerSecurity& security, const std::string& listen_address) {
  if (security.tls_certificate.empty() != security.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls_certificate, --tls_key: expected both or neither");
  }
  if (!security.tls() && !security.tls_client_ca.empty()) {
    return absl::InvalidArgumentError("--tls_client_ca: expected --tls_certificate and --tls_key with it");
  }
  RETURN_IF_ERROR(CheckReachable(security, listen_address));
  if (security.tls()) {
    RETURN_IF_ERROR(
        CheckIdentityFiles({"--tls_certificate", security.tls_certificate}, {"--tls_key", security.tls_key}));
  }
  if (!security.tls_client_ca.empty()) {
    RETURN_IF_ERROR(CheckAuthorityFile({"--tls_client_ca", security.tls_client_ca}));
  }
  if (!security.token_file.empty()) RETURN_IF_ERROR(ReadTokenFile({"--token_file", security.token_file}).status());
  return absl::OkStatus();
}

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const ServerSecurity& security) {
  if (!security.tls()) return grpc::InsecureServerCredentials();
  using grpc::experimental::FileWatcherCertificateProvider;
  grpc::experimental::TlsServerCredentialsOptions options(std::make_shared<FileWatcherCertificateProvider>(
      security.tls_key, security.tls_certificate, security.tls_client_ca, kTlsReloadSeconds));
  options.watch_identity_key_cert_pairs();
  if (!security.tls_client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace troupe
