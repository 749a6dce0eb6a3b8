#include "common/wire/message_reader.h"

#include <random>
#include <string>
#include <type_traits>

#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/support/chunk_in_pieces.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::CutInPieces;
using ::testing::HasSubstr;

std::string ChunkBytes() {
  wire::WorkerMessage message;
  *message.mutable_chunk() = testing::MakeChunk(testing::TwoGroupSpec(), {4, 3}, {2, 5, 7, 6}, /*seed=*/1);
  message.mutable_chunk()->set_environment_seconds(0.25);
  message.mutable_chunk()->set_inference_seconds(0.5);
  return message.SerializeAsString();
}

std::string Join(const TensorPieces& pieces) {
  std::string joined;
  for (const absl::string_view piece : pieces) joined.append(piece.data(), piece.size());
  return joined;
}

// Puts large tensors' data where protobuf puts it.
template <typename Tensors>
void JoinTensors(const Tensors& received, google::protobuf::Message* message) {
  ForEachField(
      [&](const TrajectoryField& field, const auto& where) {
        if constexpr (std::is_same_v<std::decay_t<decltype(where)>, TensorPieces>) {
          EXPECT_TRUE(TensorOf(*message, field.number).data().empty()) << field.name;
          const std::string bytes = Join(where);
          if (!bytes.empty()) MutableTensorOf(message, field.number)->set_data(bytes);
        }
      },
      received);
}

wire::Chunk Whole(const ReceivedChunk& received) {
  wire::Chunk chunk = received.chunk;
  for (int g = 0; g < chunk.groups_size(); ++g) JoinTensors(received.groups[g], chunk.mutable_groups(g));
  JoinTensors(received, &chunk);
  return chunk;
}

MessageLimits Limits() { return LimitsOfChunks(testing::TwoGroupSpec(), {4, 3}); }

TEST(MessageReaderTest, ReadsWhatProtobufReadsHoweverItIsCut) {
  const std::string bytes = ChunkBytes();
  wire::WorkerMessage expected;
  ASSERT_TRUE(expected.ParseFromString(bytes));
  ReceivedMessage received;  // the same for all: nothing of an earlier message is left
  for (size_t piece_bytes = 1; piece_bytes <= bytes.size(); piece_bytes += piece_bytes < 70 ? 1 : 97) {
    ASSERT_TRUE(ReadMessage(CutInPieces(bytes, piece_bytes), Limits(), &received).ok()) << piece_bytes;
    ASSERT_TRUE(received.has_chunk);
    EXPECT_EQ(received.num_bytes, bytes.size());
    ASSERT_TRUE(MessageDifferencer::Equals(Whole(received.chunk), expected.chunk())) << piece_bytes;
  }
}

TEST(MessageReaderTest, LargeTensorsStayWhereTheyAre) {
  const std::string bytes = ChunkBytes();
  ReceivedMessage received;
  ASSERT_TRUE(ReadMessage({bytes}, Limits(), &received).ok());
  const ReceivedChunk& chunk = received.chunk;
  for (const auto& pieces : {chunk.groups[0].observations, chunk.groups[1].observations, chunk.state_extras}) {
    ASSERT_EQ(pieces.size(), 1);
    EXPECT_GE(pieces[0].data(), bytes.data());
    EXPECT_LE(pieces[0].data() + pieces[0].size(), bytes.data() + bytes.size());
  }
}

TEST(MessageReaderTest, ReadsTheOtherMessages) {
  wire::WorkerMessage message;
  message.mutable_hello()->set_worker_id("worker-1");
  const std::string bytes = message.SerializeAsString();
  ReceivedMessage received;
  ASSERT_TRUE(ReadMessage(CutInPieces(bytes, 3), Limits(), &received).ok());
  EXPECT_FALSE(received.has_chunk);
  EXPECT_EQ(received.message.hello().worker_id(), "worker-1");
  ASSERT_TRUE(ReadMessage({}, Limits(), &received).ok());
  EXPECT_EQ(received.message_case(), wire::WorkerMessage::MESSAGE_NOT_SET);
}

TEST(MessageReaderTest, AMessageThatEndsEarlyIsAnError) {
  const std::string bytes = ChunkBytes();
  ReceivedMessage received;
  for (size_t size = 1; size < bytes.size(); ++size) {
    const absl::Status status =
        ReadMessage(CutInPieces(absl::string_view(bytes).substr(0, size), 50), Limits(), &received);
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << size;
  }
}

TEST(MessageReaderTest, AChunkComesAlone) {
  wire::WorkerMessage heartbeat;
  heartbeat.mutable_heartbeat();
  const std::string chunk = ChunkBytes(), other = heartbeat.SerializeAsString();
  ReceivedMessage received;
  for (const std::string& bytes : {chunk + other, other + chunk, chunk + chunk}) {
    EXPECT_THAT(std::string(ReadMessage({bytes}, Limits(), &received).message()), HasSubstr("came more than a chunk"));
  }
}

