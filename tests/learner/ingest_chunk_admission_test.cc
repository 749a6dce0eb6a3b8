#include <functional>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/ingest/chunk_admission.h"
#include "tests/support/chunk_in_pieces.h"
#include "tests/support/chunk_maker.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using troupe::testing::MakeChunk;
using troupe::testing::TwoGroupSpec;

constexpr ChunkShape kShape{4, 3};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

absl::Status Check(const wire::Chunk& chunk) {
  const testing::ChunkInPieces received(chunk, /*piece_bytes=*/101);
  return CheckChunk(TwoGroupSpec(), kShape, received.get()).status();
}

template <typename T>
T* Data(wire::Tensor* tensor) {
  return reinterpret_cast<T*>(tensor->mutable_data()->data());
}

struct BadChunk {
  std::string name;
  std::function<void(wire::Chunk&)> spoil;
  std::string message;  // how it begins
};

void PrintTo(const BadChunk& bad, std::ostream* out) { *out << bad.name; }

class BadChunkTest : public ::testing::TestWithParam<BadChunk> {};

TEST_P(BadChunkTest, IsRefusedWithTheFieldsName) {
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), kShape, {}, 1);
  ASSERT_TRUE(Check(chunk).ok()) << Check(chunk);
  GetParam().spoil(chunk);
  const absl::Status status = Check(chunk);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith(GetParam().message));
}

