#include "learner/service/call_guard.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "grpc/grpc_security_constants.h"

namespace troupe {
namespace {

bool OverTls(const grpc::AuthContext& context) {
  for (const grpc::string_ref& type : context.FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME)) {
    if (type == GRPC_TLS_TRANSPORT_SECURITY_TYPE || type == GRPC_SSL_TRANSPORT_SECURITY_TYPE) return true;
  }
  return false;
}

absl::string_view Authorization(const grpc::CallbackServerContext& context) {
  const auto found = context.client_metadata().find(kAuthorizationKey);
  if (found == context.client_metadata().end()) return {};
  return {found->second.data(), found->second.size()};
}

}  // namespace

absl::StatusOr<std::unique_ptr<CallGuard>> CallGuard::Create(const ServerSecurity& security, std::string local_token,
                                                             LearnerMetrics* metrics) {
  std::shared_ptr<BearerToken> token;
  if (!security.token_file.empty()) {
    ASSIGN_OR_RETURN(token, BearerToken::Open({"--token_file", security.token_file}));
  }
  return std::unique_ptr<CallGuard>(new CallGuard(security.tls(), std::move(token), std::move(local_token), metrics));
}

CallGuard::CallGuard(bool tls, std::shared_ptr<BearerToken> token, std::string local_token, LearnerMetrics* metrics)
    : tls_(tls), token_(std::move(token)), local_token_(std::move(local_token)), metrics_(metrics) {}

absl::Status CallGuard::Check(const grpc::CallbackServerContext& context) const {
  if (!tls_ && token_ == nullptr) return absl::OkStatus();
  return CheckCall(OverTls(*context.auth_context()), Authorization(context));
}

bool CallGuard::IsLocal(const grpc::CallbackServerContext& context) const {
  absl::string_view authorization = Authorization(context);
  return absl::ConsumePrefix(&authorization, kBearerPrefix) && EqualInConstantTime(local_token_, authorization) &&
         !OverTls(*context.auth_context());
}

absl::Status CallGuard::CheckCall(bool over_tls, absl::string_view authorization) const {
  if (over_tls ? token_ == nullptr : !tls_ && token_ == nullptr) return absl::OkStatus();
  if (!absl::ConsumePrefix(&authorization, kBearerPrefix)) {
    metrics_->CountRejected("unauthenticated");
    return absl::UnauthenticatedError(
        absl::StrCat(kAuthorizationKey, ": expected \"", kBearerPrefix, "TOKEN\" (--token_file)"));
  }
  const bool usual_counts = token_ != nullptr && over_tls == tls_;
  const bool usual = usual_counts && EqualInConstantTime(token_->Get(), authorization);
  const bool local = !over_tls && EqualInConstantTime(local_token_, authorization);
  if (usual || local) return absl::OkStatus();
  metrics_->CountRejected("token");
  return absl::UnauthenticatedError(absl::StrCat(kAuthorizationKey, ": came a token that is not this learner's"));
}

}  // namespace troupe
