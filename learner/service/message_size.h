// What gRPC takes from a peer in one message, and runs whose chunks fit.
#ifndef TROUPE_LEARNER_SERVICE_MESSAGE_SIZE_H_
#define TROUPE_LEARNER_SERVICE_MESSAGE_SIZE_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/wire/message_reader.h"

namespace troupe {

// The largest message gRPC will take from a peer, and send to one.
inline constexpr size_t kMaxMessageBytes = size_t{256} << 20;

// INVALID_ARGUMENT: a chunk of this shape could be larger.
inline absl::Status CheckChunkSize(const EnvironmentSpec& environment, const ChunkShape& shape) {
  const size_t bytes = LimitsOfChunks(environment, shape).chunk_bytes;
  if (bytes <= kMaxMessageBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("collection.rollout_length, collection.copies_per_shard: a chunk could take ", bytes,
                   " bytes, expected at most ", kMaxMessageBytes, ": make one of them smaller and num_shards larger"));
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_MESSAGE_SIZE_H_
