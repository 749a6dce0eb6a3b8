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
                                                       const wire::DescribeRunRequest* request,
                                                       wire::DescribeRunResponse* response) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) return Answer(context, status);
  return Answer(context, session_->DescribeRun(*request, response));
}

grpc::ServerUnaryReactor* TrainingService::Register(grpc::CallbackServerContext* context,
                                                    const wire::RegisterRequest* request,
                                                    wire::RegisterResponse* response) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) return Answer(context, status);
  absl::StatusOr<std::string> worker_id = session_->Register(*request, PeerAddress(context->peer()));
  if (worker_id.ok()) response->set_worker_id(*std::move(worker_id));
  return Answer(context, worker_id.status());
}

grpc::ServerUnaryReactor* TrainingService::Leave(grpc::CallbackServerContext* context,
                                                 const wire::LeaveRequest* request, wire::LeaveResponse*) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) return Answer(context, status);
  return Answer(context, session_->Leave(request->worker_id()));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* TrainingService::StreamTrajectories(
    grpc::CallbackServerContext* context) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) {
    return new RefusedStream<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>>(status);
  }
  return TrajectoryReactor::Start(context, session_, max_outgoing_);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* TrainingService::SubscribeWeights(grpc::CallbackServerContext* context,
                                                                              const grpc::ByteBuffer* request) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) {
    return new RefusedStream<grpc::ServerWriteReactor<grpc::ByteBuffer>>(status);
  }
  return WeightsReactor::Start(*request, session_);
}

grpc::ServerUnaryReactor* TrainingService::GetStatus(grpc::CallbackServerContext* context,
                                                     const wire::GetStatusRequest*, wire::GetStatusResponse* response) {
  if (const absl::Status status = guard_->Check(*context); !status.ok()) return Answer(context, status);
  session_->GetStatus(response);
  return Answer(context, absl::OkStatus());
}

}  // namespace troupe
