#include "learner/health/health_command.h"

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/call_deadline.h"
#include "common/security/http_proxy.h"
#include "grpcpp/client_context.h"
#include "proto/health.grpc.pb.h"

namespace troupe {

absl::StatusOr<std::string> AskHealth(const std::string& address, const ClientSecurity& security) {
  ASSIGN_OR_RETURN(const auto credentials, ClientCredentials::Load(security, address));
  const auto stub = grpc::health::v1::Health::NewStub(credentials->OpenChannel(address, {}));
  grpc::ClientContext context;
  context.set_deadline(CallDeadline(absl::Seconds(5)));
  grpc::health::v1::HealthCheckResponse response;
  const grpc::Status status = stub->Check(&context, {}, &response);
  if (!status.ok())
    return absl::UnavailableError(absl::StrCat("health of ", DescribeRoute(address), ": ", status.error_message()));
  if (response.status() != grpc::health::v1::HealthCheckResponse::SERVING) {
    return absl::UnavailableError(absl::StrCat(
        "health of ", address, ": ", grpc::health::v1::HealthCheckResponse::ServingStatus_Name(response.status())));
  }
  const auto phase = context.GetServerTrailingMetadata().find("troupe-phase");
  if (phase == context.GetServerTrailingMetadata().end()) return std::string("SERVING");
  return absl::StrCat("SERVING (", absl::string_view(phase->second.data(), phase->second.size()), ")");
}

}  // namespace troupe
