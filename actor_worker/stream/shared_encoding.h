// A message as bytes for gRPC without a copy of its tensors.
#ifndef TROUPE_ACTOR_WORKER_STREAM_SHARED_ENCODING_H_
#define TROUPE_ACTOR_WORKER_STREAM_SHARED_ENCODING_H_

#include <memory>

#include "grpcpp/support/byte_buffer.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Bytes fields of at least kSharedBytes stay where they are: the buffer keeps `message` alive, which must not change
// meanwhile.
inline constexpr int kSharedBytes = 4096;
grpc::ByteBuffer EncodeShared(std::shared_ptr<const wire::WorkerMessage> message);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_SHARED_ENCODING_H_
