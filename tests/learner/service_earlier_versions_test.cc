// What earlier versions sent, as tests/golden/version_*/record.py recorded it, by the code that reads it today.
#include <string>
#include <vector>

#include "common/files/atomic_file.h"
#include "common/specs/policy_spec.h"
#include "common/wire/chunk_layout.h"
#include "common/wire/message_reader.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "gtest/gtest.h"
#include "learner/ingest/chunk_admission.h"
#include "proto/training_service.pb.h"

namespace troupe {
namespace {

constexpr char kVersion01[] = TROUPE_SOURCE_DIR "/tests/golden/version_0_1/";

std::string Recorded(const std::string& name) { return ReadWholeFile(kVersion01 + name).value(); }

// Version 0.1 speaks protocol 3. Once this version speaks another one, it must say so at the door instead: the tests
// below are those of a peer that is let in.
TEST(Version01, AWorkersRegistrationAndChunkAreUnderstood) {
  wire::RegisterRequest registration;
  ASSERT_TRUE(registration.ParseFromString(Recorded("register_request.bin")));
  ASSERT_EQ(registration.protocol_version(), 3);
  if (kProtocolVersion != 3) GTEST_SKIP() << "workers of version 0.1 are refused";
  const auto environment = DecodeEnvironmentSpec(registration.environment_spec());
  ASSERT_TRUE(environment.ok()) << environment.status();
  EXPECT_EQ(environment->name, "grid_world");
  ASSERT_EQ(environment->groups.size(), 1);
  wire::DescribeRunResponse run;
  ASSERT_TRUE(run.ParseFromString(Recorded("describe_run_response.bin")));
  EXPECT_EQ(run.run_id(), registration.run_id());
  EXPECT_EQ(run.experiment().seed(), 3);
  const auto policies = MakePolicySpecs(run.experiment(), *environment);
  ASSERT_TRUE(policies.ok()) << policies.status();

  const std::string bytes = Recorded("worker_message.bin");
  const ChunkShape shape = ChunkShapeOf(run.experiment(), *policies);
  ReceivedMessage received;
  const std::vector<absl::string_view> pieces = {bytes};
  ASSERT_TRUE(ReadMessage(pieces, LimitsOfChunks(*environment, shape), &received).ok());
  const auto view = CheckChunk(*environment, shape, received.chunk);
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(received.chunk.chunk.policy_version(), 0);
  EXPECT_EQ(received.chunk.chunk.lease_epoch(), 1);
  EXPECT_EQ(view->terminated.size(), 16) << "8 steps of 2 copies";
}

TEST(Version01, ALearnersWeightsAreUnderstood) {
  wire::RegisterRequest registration;
  ASSERT_TRUE(registration.ParseFromString(Recorded("register_request.bin")));
  if (kProtocolVersion != registration.protocol_version()) GTEST_SKIP() << "learners of version 0.1 are refused";
  wire::DescribeRunResponse run;
  ASSERT_TRUE(run.ParseFromString(Recorded("describe_run_response.bin")));
  const auto policies =
      MakePolicySpecs(run.experiment(), DecodeEnvironmentSpec(registration.environment_spec()).value()).value();
  wire::Weights weights;
  ASSERT_TRUE(weights.ParseFromString(Recorded("weights.bin")));
  const auto policy = DecodeWeights(policies, weights);
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->policy_version, 0);
}

}  // namespace
}  // namespace troupe
