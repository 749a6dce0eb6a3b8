#include "common/specs/actor_file.h"

#include <functional>

#include "common/config/experiment_loader.h"
#include "common/files/safetensors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/temporary_folder.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

ActorFile Example() {
  ActorFile file;
  file.experiment = MinimalExperiment();
  (*file.experiment.mutable_environment()->mutable_settings())["size"] = "4";
  FillDefaults(&file.experiment);
  file.policies = *MakePolicySpecs(file.experiment, TwoGroupSpec());
  file.env_steps = 12345678901;
  file.weights.policy_version = 77;
  for (const PolicySpec& spec : file.policies) {
    for (const auto& parameter : spec.Parameters()) {
      HostTensor tensor{spec.group + "/" + parameter.name, DataType::kFloat32, parameter.shape, {}};
      tensor.bytes.resize(tensor.num_elements() * 4, 1);
      file.weights.tensors.push_back(std::move(tensor));
    }
  }
  return file;
}

TEST(ActorFileTest, ReadsWhatItWrote) {
  TemporaryFolder folder;
  const ActorFile file = Example();
  ASSERT_TRUE(WriteActorFile(folder / "a", file).ok());
  const auto read = ReadActorFile(folder / "a");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(FormatExperiment(read->experiment), FormatExperiment(file.experiment));
  EXPECT_EQ(read->policies, file.policies);
  EXPECT_EQ(read->weights.tensors, file.weights.tensors);
  EXPECT_EQ(read->weights.policy_version, 77);
  EXPECT_EQ(read->env_steps, 12345678901);
}

TEST(ActorFileTest, CarriesWhatObservationsAndActionsAreCalled) {
  TemporaryFolder folder;
  ActorFile file = Example();
  file.groups = TwoGroupSpec().groups;
  for (int i = 0; i < 4; ++i) file.groups[0].observed.push_back({"seen_" + std::to_string(i), "m", 2, "a \"word\""});
  for (int i = 0; i < 5; ++i) file.groups[0].actions.push_back({"act_" + std::to_string(i), ""});
  ASSERT_TRUE(WriteActorFile(folder / "a", file).ok());
  EXPECT_THAT(ReadSafetensors(folder / "a")->metadata["spaces.red"],
              HasSubstr(R"({"name":"seen_1","unit":"m","divided_by":2.0,"meaning":"a \"word\""})"));
  const auto read = ReadActorFile(folder / "a");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->groups, file.groups);
}

TEST(ActorFileTest, CarriesTheScalarsOfItsPolicyVersion) {
  TemporaryFolder folder;
  ActorFile file = Example();
  file.weights.scalars = {{"epsilon", 0.1}, {"noise_scale", 1.0 / 3}};
  ASSERT_TRUE(WriteActorFile(folder / "a", file).ok());
  const auto read = ReadActorFile(folder / "a");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->weights.scalars, file.weights.scalars);
  SafetensorsFile raw = *ReadSafetensors(folder / "a");
  EXPECT_EQ(raw.metadata["scalar.epsilon"], "0.10000000000000001");
  for (const std::string bad : {"little", "nan", "inf"}) {
    raw.metadata["scalar.epsilon"] = bad;
    ASSERT_TRUE(WriteSafetensors(folder / "a", raw).ok());
    EXPECT_THAT(std::string(ReadActorFile(folder / "a").status().message()), HasSubstr("epsilon")) << bad;
  }
}

TEST(ActorFileTest, NamesWhatIsWrongWithADescription) {
  TemporaryFolder folder;
  const auto refusal = [&](const std::string& spaces) {
    ActorFile example = Example();
    example.groups = TwoGroupSpec().groups;
    EXPECT_TRUE(WriteActorFile(folder / "a", example).ok());
    SafetensorsFile file = *ReadSafetensors(folder / "a");
    file.metadata["spaces.red"] = spaces;
    EXPECT_TRUE(WriteSafetensors(folder / "a", file).ok());
    return std::string(ReadActorFile(folder / "a").status().message());
  };
  EXPECT_THAT(refusal("{}"), AllOf(HasSubstr("spaces.red"), HasSubstr("agents")));
  EXPECT_THAT(refusal("no JSON"), HasSubstr("spaces.red"));
  EXPECT_THAT(refusal(R"({"agents": [], "observation": [], "actions": [{"name": "a", "meaning": ""}]})"),
              HasSubstr("actions: 1 entries, expected 5 or none"));
}

