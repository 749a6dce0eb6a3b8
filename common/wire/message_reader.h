// Reads a worker's message out of the pieces of memory the network put it in. A chunk's large tensors stay there: they
// are copied once, to where they are trained on.
#ifndef TROUPE_COMMON_WIRE_MESSAGE_READER_H_
#define TROUPE_COMMON_WIRE_MESSAGE_READER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/wire/chunk_layout.h"
#include "proto/training_service.pb.h"

namespace troupe {

// A view of the pieces it was read from.
struct ReceivedMessage {
  size_t num_bytes = 0;
  bool has_chunk = false;
  ReceivedChunk chunk;          // if has_chunk
  wire::WorkerMessage message;  // otherwise

  int message_case() const { return has_chunk ? wire::WorkerMessage::kChunk : message.message_case(); }
  void Clear();
};

// The pieces one after the other are the message. Errors: INVALID_ARGUMENT where they are no WorkerMessage, or a chunk
// comes with a second one; `received` is then of no use but for reading the next.
absl::Status ReadMessage(absl::Span<const absl::string_view> pieces, ReceivedMessage* received);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_MESSAGE_READER_H_
