// The gRPC face of a TrainingSession: unary calls answered in place, streams handed to their reactors.
#ifndef TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_
#define TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_

#include "learner/service/call_guard.h"
#include "learner/service/training_session.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// All calls by the callback API; weights are raw bytes, serialised once, and trajectories are, copied once.
using TrainingServiceBase = wire::TrainingService::WithCallbackMethod_DescribeRun<
    wire::TrainingService::WithCallbackMethod_Register<wire::TrainingService::WithRawCallbackMethod_StreamTrajectories<
        wire::TrainingService::WithRawCallbackMethod_SubscribeWeights<
            wire::TrainingService::WithCallbackMethod_GetStatus<
                wire::TrainingService::WithCallbackMethod_Leave<wire::TrainingService::Service>>>>>>;

// Thread-safe. `session` outlives it.
class TrainingService final : public TrainingServiceBase {
 public:
  TrainingService(TrainingSession* session, int num_shards);
  // Before the server starts; `guard` outlives the service.
  void SetGuard(const CallGuard* guard) { guard_ = guard; }

  grpc::ServerUnaryReactor* DescribeRun(grpc::CallbackServerContext* context, const wire::DescribeRunRequest* request,
                                        wire::DescribeRunResponse* response) override;
  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context, const wire::RegisterRequest* request,
                                     wire::RegisterResponse* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context, const wire::LeaveRequest* request,
                                  wire::LeaveResponse* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamTrajectories(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* SubscribeWeights(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const wire::GetStatusRequest* request,
                                      wire::GetStatusResponse* response) override;

 private:
  TrainingSession* const session_;
  const size_t max_outgoing_;
  const CallGuard* guard_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_
