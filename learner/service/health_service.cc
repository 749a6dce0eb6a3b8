#include "learner/service/health_service.h"

#include "learner/service/grpc_status.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const grpc::health::v1::HealthCheckRequest* request,
                                               grpc::health::v1::HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = guard_->Check(*context);
  const std::string& service = request->service();
  if (status.ok() && !service.empty() && service != wire::TrainingService::service_full_name()) {
    status = absl::NotFoundError("service: this server has none of this name");
  }
  response->set_status(serving_ ? grpc::health::v1::HealthCheckResponse::SERVING
                                : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace troupe
