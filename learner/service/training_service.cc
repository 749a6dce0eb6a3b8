#include "learner/service/training_service.h"

#include <utility>

#include "learner/service/grpc_status.h"
#include "learner/service/trajectory_reactor.h"
#include "learner/service/weights_reactor.h"

namespace troupe {
namespace {

grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace

TrainingService::TrainingService(TrainingSession* session, int num_shards)
    : session_(session), max_outgoing_(TrajectoryReactor::MaxOutgoing(num_shards)) {}

grpc::ServerUnaryReactor* TrainingService::DescribeRun(grpc::CallbackServerContext* context,
                                                       const wire::DescribeRunRequest* request,
                                                       wire::DescribeRunResponse* response) {
  return Answer(context, session_->DescribeRun(*request, response));
}

grpc::ServerUnaryReactor* TrainingService::Register(grpc::CallbackServerContext* context,
                                                    const wire::RegisterRequest* request,
                                                    wire::RegisterResponse* response) {
  absl::StatusOr<std::string> worker_id = session_->Register(*request);
  if (worker_id.ok()) response->set_worker_id(*std::move(worker_id));
  return Answer(context, worker_id.status());
}

grpc::ServerBidiReactor<wire::WorkerMessage, wire::LearnerMessage>* TrainingService::StreamTrajectories(
    grpc::CallbackServerContext* context) {
  return TrajectoryReactor::Start(context, session_, max_outgoing_);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* TrainingService::SubscribeWeights(grpc::CallbackServerContext*,
                                                                              const grpc::ByteBuffer* request) {
  return WeightsReactor::Start(*request, session_);
}

grpc::ServerUnaryReactor* TrainingService::GetStatus(grpc::CallbackServerContext* context,
                                                     const wire::GetStatusRequest*, wire::GetStatusResponse* response) {
  session_->GetStatus(response);
  return Answer(context, absl::OkStatus());
}

}  // namespace troupe
