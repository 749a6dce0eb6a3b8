#include "learner/service/training_service.h"

#include "common/base/status_macros.h"
#include "learner/service/call_peer.h"
#include "learner/service/grpc_status.h"
#include "learner/service/reaction.h"
#include "learner/service/trajectory_reactor.h"
#include "learner/service/unary_call.h"
#include "learner/service/weights_reactor.h"

namespace troupe {
namespace {

// A stream that ends before it begins.
template <typename Reactor>
class RefusedStream final : public Reactor {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

TrainingService::TrainingService(TrainingSession* session, int num_shards)
    : session_(session), max_outgoing_(TrajectoryReactor::MaxOutgoing(num_shards)) {}

grpc::ServerUnaryReactor* TrainingService::DescribeRun(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return AnswerUnary<wire::DescribeRunRequest, wire::DescribeRunResponse>(
      context, *guard_, kMaxNameRequestBytes, *request, response,
      [this](const auto& described, auto* run) { return session_->DescribeRun(described, run); });
}

grpc::ServerUnaryReactor* TrainingService::Register(grpc::CallbackServerContext* context,
                                                    const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return AnswerUnary<wire::RegisterRequest, wire::RegisterResponse>(
      context, *guard_, kMaxControlBytes, *request, response, [&](const auto& registration, auto* registered) {
        return session_->Register(registration, PeerOf(*context), guard_->IsLocal(*context), registered);
      });
}

grpc::ServerUnaryReactor* TrainingService::Leave(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response) {
  return AnswerUnary<wire::LeaveRequest, wire::LeaveResponse>(
      context, *guard_, kMaxNameRequestBytes, *request, response,
      [this](const auto& leaving, auto*) { return session_->Leave(leaving.worker_id()); });
}

grpc::ServerUnaryReactor* TrainingService::StillHere(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return AnswerUnary<wire::StillHereRequest, wire::StillHereResponse>(
      context, *guard_, kMaxNameRequestBytes, *request, response,
      [this](const auto& here, auto*) { return session_->StillHere(here.worker_id()); });
}

grpc::ServerUnaryReactor* TrainingService::GetStatus(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request, grpc::ByteBuffer* response) {
  return AnswerUnary<wire::GetStatusRequest, wire::GetStatusResponse>(context, *guard_, kMaxNameRequestBytes, *request,
                                                                      response, [this](const auto&, auto* status) {
                                                                        session_->GetStatus(status);
                                                                        return absl::OkStatus();
                                                                      });
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* TrainingService::StreamTrajectories(
    grpc::CallbackServerContext* context) {
  if (const absl::Status status = WithoutThrowing([&] { return guard_->Check(*context); }); !status.ok()) {
    return new RefusedStream<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>>(status);
  }
  return TrajectoryReactor::Start(context, session_, max_outgoing_);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* TrainingService::SubscribeWeights(grpc::CallbackServerContext* context,
                                                                              const grpc::ByteBuffer* request) {
  if (const absl::Status status = WithoutThrowing([&] { return guard_->Check(*context); }); !status.ok()) {
    return new RefusedStream<grpc::ServerWriteReactor<grpc::ByteBuffer>>(status);
  }
  return WeightsReactor::Start(context, *request, session_);
}

}  // namespace troupe
