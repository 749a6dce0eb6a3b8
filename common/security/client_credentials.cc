#include "common/security/client_credentials.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/addresses.h"
#include "common/security/http_proxy.h"
#include "common/security/tls_reload.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/support/client_interceptor.h"

namespace troupe {
namespace {

using grpc::experimental::InterceptionHookPoints;

// One place for all calls; plain channels have no call credentials in gRPC.
class TokenInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit TokenInterceptor(std::shared_ptr<BearerToken> token) : token_(std::move(token)) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace(kAuthorizationKey, kBearerPrefix + token_->Get());
    }
    methods->Proceed();
  }

 private:
  const std::shared_ptr<BearerToken> token_;
};

class TokenInterceptorFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
 public:
  explicit TokenInterceptorFactory(std::shared_ptr<BearerToken> token) : token_(std::move(token)) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(grpc::experimental::ClientRpcInfo*) override {
    return new TokenInterceptor(token_);
  }

 private:
  const std::shared_ptr<BearerToken> token_;
};

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials(const ClientSecurity& security) {
  using grpc::experimental::FileWatcherCertificateProvider;
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<FileWatcherCertificateProvider>(
      security.tls_key, security.tls_certificate, security.tls_ca, kTlsReloadSeconds));
  options.watch_root_certs();
  if (!security.tls_certificate.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

absl::Status Check(const ClientSecurity& security, const std::string& address) {
  if (security.tls_certificate.empty() != security.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls_certificate, --tls_key: expected both or neither");
  }
  if (security.tls_ca.empty() && !security.tls_certificate.empty()) {
    return absl::InvalidArgumentError("--tls_certificate: expected --tls_ca with it, the authority to trust");
  }
  if (security.tls_ca.empty() && !security.tls_server_name.empty()) {
    return absl::InvalidArgumentError("--tls_server_name: expected --tls_ca with it");
  }
  if (security.tls_ca.empty() && !security.token_file.empty() && !security.insecure && !IsLoopbackAddress(address)) {
    return absl::InvalidArgumentError(absl::StrCat("--token_file: the token would travel to ", address,
                                                   " in plain text; expected --tls_ca with it, or --insecure"));
  }
  if (!security.tls_ca.empty()) RETURN_IF_ERROR(CheckAuthorityFile({"--tls_ca", security.tls_ca}));
  if (!security.tls_certificate.empty()) {
    RETURN_IF_ERROR(
        CheckIdentityFiles({"--tls_certificate", security.tls_certificate}, {"--tls_key", security.tls_key}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ClientCredentials>> ClientCredentials::Load(const ClientSecurity& security,
                                                                                 const std::string& address) {
  RETURN_IF_ERROR(Check(security, address));
  std::shared_ptr<ClientCredentials> credentials(new ClientCredentials);
  credentials->channel_ = security.tls_ca.empty() ? grpc::InsecureChannelCredentials() : TlsCredentials(security);
  credentials->server_name_ = security.tls_server_name;
  credentials->tls_ = !security.tls_ca.empty();
  credentials->insecure_ = security.insecure;
  if (!security.token_file.empty()) {
    ASSIGN_OR_RETURN(credentials->token_, BearerToken::Open({"--token_file", security.token_file}));
  }
  return credentials;
}

std::shared_ptr<const ClientCredentials> ClientCredentials::Plain() {
  std::shared_ptr<ClientCredentials> credentials(new ClientCredentials);
  credentials->channel_ = grpc::InsecureChannelCredentials();
  return credentials;
}

std::shared_ptr<grpc::Channel> ClientCredentials::OpenChannel(const std::string& address,
                                                              grpc::ChannelArguments arguments) const {
  if (!server_name_.empty()) arguments.SetSslTargetNameOverride(server_name_);
  if (HttpProxyFor(address).address.empty()) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> interceptors;
  if (token_ != nullptr) interceptors.push_back(std::make_unique<TokenInterceptorFactory>(token_));
  return grpc::experimental::CreateCustomChannelWithInterceptors(address, channel_, arguments, std::move(interceptors));
}

absl::Status ClientCredentials::CheckRedirect(const std::string& from, const std::string& to) const {
  if (tls_ || insecure_ || (IsLoopbackAddress(from) && IsLoopbackAddress(to))) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("serve_at: who answers at ", from,
                                                  " has not shown who it is, so it is not followed to ", to,
                                                  "; --tls_ca makes it show that, --insecure follows it all the same"));
}

}  // namespace troupe
