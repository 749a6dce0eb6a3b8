#include "learner/service/health_service.h"

#include "learner/service/unary_call.h"
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

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                               grpc::ByteBuffer* response) {
  return AnswerUnary<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>(
      context, *guard_, kMaxNameRequestBytes, *request, response,
      [this, context](const auto& asked, auto* answer) -> absl::Status {
        if (!asked.service().empty() && asked.service() != wire::TrainingService::service_full_name()) {
          return absl::NotFoundError("service: this server has none of this name");
        }
        const LearnerPhase phase = phase_;
        const bool stops = phase == LearnerPhase::kStopping, listens = listening_;
        context->AddTrailingMetadata("troupe-phase", stops || listens ? NameOf(phase) : "deaf");
        answer->set_status(!stops && listens ? grpc::health::v1::HealthCheckResponse::SERVING
                                             : grpc::health::v1::HealthCheckResponse::NOT_SERVING);
        return absl::OkStatus();
      });
}

}  // namespace troupe
