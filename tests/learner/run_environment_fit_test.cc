#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/run/environment_fit.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

EnvironmentSpec Spec(int observation_size, int agents) {
  EnvironmentSpec spec;
  spec.name = "grid_world";
  spec.groups = {{"walkers", {}, observation_size, ActionKind::kDiscrete, 4}};
  for (int i = 0; i < agents; ++i) spec.groups[0].agents.push_back(absl::StrCat("a", i));
  return spec;
}

absl::StatusOr<EnvironmentFit> Fit(const EnvironmentSpec& spec, const std::vector<std::string>& overrides = {}) {
  const auto experiment = ParseExperiment(
      "name: 'fit' total_env_steps: 1000 environment { name: 'grid_world' }"
      "collection { num_shards: 1 copies_per_shard: 1 rollout_length: 8 }"
      "critic { hidden_sizes: [64] input_layer_norm: false hidden_layer_norm: false }",
      "test", overrides);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  return FitEnvironment(*experiment, spec, {0, static_cast<int>(experiment->collection().num_shards())}, 0);
}

TEST(EnvironmentFit, AnUsualOneFits) {
  const auto fit = Fit(Spec(17, 9));
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_THAT(fit->policies, SizeIs(1));
  EXPECT_GT(SumOf(fit->memory), 0);
}

TEST(EnvironmentFit, ChunksLargerThanAMessageAreRefused) {
  const absl::Status status = Fit(Spec(1'000'000, 9)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("a chunk could take"));
}

// 64 units that see 9 × 300,000 numbers each, and the team's value out of them: 2,700,001 · 64 + 65.
TEST(EnvironmentFit, NetworksThatWouldTakeLongToBeginWithAreRefused) {
  const absl::Status status = Fit(Spec(300'000, 9)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("the critic of team would have 172,800,129 parameters for 2,700,000 numbers it sees, expected "
                        "at most 134,217,728"));
}

TEST(EnvironmentFit, MoreMemoryThanThereIsIsRefusedByTheBytesNeeded) {
  const absl::Status status =
      Fit(Spec(1000, 9), {"collection.num_shards=4000", "collection.rollout_length=1000"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("MiB are needed"));
}

TEST(EnvironmentFit, WhatTheExperimentAsksForIsMissedByName) {
  EXPECT_THAT(std::string(Fit(Spec(17, 9), {"evaluation.best_by=waiting"}).status().message()),
              HasSubstr("evaluation.best_by: \"waiting\""));
}

}  // namespace
}  // namespace troupe