const BadChunk kBadChunks[] = {
    {"wrong_shape", [](wire::Chunk& c) { c.mutable_groups(0)->mutable_rewards()->set_shape(0, 5); },
     "groups[0].rewards.shape: came [5, 3, 2], expected [4, 3, 2]"},
    {"missing_group", [](wire::Chunk& c) { c.mutable_groups()->RemoveLast(); }, "groups"},
    {"short_data", [](wire::Chunk& c) { c.mutable_state_extras()->mutable_data()->pop_back(); }, "state_extras.data"},
    {"nan_observation", [](wire::Chunk& c) { Data<float>(c.mutable_groups(0)->mutable_observations())[19] = kNan; },
     "groups[0].observations[1, 0, 0, 1]: came nan"},
    {"infinite_reward", [](wire::Chunk& c) { Data<float>(c.mutable_groups(1)->mutable_rewards())[2] = -kInfinity; },
     "groups[1].rewards[0, 2, 0]: came -inf"},
    {"huge_reward", [](wire::Chunk& c) { Data<float>(c.mutable_groups(1)->mutable_rewards())[2] = -1e9f; },
     "groups[1].rewards[0, 2, 0]: came -1e+09, expected at most 1.67772e+07 in magnitude"},
    {"nan_log_probability",
     [](wire::Chunk& c) { Data<float>(c.mutable_groups(0)->mutable_log_probabilities())[0] = kNan; },
     "groups[0].log_probabilities[0, 0, 0]"},
    {"positive_log_probability",
     [](wire::Chunk& c) { Data<float>(c.mutable_groups(0)->mutable_log_probabilities())[1] = 0.5f; },
     "groups[0].log_probabilities[0, 0, 1]: came 0.5"},
    {"nan_continuous_action", [](wire::Chunk& c) { Data<float>(c.mutable_groups(1)->mutable_actions())[0] = kNan; },
     "groups[1].actions[0, 0, 0, 0]"},
    {"nan_final_observation",
     [](wire::Chunk& c) { Data<float>(c.mutable_groups(0)->mutable_final_observations())[5] = kNan; },
     "groups[0].final_observations[0, 1, 2]"},
    {"nan_extras", [](wire::Chunk& c) { Data<float>(c.mutable_state_extras())[29] = kNan; }, "state_extras[4, 2, 1]"},
    {"nan_final_extras", [](wire::Chunk& c) { Data<float>(c.mutable_final_state_extras())[1] = kNan; },
     "final_state_extras[0, 1]"},
    {"action_too_large", [](wire::Chunk& c) { Data<int32_t>(c.mutable_groups(0)->mutable_actions())[7] = 4; },
     "groups[0].actions[1, 0, 1]: came 4, expected [0, 4)"},
    {"action_negative", [](wire::Chunk& c) { Data<int32_t>(c.mutable_groups(0)->mutable_actions())[0] = -1; },
     "groups[0].actions[0, 0, 0]: came -1"},
    {"action_not_allowed",
     [](wire::Chunk& c) {
       const int action = Data<int32_t>(c.mutable_groups(0)->mutable_actions())[3];
       Data<uint8_t>(c.mutable_groups(0)->mutable_action_masks())[3 * 4 + action] = 0;
     },
     "groups[0].actions[0, 1, 1]"},
    {"mask_of_nothing",
     [](wire::Chunk& c) { std::fill_n(Data<uint8_t>(c.mutable_groups(0)->mutable_action_masks()) + 4, 4, uint8_t{0}); },
     "groups[0].action_masks[0, 0, 1]: allows no action"},
    {"mask_of_two", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_groups(0)->mutable_action_masks())[0] = 2; },
     "groups[0].action_masks[0, 0, 0, 0]: came 2"},
    {"alive_of_two", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_groups(1)->mutable_alive())[4] = 2; },
     "groups[1].alive[1, 1, 0]: came 2"},
    {"terminated_of_two", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_terminated())[1] = 2; }, "terminated[0, 1]"},
    {"truncated_of_nine", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_truncated())[1] = 9; }, "truncated[0, 1]"},
    {"both_endings", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_terminated())[10] = 1; }, "truncated[3, 1]"},
    {"truncated_elsewhere", [](wire::Chunk& c) { Data<int32_t>(c.mutable_truncated_at())[0] = 2; },
     "truncated_at[0]: came [2, 1], expected [3, 1]"},
    {"truncated_untold", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_truncated())[11] = 1; },
     "truncated_at.shape: came 1 rows, expected 2"},
    {"truncated_not_set", [](wire::Chunk& c) { Data<uint8_t>(c.mutable_truncated())[10] = 0; },
     "truncated_at.shape: came 1 rows, expected 0"},
    {"episode_copy", [](wire::Chunk& c) { c.mutable_episodes(0)->set_copy(3); }, "episodes[0].copy: came 3"},
    {"episode_step", [](wire::Chunk& c) { c.mutable_episodes(1)->set_step(4); }, "episodes[1].step: came 4"},
    {"episode_not_ended", [](wire::Chunk& c) { c.mutable_episodes(0)->set_step(1); }, "episodes[0].step: came 1"},
    {"episode_twice", [](wire::Chunk& c) { *c.add_episodes() = c.episodes(0); }, "episodes[2]: a second episode"},
    {"episode_length", [](wire::Chunk& c) { c.mutable_episodes(0)->set_length(0); }, "episodes[0].length: came 0"},
    {"episode_returns", [](wire::Chunk& c) { c.mutable_episodes(0)->add_group_returns(1); },
     "episodes[0].group_returns: came 3"},
    {"episode_statistics", [](wire::Chunk& c) { c.mutable_episodes(0)->clear_statistics(); },
     "episodes[0].statistics: came 0"},
    {"episode_nan", [](wire::Chunk& c) { c.mutable_episodes(0)->set_statistics(0, kNan); },
     "episodes[0].statistics[0]"},
    {"negative_seconds", [](wire::Chunk& c) { c.set_environment_seconds(-1); }, "environment_seconds: came -1"},
    {"nan_seconds", [](wire::Chunk& c) { c.set_inference_seconds(kNan); }, "inference_seconds: came nan"},
};

INSTANTIATE_TEST_SUITE_P(Fields, BadChunkTest, ::testing::ValuesIn(kBadChunks),
                         [](const auto& info) { return info.param.name; });

TEST(ChunkValuesTest, ADeadAgentMayHaveAnEmptyMaskAndAnyActionInRange) {
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), kShape, {}, 1);
  Data<uint8_t>(chunk.mutable_groups(0)->mutable_alive())[3] = 0;
  std::fill_n(Data<uint8_t>(chunk.mutable_groups(0)->mutable_action_masks()) + 3 * 4, 4, uint8_t{0});
  EXPECT_TRUE(Check(chunk).ok()) << Check(chunk);
}

