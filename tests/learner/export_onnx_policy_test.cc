// Which ONNX files actors become, and what is refused. tests/onnx runs them.
#include <string>

#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/export/export_onnx.h"
#include "learner/export/onnx_policy.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ActorFile ActorsOf(const std::vector<PolicySpec>& policies) {
  ActorFile file;
  file.experiment.set_name("some");
  file.policies = policies;
  for (const PolicySpec& policy : policies) {
    for (HostTensor& tensor : RandomWeights(policy, 1)) file.weights.tensors.push_back(std::move(tensor));
  }
  return file;
}

PolicySpec Group(const std::string& name, const std::vector<int>& sets) {
  PolicySpec spec = MakeTestSpec(static_cast<int>(sets.size()), 5, 4, {8}, sets);
  spec.group = name;
  return spec;
}

TEST(ExportOnnx, WritesAFileOfEachGroupOrOfEachOfItsParameterSets) {
  const TemporaryFolder folder;
  const auto names = WriteOnnxActors(folder / "new/onnx", ActorsOf({Group("one", {0, 0}), Group("two", {1, 0})}));
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_THAT(*names, ElementsAre("one.onnx", "two.0.onnx", "two.1.onnx"));
  for (const std::string& name : *names) EXPECT_TRUE(*FileExists(folder / ("new/onnx/" + name)));
  EXPECT_THAT(*ReadWholeFile(folder / "new/onnx/two.1.onnx"), HasSubstr("agent_indices\x12\x03[0]"));
}

TEST(ExportOnnx, GivesTheSameBytesAgain) {
  const TemporaryFolder folder;
  const ActorFile actors = ActorsOf({Group("one", {0, 0})});
  for (const char* const to : {"a", "b"}) ASSERT_TRUE(WriteOnnxActors(folder / to, actors).ok());
  EXPECT_EQ(*ReadWholeFile(folder / "a/one.onnx"), *ReadWholeFile(folder / "b/one.onnx"));
}

TEST(ExportOnnx, AGroupWhoseNameIsAPathIsRefused) {
  const TemporaryFolder folder;
  const auto names = WriteOnnxActors(folder.path(), ActorsOf({Group("../one", {0})}));
  EXPECT_TRUE(absl::IsInvalidArgument(names.status()));
  EXPECT_THAT(std::string(names.status().message()), HasSubstr("group \"../one\""));
}

TEST(ExportOnnx, TensorsOfAnotherNetworkAreRefused) {
  const PolicySpec spec = Group("one", {0});
  std::vector<HostTensor> tensors = RandomWeights(spec, 1);
  EXPECT_TRUE(MakeOnnxPolicy(spec, tensors, 0).ok());
  tensors[1].shape = {1, 4};
  EXPECT_TRUE(absl::IsInvalidArgument(MakeOnnxPolicy(spec, tensors, 0).status()));
  tensors.pop_back();
  const auto names = WriteOnnxActors(TemporaryFolder().path(), {.policies = {spec}, .weights = {1, tensors}});
  EXPECT_TRUE(absl::IsInvalidArgument(names.status()));
  EXPECT_THAT(std::string(names.status().message()), HasSubstr("group \"one\""));
}

TEST(ExportOnnx, AGroupThatFollowsOptionsIsRefusedByName) {
  PolicySpec spec = MakeTestSpec(1, 5, 4, {8}, {0});
  spec.options = {3, 10};
  spec.stack.input_size += 3;
  const auto model = MakeOnnxPolicy(spec, RandomWeights(spec, 1), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(model.status()));
  EXPECT_THAT(std::string(model.status().message()), HasSubstr("group \"team\": num_options is 3"));
}

TEST(ExportOnnx, WhatNoFileHoldsIsRefusedBeforeItIsAllocated) {
  PolicySpec spec = WithAgentId(MakeTestSpec(1, 5, 4, {8}, {0}));
  spec.num_agents = 30'000;  // one-hots of 900 million numbers
  const auto model = MakeOnnxPolicy(spec, {}, 0);
  EXPECT_TRUE(absl::IsResourceExhausted(model.status())) << model.status();
  EXPECT_THAT(std::string(model.status().message()), HasSubstr("group \"team\""));
}

}  // namespace
}  // namespace troupe
