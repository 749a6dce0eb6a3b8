// The gRPC face of a TrainingSession: unary calls answered in place, streams handed to their reactors. Whatever comes
// is raw bytes here: it is unpacked once the caller and its length have been looked at.
#ifndef TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_
#define TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_

#include "learner/service/call_guard.h"
#include "learner/service/training_session.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

using TrainingServiceBase =
    wire::TrainingService::WithRawCallbackMethod_DescribeRun<wire::TrainingService::WithRawCallbackMethod_Register<
        wire::TrainingService::WithRawCallbackMethod_StreamTrajectories<
            wire::TrainingService::WithRawCallbackMethod_SubscribeWeights<
                wire::TrainingService::WithRawCallbackMethod_GetStatus<
                    wire::TrainingService::WithRawCallbackMethod_Leave<
                        wire::TrainingService::WithRawCallbackMethod_StillHere<wire::TrainingService::Service>>>>>>>;

// Thread-safe. `session` outlives it.
class TrainingService final : public TrainingServiceBase {
 public:
  TrainingService(TrainingSession* session, int num_shards);
  // Before the server starts; `guard` outlives the service.
  void SetGuard(const CallGuard* guard) { guard_ = guard; }

  grpc::ServerUnaryReactor* DescribeRun(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Register(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                     grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Leave(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* StillHere(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* StreamTrajectories(
      grpc::CallbackServerContext* context) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* SubscribeWeights(grpc::CallbackServerContext* context,
                                                               const grpc::ByteBuffer* request) override;

 private:
  TrainingSession* const session_;
  const size_t max_outgoing_;
  const CallGuard* guard_ = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_TRAINING_SERVICE_H_