// Two builders with indices of 3 and 2 choices.
EnvironmentSpec MultiDiscreteSpec() {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.groups = {{"builders", {"a", "b"}, 3, ActionKind::kMultiDiscrete, 5}};
  spec.groups[0].action_sizes = {3, 2};
  return spec;
}

TEST(ChunkValuesTest, EveryIndexOfAMultiDiscreteActionIsWithinItsDimensionAndAllowed) {
  const auto refusal = [](const std::function<void(wire::GroupTrajectory&)>& spoil) {
    wire::Chunk chunk = MakeChunk(MultiDiscreteSpec(), kShape, {}, 1);
    spoil(*chunk.mutable_groups(0));
    const testing::ChunkInPieces received(chunk, /*piece_bytes=*/101);
    return std::string(CheckChunk(MultiDiscreteSpec(), kShape, received.get()).status().message());
  };
  const auto actions = [](wire::GroupTrajectory& group) { return Data<int32_t>(group.mutable_actions()); };
  const auto masks = [](wire::GroupTrajectory& group) { return Data<uint8_t>(group.mutable_action_masks()); };
  EXPECT_EQ(refusal([](auto&) {}), "");
  // Agent 1 of copy 2 at step 1: place 11 of [steps, copies, agents].
  EXPECT_EQ(refusal([&](auto& g) { actions(g)[2 * 11] = 3; }),
            "groups[0].actions[1, 2, 1, 0]: came 3, expected [0, 3)");
  EXPECT_EQ(refusal([&](auto& g) { actions(g)[2 * 11 + 1] = 2; }),
            "groups[0].actions[1, 2, 1, 1]: came 2, expected [0, 2)");
  EXPECT_EQ(refusal([&](auto& g) { actions(g)[2 * 11 + 1] = -1; }),
            "groups[0].actions[1, 2, 1, 1]: came -1, expected [0, 2)");
  EXPECT_EQ(refusal([&](auto& g) {
              actions(g)[2 * 11 + 1] = 1;
              masks(g)[5 * 11 + 4] = 0;
            }),
            "groups[0].actions[1, 2, 1, 1]: came 1, which action_masks does not allow");
  EXPECT_EQ(refusal([&](auto& g) { std::fill_n(masks(g) + 5 * 11, 3, uint8_t{0}); }),
            "groups[0].action_masks[1, 2, 1]: allows no action in dimension 0, expected at least one");
  // The last row as well: what is seen after the last step.
  EXPECT_EQ(refusal([&](auto& g) { std::fill_n(masks(g) + 5 * 29 + 3, 2, uint8_t{0}); }),
            "groups[0].action_masks[4, 2, 1]: allows no action in dimension 1, expected at least one");
  EXPECT_EQ(refusal([&](auto& g) { Data<float>(g.mutable_log_probabilities())[11] = 0.5f; }),
            "groups[0].log_probabilities[1, 2, 1]: came 0.5, expected at most 0");
  EXPECT_EQ(refusal([&](auto& g) {
              Data<uint8_t>(g.mutable_alive())[11] = 0;
              std::fill_n(masks(g) + 5 * 11, 5, uint8_t{0});
            }),
            "")
      << "the dead";
}

TEST(ChunkValuesTest, AnUnreportedEpisodeIsFine) {
  wire::Chunk chunk = MakeChunk(TwoGroupSpec(), kShape, {}, 1);
  chunk.mutable_episodes()->RemoveLast();
  EXPECT_TRUE(Check(chunk).ok()) << Check(chunk);
}

