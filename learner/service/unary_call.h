// A unary call from its bytes to its answer: who calls, how much came and what it would grow to are looked at before
// any of it is unpacked.
#ifndef TROUPE_LEARNER_SERVICE_UNARY_CALL_H_
#define TROUPE_LEARNER_SERVICE_UNARY_CALL_H_

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "learner/service/call_guard.h"
#include "learner/service/grpc_status.h"
#include "learner/service/reaction.h"

namespace troupe {

// The largest request that says no more than a name.
inline constexpr size_t kMaxNameRequestBytes = 1024;

// INVALID_ARGUMENT, counted in troupe_rejected_requests_total{reason="message_size"}: more than `max_bytes`, or bytes
// that would unpack to more than ParseBounded takes or are no such message.
absl::Status ReadRequest(const grpc::ByteBuffer& bytes, size_t max_bytes, LearnerMetrics* metrics,
                         google::protobuf::Message* request);
void WriteResponse(const google::protobuf::Message& response, grpc::ByteBuffer* bytes);

// Answers a call by `handle`, absl::Status(const Request&, Response*).
template <typename Request, typename Response, typename Handle>
grpc::ServerUnaryReactor* AnswerUnary(grpc::CallbackServerContext* context, const CallGuard& guard, size_t max_bytes,
                                      const grpc::ByteBuffer& request_bytes, grpc::ByteBuffer* response_bytes,
                                      const Handle& handle) {
  const absl::Status status = WithoutThrowing([&]() -> absl::Status {
    RETURN_IF_ERROR(guard.Check(*context));
    Request request;
    RETURN_IF_ERROR(ReadRequest(request_bytes, max_bytes, guard.metrics(), &request));
    Response response;
    RETURN_IF_ERROR(handle(request, &response));
    WriteResponse(response, response_bytes);
    return absl::OkStatus();
  });
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_UNARY_CALL_H_
