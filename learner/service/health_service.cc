#include "learner/service/health_service.h"

#include "learner/service/grpc_status.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {
namespace {

const char* NameOf(LearnerPhase phase) {
  switch (phase) {
    case LearnerPhase::kStarting:
      return "starting";
    case LearnerPhase::kTraining:
      return "training";
    case LearnerPhase::kFinishing:
      return "finishing";
    case LearnerPhase::kStopping:
      break;
  }
  return "stopping";
}

}  // namespace

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const grpc::health::v1::HealthCheckRequest* request,
                                               grpc::health::v1::HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::Status status = guard_->Check(*context);
  const std::string& service = request->service();
  if (status.ok() && !service.empty() && service != wire::TrainingService::service_full_name()) {
    status = absl::NotFoundError("service: this server has none of this name");
  }
  const LearnerPhase phase = phase_;
  if (status.ok()) context->AddTrailingMetadata("troupe-phase", NameOf(phase));
  response->set_status(phase != LearnerPhase::kStopping ? grpc::health::v1::HealthCheckResponse::SERVING
                                                        : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace troupe