TEST(RequiredVersionTest, FollowsTheModesLag) {
  EXPECT_EQ(RequiredVersion(SYNCHRONOUS, 0, 0), 0);
  EXPECT_EQ(RequiredVersion(SYNCHRONOUS, 0, 5), 5);
  EXPECT_EQ(RequiredVersion(PIPELINED, 0, 0), 0);
  EXPECT_EQ(RequiredVersion(PIPELINED, 0, 1), 0);
  EXPECT_EQ(RequiredVersion(PIPELINED, 0, 5), 4);
  EXPECT_EQ(RequiredVersion(PIPELINED, 7, 7), 7);
  EXPECT_EQ(RequiredVersion(PIPELINED, 7, 8), 7);
}

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() : leases_({2, absl::Seconds(20), 1, absl::Seconds(30)}) {
    leases_.Open({}, 0, SteadyTime());
    leases_.AddWorker("a", 10, SteadyTime());
    leases_.Connect("a", SteadyTime());
    leases_.TakeChanges(SteadyTime());
  }
  absl::StatusOr<AdmissionVerdict> Decide(const AdmissionState& state, testing::ChunkIdentity identity) {
    wire::Chunk chunk;
    chunk.set_shard(identity.shard);
    chunk.set_lease_epoch(identity.lease_epoch);
    chunk.set_sequence(identity.sequence);
    chunk.set_policy_version(identity.policy_version);
    return DecideAdmission(state, leases_, "a", chunk);
  }
  std::string Error(const AdmissionState& state, testing::ChunkIdentity identity) {
    const auto verdict = Decide(state, identity);
    EXPECT_EQ(verdict.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(verdict.status().message());
  }
  LeaseTable leases_;
};

TEST_F(AdmissionTest, PipelinedTakesExactlyTheVersionOfOneUpdateEarlier) {
  const AdmissionState state{PIPELINED, 0, 2, 0, 0};
  EXPECT_EQ(Decide(state, {0, 1, 0, 0})->result, wire::ADMITTED);
  leases_.Advance(0, SteadyTime());
  leases_.Advance(0, SteadyTime());
  const auto verdict = Decide(state, {0, 1, 2, 1});
  ASSERT_TRUE(verdict.ok());
  EXPECT_EQ(verdict->update, 2);
  EXPECT_EQ(verdict->policy_lag, 1);
  EXPECT_THAT(Error(state, {0, 1, 2, 2}), HasSubstr("policy_version: came 2, expected 1"));
  EXPECT_THAT(Error(state, {0, 1, 2, 0}), HasSubstr("policy_version: came 0, expected 1"));
}

TEST_F(AdmissionTest, AVersionNeverPublishedIsInvalidInEveryMode) {
  for (const CollectionMode mode : {SYNCHRONOUS, PIPELINED, ASYNCHRONOUS}) {
    EXPECT_THAT(Error({mode, 3, 4, 10, 4}, {0, 1, 0, 5}), StartsWith("policy_version: came 5, expected one of [3, 4]"));
    EXPECT_THAT(Error({mode, 3, 4, 10, 4}, {0, 1, 0, 2}), StartsWith("policy_version: came 2"));
  }
}

TEST_F(AdmissionTest, AsynchronousDropsWhatIsOlderThanTheLagAllows) {
  const AdmissionState state{ASYNCHRONOUS, 0, 9, 2, 10};
  EXPECT_EQ(Decide(state, {0, 1, 0, 8})->result, wire::ADMITTED);
  EXPECT_EQ(Decide(state, {0, 1, 0, 8})->update, 10);
  EXPECT_EQ(Decide(state, {0, 1, 0, 8})->policy_lag, 2);
  EXPECT_EQ(Decide(state, {0, 1, 0, 7})->result, wire::STALE);
}

TEST_F(AdmissionTest, ResentAndOutdatedChunksAreAnsweredNotAdmitted) {
  const AdmissionState state{PIPELINED, 0, 0, 0, 0};
  leases_.Advance(0, SteadyTime());
  EXPECT_EQ(Decide(state, {0, 1, 0, 0})->result, wire::DUPLICATE);
  ASSERT_TRUE(leases_.FailLease("a", 0, 1, SteadyTime()));
  leases_.TakeChanges(SteadyTime() + absl::Seconds(1));
  EXPECT_EQ(Decide(state, {0, 1, 1, 0})->result, wire::OLD_LEASE);
}

TEST_F(AdmissionTest, IdentitiesThatCannotBeAreInvalid) {
  const AdmissionState state{PIPELINED, 0, 0, 0, 0};
  EXPECT_THAT(Error(state, {2, 1, 0, 0}), StartsWith("shard: came 2"));
  EXPECT_THAT(Error(state, {0, 2, 0, 0}), StartsWith("lease_epoch: came 2"));
  EXPECT_THAT(Error(state, {0, 1, 1, 0}), StartsWith("sequence: came 1"));
}

}  // namespace
}  // namespace troupe
