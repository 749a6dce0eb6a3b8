#include "common/wire/unpacked_bytes.h"

#include <random>
#include <string>

#include "common/wire/spec_codec.h"
#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "gtest/gtest.h"
#include "proto/training_service.pb.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

wire::RegisterRequest Registration() {
  wire::RegisterRequest request;
  request.set_protocol_version(3);
  request.set_host("a host with a name that is no short string");
  EnvironmentSpec spec = testing::TwoGroupSpec();
  for (int i = 0; i < 200; ++i) spec.statistics.push_back("statistic_" + std::to_string(i));
  for (int i = 0; i < 40; ++i) spec.groups[0].agents.push_back("agent " + std::to_string(i));
  EncodeEnvironmentSpec(spec, request.mutable_environment_spec());
  return request;
}

wire::WorkerMessage Evaluation(int episodes, int statistics) {
  wire::WorkerMessage message;
  for (int i = 0; i < episodes; ++i) {
    wire::EvaluationEpisode* const episode = message.mutable_evaluation_result()->add_episodes();
    episode->set_seed(uint64_t{1} << 60);
    for (int s = 0; s < statistics; ++s) episode->add_statistics(0.5f * s);
  }
  return message;
}

void ExpectNoLess(const google::protobuf::Message& like, const std::string& bytes) {
  const google::protobuf::LogSilencer silence;
  const std::unique_ptr<google::protobuf::Message> message(like.New());
  if (!message->ParseFromString(bytes)) return;
  const absl::StatusOr<size_t> unpacked = UnpackedBytes(*like.GetDescriptor(), bytes);
  // Groups, which proto3 has not, are refused though protobuf would keep them.
  if (unpacked.ok()) {
    EXPECT_GE(*unpacked, message->SpaceUsedLong());
  }
}

// Protobuf's own count is what the estimate is held to.
TEST(UnpackedBytesTest, IsNoLessThanWhatProtobufTakes) {
  wire::GetStatusResponse status;
  for (int i = 0; i < 100; ++i) {
    status.add_workers()->set_worker_id("worker-" + std::to_string(i));
    for (uint32_t shard = 0; shard < 50; ++shard) status.mutable_workers(i)->add_shards(shard);
    (*status.mutable_chunks_by_result())[std::to_string(i)] = i;
  }
  ExpectNoLess(Registration(), Registration().SerializeAsString());
  ExpectNoLess(Evaluation(3, 500), Evaluation(3, 500).SerializeAsString());
  ExpectNoLess(status, status.SerializeAsString());
  ExpectNoLess(wire::LeaveRequest(), Registration().SerializeAsString());  // almost all of it unknown
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = Registration().SerializeAsString();
    for (int flips = 1 + random() % 4; flips > 0; --flips) bytes[random() % bytes.size()] = random();
    ExpectNoLess(wire::RegisterRequest(), bytes);
  }
}

// A number where a message or a text belongs, and the other way round: protobuf keeps it as a field it does not know.
TEST(UnpackedBytesTest, KnownFieldsOfAnotherTypeAreAsDearAsUnknownOnes) {
  std::string numbers, texts;
  for (int i = 0; i < 10'000; ++i) {
    numbers += std::string("\x30\x07", 2);        // environment_spec: varint
    texts += std::string("\x08\x00\x2a\x00", 4);  // protocol_version; max_shards: no bytes
  }
  for (const std::string& bytes : {numbers, texts}) {
    wire::RegisterRequest message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    ExpectNoLess(message, bytes);
  }
}

TEST(UnpackedBytesTest, NothingIsPrintedOfAPeersBytes) {
  const std::string hello("\x0a\x04\x0a\x02\xff\xfe", 6);  // a worker id that is no UTF-8
  wire::WorkerMessage message;
  ::testing::internal::CaptureStderr();
  const absl::Status status = ParseBounded(hello, &message);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

TEST(UnpackedBytesTest, IsNotMuchMore) {
  const std::string bytes = Registration().SerializeAsString();
  EXPECT_LE(*UnpackedBytes(*wire::RegisterRequest::descriptor(), bytes), 4 * Registration().SpaceUsedLong());
  const std::string evaluation = Evaluation(4, 60000).SerializeAsString();
  wire::WorkerMessage parsed;
  EXPECT_TRUE(ParseBounded(evaluation, &parsed).ok()) << "as large as honest ones are";
}

TEST(UnpackedBytesTest, WhatGrowsIsRefusedBeforeItDoes) {
  std::string groups(size_t{1} << 19, '\0');
  for (size_t i = 0; i < groups.size(); i += 2) groups[i] = '\x12';
  wire::RegisterRequest request;
  ASSERT_TRUE(request.mutable_environment_spec()->ParseFromString(groups));
  const size_t grown = request.SpaceUsedLong();
  EXPECT_GT(grown, 2 * kMaxUnpackedBytes);
  const std::string bytes = request.SerializeAsString();
  EXPECT_LT(bytes.size(), kMaxControlBytes);
  request.Clear();
  const absl::Status status = ParseBounded(bytes, &request);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected at most 16777216"));
}

TEST(UnpackedBytesTest, BytesThatAreNoMessageAreRefused) {
  const std::string bytes = Registration().SerializeAsString();
  wire::RegisterRequest request;
  for (size_t size = 1; size < 60; ++size) {
    if (request.ParseFromString(bytes.substr(0, size))) continue;
    EXPECT_THAT(std::string(ParseBounded(bytes.substr(0, size), &request).message()), HasSubstr("no RegisterRequest"));
  }
}

}  // namespace
}  // namespace troupe
