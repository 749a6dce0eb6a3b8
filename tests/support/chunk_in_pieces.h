// A chunk as it comes out of the network.
#ifndef TROUPE_TESTS_SUPPORT_CHUNK_IN_PIECES_H_
#define TROUPE_TESTS_SUPPORT_CHUNK_IN_PIECES_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/wire/message_reader.h"
#include "gtest/gtest.h"
#include "proto/training_service.pb.h"

namespace troupe::testing {

inline std::vector<absl::string_view> CutInPieces(absl::string_view bytes, size_t piece_bytes) {
  std::vector<absl::string_view> pieces;
  for (size_t begin = 0; begin < bytes.size(); begin += piece_bytes) pieces.push_back(bytes.substr(begin, piece_bytes));
  return pieces;
}

// Sent and received in pieces of so many bytes; its memory is its own.
class ChunkInPieces {
 public:
  ChunkInPieces(const wire::Chunk& chunk, size_t piece_bytes) {
    wire::WorkerMessage message;
    *message.mutable_chunk() = chunk;
    bytes_ = message.SerializeAsString();
    const MessageLimits limits{.chunk_bytes = bytes_.size(), .counts = ChunkCounts{64, 1 << 16, 1 << 16}};
    const absl::Status status = ReadMessage(CutInPieces(bytes_, piece_bytes), limits, &received_);
    EXPECT_TRUE(status.ok()) << status;
  }
  ChunkInPieces(const ChunkInPieces&) = delete;
  ChunkInPieces& operator=(const ChunkInPieces&) = delete;

  const ReceivedChunk& get() const { return received_.chunk; }

 private:
  std::string bytes_;
  ReceivedMessage received_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_SUPPORT_CHUNK_IN_PIECES_H_
