// Reads a worker's message out of the pieces of memory the network put it in. A chunk's large tensors stay there: they
// are copied once, to where they are trained on.
#ifndef TROUPE_COMMON_WIRE_MESSAGE_READER_H_
#define TROUPE_COMMON_WIRE_MESSAGE_READER_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/unpacked_bytes.h"
#include "proto/training_service.pb.h"

namespace troupe {

// What a chunk may have more than one of.
struct ChunkCounts {
  size_t groups = 0;
  size_t episodes = 0;
  size_t episode_bytes = 0;  // of one, on the wire
};

// The most that a message may be. What is more is refused before memory is taken for it.
struct MessageLimits {
  size_t chunk_bytes = 0;
  size_t control_bytes = kMaxControlBytes;  // of a message that is no chunk
  std::optional<ChunkCounts> counts;        // none: what is in a chunk is not read
};

// Of chunks of this shape: their tensors, their episodes, and room for field tags, shapes and fields that are not
// known.
MessageLimits LimitsOfChunks(const EnvironmentSpec& spec, const ChunkShape& shape);

// A view of the pieces it was read from.
struct ReceivedMessage {
  size_t num_bytes = 0;
  bool has_chunk = false;
  ReceivedChunk chunk;          // if has_chunk
  wire::WorkerMessage message;  // otherwise

  int message_case() const { return has_chunk ? wire::WorkerMessage::kChunk : message.message_case(); }
  void Clear();
};

// The pieces one after the other are the message. Errors: INVALID_ARGUMENT where they are no WorkerMessage, a chunk
// comes with a second one, or there is more than `limits` of something, which is named; `received` is then of no use
// but for reading the next.
absl::Status ReadMessage(absl::Span<const absl::string_view> pieces, const MessageLimits& limits,
                         ReceivedMessage* received);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_MESSAGE_READER_H_
