// How a client shows who it is and checks whom it talks to: plain text, TLS or mutual TLS, each with or without a
// token.
#ifndef TROUPE_COMMON_SECURITY_CLIENT_CREDENTIALS_H_
#define TROUPE_COMMON_SECURITY_CLIENT_CREDENTIALS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/security/bearer_token.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace troupe {

// Files, by the flags --tls_ca, --tls_certificate, --tls_key and --token_file; empty: none.
struct ClientSecurity {
  std::string tls_ca;           // not empty: TLS, and the learner's certificate must be of this authority
  std::string tls_certificate;  // with tls_key: shown to the learner
  std::string tls_key;
  std::string tls_server_name;  // the name the learner's certificate must have; empty: that of the address
  std::string token_file;
  bool insecure = false;  // allows a token in plain text to an address that is not loopback
};

// Thread-safe. Renewed files are taken for connections and calls that begin a few seconds later.
class ClientCredentials {
 public:
  // Credentials for `address` ("HOST:PORT"). Errors: INVALID_ARGUMENT naming flags that do not go together; those of
  // common/security/credential_files.h.
  static absl::StatusOr<std::shared_ptr<const ClientCredentials>> Load(const ClientSecurity& security,
                                                                       const std::string& address);
  // Plain text, no token.
  static std::shared_ptr<const ClientCredentials> Plain();

  // A channel, not yet connected, every call of which carries the token. It goes through the environment's HTTP proxy
  // where http_proxy.h says so.
  std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address, grpc::ChannelArguments arguments) const;

 private:
  ClientCredentials() = default;

  std::shared_ptr<grpc::ChannelCredentials> channel_;
  std::string server_name_;
  std::shared_ptr<BearerToken> token_;  // null: none
};

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_CLIENT_CREDENTIALS_H_