TEST(MessageReaderTest, FieldsOfANewerWorkerAreSkipped) {
  std::string chunk = testing::MakeChunk(testing::TwoGroupSpec(), {4, 3}, {}, /*seed=*/1).SerializeAsString();
  chunk += std::string("\xa0\x06\x07", 3);                       // 100: varint
  chunk += std::string("\xa1\x06", 2) + std::string(8, '\x01');  // 100: fixed64
  chunk += std::string("\xa5\x06", 2) + std::string(4, '\x01');  // 100: fixed32
  chunk += std::string("\xa2\x06\x03", 3) + "abc";               // 100: bytes
  wire::WorkerMessage message;
  ASSERT_TRUE(message.mutable_chunk()->ParseFromString(chunk));
  const std::string bytes = message.SerializeAsString();
  ReceivedMessage received;
  ASSERT_TRUE(ReadMessage(CutInPieces(bytes, 7), Limits(), &received).ok());
  message.DiscardUnknownFields();
  EXPECT_TRUE(MessageDifferencer::Equals(Whole(received.chunk), message.chunk()));
}

// A chunk with so many empty groups, episodes and dimensions of a shape.
std::string Many(int groups, int episodes, int dimensions) {
  wire::WorkerMessage message;
  wire::Chunk* const chunk = message.mutable_chunk();
  for (int i = 0; i < groups; ++i) chunk->add_groups();
  for (int i = 0; i < episodes; ++i) chunk->add_episodes();
  for (int i = 0; i < dimensions; ++i) chunk->mutable_state_extras()->add_shape(1);
  return message.SerializeAsString();
}

TEST(MessageReaderTest, NoMoreIsReadThanASpecCanHave) {
  ReceivedMessage received;
  const auto read = [&](const std::string& bytes) {
    return std::string(ReadMessage({bytes}, Limits(), &received).message());
  };
  EXPECT_EQ(read(Many(2, 12, 8)), "");
  EXPECT_EQ(read(Many(3, 0, 0)), "chunk.groups: came more than 2");
  EXPECT_EQ(received.chunk.chunk.groups_size(), 2);
  EXPECT_EQ(read(Many(0, 13, 0)), "chunk.episodes: came more than 12");
  EXPECT_EQ(received.chunk.chunk.episodes_size(), 12);
  EXPECT_THAT(read(Many(0, 0, 9)), HasSubstr("shape: came more than 8"));
  wire::WorkerMessage message;
  message.mutable_chunk()->add_episodes()->mutable_statistics()->Resize(50, 0);
  EXPECT_THAT(read(message.SerializeAsString()), HasSubstr("chunk.episodes: came one of 20"));
  EXPECT_THAT(read(std::string("\x12\x80\x80\x04", 4) + std::string(1 << 16, 'x')),
              HasSubstr("chunk: came 65540 bytes"));
}

TEST(MessageReaderTest, WhereNoChunksAreExpectedNothingOfThemIsRead) {
  ReceivedMessage received;
  ASSERT_TRUE(ReadMessage({Many(3, 50, 0)}, MessageLimits(), &received).ok());
  EXPECT_TRUE(received.has_chunk);
  EXPECT_EQ(received.chunk.chunk.groups_size(), 0);
  wire::WorkerMessage hello;
  hello.mutable_hello()->set_worker_id(std::string(2000, 'x'));
  EXPECT_THAT(std::string(ReadMessage({hello.SerializeAsString()}, {.control_bytes = 1024}, &received).message()),
              HasSubstr("message: came 2006 bytes, expected at most 1024"));
}

// Bytes of anybody: an error, or what protobuf reads.
TEST(MessageReaderTest, AgreesWithProtobufOnDamagedMessages) {
  const google::protobuf::LogSilencer silence;
  const std::string good = ChunkBytes();
  std::mt19937 random(1);
  int read = 0;
  ReceivedMessage received;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    // Most of the bytes are numbers; the first ones and those between tensors say what follows.
    const size_t reach = i % 2 == 0 ? 40 : bytes.size();
    for (int flips = 1 + random() % 3; flips > 0; --flips) bytes[random() % reach] = random();
    if (!ReadMessage(CutInPieces(bytes, 1 + random() % 300), Limits(), &received).ok()) continue;
    wire::WorkerMessage expected;
    ASSERT_TRUE(expected.ParseFromString(bytes)) << i;
    expected.DiscardUnknownFields();
    if (!received.has_chunk) {
      received.message.DiscardUnknownFields();
      ASSERT_EQ(received.message.SerializeAsString(), expected.SerializeAsString()) << i;
      continue;
    }
    ++read;
    received.chunk.chunk.DiscardUnknownFields();
    ASSERT_EQ(Whole(received.chunk).SerializeAsString(), expected.chunk().SerializeAsString()) << i;
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace troupe
