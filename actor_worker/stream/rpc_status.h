// gRPC's status as Abseil's; the codes are the same numbers.
#ifndef TROUPE_ACTOR_WORKER_STREAM_RPC_STATUS_H_
#define TROUPE_ACTOR_WORKER_STREAM_RPC_STATUS_H_

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace troupe {

inline absl::Status FromRpcStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_RPC_STATUS_H_