TEST(ActorFileTest, BestActorsSayWhatTheyAreBestBy) {
  TemporaryFolder folder;
  ActorFile file = Example();
  file.best = BestEvaluation{41.75, 77, 12345678901, {"mean_delay_seconds", true, 8, 1000000, true, "1a2b3c4d"}};
  ASSERT_TRUE(WriteActorFile(folder / "a", file).ok());
  const auto read = ReadActorFile(folder / "a");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->best, file.best);
  const auto raw = ReadSafetensors(folder / "a");
  for (const auto& [name, value] :
       {std::pair("best_value", "41.75"), std::pair("best_statistic", "mean_delay_seconds"),
        std::pair("best_smaller_is_better", "true"), std::pair("best_episodes", "8"),
        std::pair("best_first_seed", "1000000"), std::pair("best_sample_actions", "true"),
        std::pair("best_environment", "1a2b3c4d"), std::pair("best_policy_version", "77")}) {
    EXPECT_EQ(raw->metadata.at(name), value) << name;
  }
}

TEST(ActorFileTest, RefusesToWriteTensorsThatDoNotFit) {
  TemporaryFolder folder;
  ActorFile file = Example();
  file.weights.tensors.pop_back();
  EXPECT_EQ(WriteActorFile(folder / "a", file).code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(folder.Names().empty());
}

TEST(ActorFileTest, AnotherVersionsIsSaidToBe) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteActorFile(folder / "a", Example()).ok());
  SafetensorsFile file = *ReadSafetensors(folder / "a");
  file.metadata["format"] = "troupe-actors/2";
  ASSERT_TRUE(WriteSafetensors(folder / "b", file).ok());
  const absl::Status other = ReadActorFile(folder / "b").status();
  EXPECT_EQ(other.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(
      std::string(other.message()),
      AllOf(HasSubstr(folder / "b"), HasSubstr("another version of Troupe: its format is \"troupe-actors/2\"")));
  // A field that came later, in a file that is as it was written.
  file.metadata["format"] = "troupe-actors/1";
  file.metadata["experiment"] += "seeed: 1";
  ASSERT_TRUE(WriteSafetensors(folder / "b", file).ok());
  const absl::Status later = ReadActorFile(folder / "b").status();
  EXPECT_EQ(later.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(later.message()), HasSubstr("this one does not know metadata \"experiment\""));
}

TEST(ActorFileTest, NamesWhatIsWrong) {
  TemporaryFolder folder;
  const auto refusal = [&](const std::function<void(SafetensorsFile&)>& damage) {
    EXPECT_TRUE(WriteActorFile(folder / "a", Example()).ok());
    SafetensorsFile file = *ReadSafetensors(folder / "a");
    damage(file);
    EXPECT_TRUE(WriteSafetensors(folder / "a", file).ok());
    const absl::Status status = ReadActorFile(folder / "a").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(folder / "a"));
    return std::string(status.message());
  };
  EXPECT_THAT(refusal([](auto& f) { f.metadata.clear(); }), HasSubstr("not an actor file"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata["format"] = "other/1"; }), HasSubstr("\"other/1\""));
  EXPECT_THAT(refusal([](auto& f) { f.metadata.erase("experiment"); }), HasSubstr("experiment"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata["env_steps"] = "-1"; }), HasSubstr("env_steps"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata.erase("policy_version"); }), HasSubstr("policy_version"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata.erase("policy.red"); }), HasSubstr("policy.red"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata["policy.red"] = f.metadata["policy.blue"]; }),
              HasSubstr("describes group \"blue\""));
  EXPECT_THAT(refusal([](auto& f) { f.metadata["policy.green"] = f.metadata["policy.blue"]; }),
              HasSubstr("policy.green"));
  EXPECT_THAT(refusal([](auto& f) { f.metadata["policy.red"] = "{}"; }), HasSubstr("policy spec"));
  EXPECT_THAT(refusal([](auto& f) { f.tensors.clear(); }), HasSubstr("policy."));
  EXPECT_THAT(refusal([](auto& f) { f.tensors.pop_back(); }), HasSubstr("blue/log_std"));
  EXPECT_THAT(refusal([](auto& f) { std::swap(f.tensors[0], f.tensors[1]); }), HasSubstr("red/layers.0.weight"));
  EXPECT_THAT(refusal([](auto& f) {
                f.tensors[1].shape = {64, 1};
              }),
              AllOf(HasSubstr("[64, 1]"), HasSubstr("[1, 64]")));
  EXPECT_THAT(refusal([](auto& f) { f.tensors[1].data_type = DataType::kInt32; }), HasSubstr("red/layers.0.bias"));
  EXPECT_THAT(refusal([](auto& f) {
                HostTensor more = f.tensors.back();
                more.name = "blue/more";
                f.tensors.push_back(more);
              }),
              HasSubstr("\"blue/more\" belongs to no policy"));
}

TEST(ActorFileTest, PassesFileErrorsOn) {
  TemporaryFolder folder;
  EXPECT_EQ(ReadActorFile(folder / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(WriteActorFile(folder / "none/a", Example()).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace troupe
