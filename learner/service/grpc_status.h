// absl::Status as gRPC's: the codes are the same numbers.
#ifndef TROUPE_LEARNER_SERVICE_GRPC_STATUS_H_
#define TROUPE_LEARNER_SERVICE_GRPC_STATUS_H_

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace troupe {

// The message is cut where it would not fit a peer's limit on metadata (8 KiB, percent-encoded).
inline grpc::Status ToGrpcStatus(const absl::Status& status) {
  constexpr size_t kMaxMessageBytes = 2048;
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message().substr(0, kMaxMessageBytes))};
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_GRPC_STATUS_H_
