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
  // Allows a token in plain text to an address that is not loopback, and to follow who says in plain text where to go.
  bool insecure = false;
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

  // Whether to believe whoever answers at `from`, reached with these credentials, that the learner to talk to is at
  // `to`: over TLS, which told who it is and will tell again there; within this machine; or where --insecure allows
  // anything. PERMISSION_DENIED: not.
  absl::Status CheckRedirect(const std::string& from, const std::string& to) const;

 private:
  ClientCredentials() = default;

  std::shared_ptr<grpc::ChannelCredentials> channel_;
  std::string server_name_;
  bool tls_ = false;
  bool insecure_ = false;
  std::shared_ptr<BearerToken> token_;  // null: none
};

}  // namespace troupe

#endif  // TROUPE_COMMON_SECURITY_CLIENT_CREDENTIALS_H_
