#include <vector>

#include "actor_worker/stream/shared_encoding.h"
#include "google/protobuf/util/message_differencer.h"
#include "grpcpp/support/slice.h"
#include "gtest/gtest.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

std::vector<grpc::Slice> Slices(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  EXPECT_TRUE(bytes.Dump(&slices).ok());
  return slices;
}

std::string Join(const std::vector<grpc::Slice>& slices) {
  std::string bytes;
  for (const grpc::Slice& slice : slices) bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

std::shared_ptr<wire::WorkerMessage> Message(int rollout_length) {
  auto message = std::make_shared<wire::WorkerMessage>();
  *message->mutable_chunk() =
      testing::MakeChunk(testing::TwoGroupSpec(), {rollout_length, 8}, {1, 2, 3, 4}, /*seed=*/rollout_length);
  return message;
}

TEST(SharedEncodingTest, IsWhatProtobufWouldWrite) {
  for (const int rollout_length : {1, 2, 7, 20, 50, 64, 100, 500}) {
    const auto message = Message(rollout_length);
    const grpc::ByteBuffer bytes = EncodeShared(message);
    EXPECT_EQ(Join(Slices(bytes)), message->SerializeAsString()) << rollout_length;
    EXPECT_EQ(bytes.Length(), message->ByteSizeLong());
  }
}

TEST(SharedEncodingTest, SmallMessagesToo) {
  auto hello = std::make_shared<wire::WorkerMessage>();
  hello->mutable_hello()->set_worker_id("worker-1");
  EXPECT_EQ(Join(Slices(EncodeShared(hello))), hello->SerializeAsString());
  EXPECT_EQ(EncodeShared(std::make_shared<wire::WorkerMessage>()).Length(), 0);
}

TEST(SharedEncodingTest, LargeTensorsAreNotCopied) {
  const auto message = Message(500);
  const std::string& observations = message->chunk().groups(0).observations().data();
  bool found = false;
  for (const grpc::Slice& slice : Slices(EncodeShared(message))) {
    found |= reinterpret_cast<const char*>(slice.begin()) == observations.data() && slice.size() == observations.size();
  }
  EXPECT_TRUE(found);
}

TEST(SharedEncodingTest, TheMessageLivesAsLongAsAnyOfItsBytes) {
  auto message = Message(500);
  const std::weak_ptr<wire::WorkerMessage> watched = message;
  grpc::ByteBuffer bytes = EncodeShared(message);
  message = nullptr;
  EXPECT_FALSE(watched.expired());
  std::vector<grpc::Slice> slices = Slices(bytes);
  bytes.Clear();
  EXPECT_FALSE(watched.expired());
  slices.clear();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace troupe
