// Which formats there are, and what a model card says. tests/onnx and tests/parity run what is exported.
#include "learner/export/export_actors.h"

#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/export/model_card.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/common/temporary_folder.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A discrete group whose numbers have names, some of them awkward, and a continuous one.
ActorFile Example() {
  ActorFile file;
  file.experiment = MinimalExperiment();
  file.experiment.set_name("crossroads");
  FillDefaults(&file.experiment);
  file.groups = TwoGroupSpec().groups;
  for (int i = 0; i < 4; ++i) {
    file.groups[0].observed.push_back({"seen_" + std::to_string(i), "m", 2, "left|right\n<here>"});
  }
  for (int i = 0; i < 5; ++i) file.groups[0].actions.push_back({"act_" + std::to_string(i), "does it"});
  file.groups[1].action_bounds = {{-2, 2}, {0, 0.5}};
  file.groups[1].actions = {{"push", "in N"}, {"pull", ""}};
  EnvironmentSpec environment = TwoGroupSpec();
  environment.groups = file.groups;
  file.policies = *MakePolicySpecs(file.experiment, environment);
  for (const PolicySpec& policy : file.policies) {
    for (HostTensor& tensor : RandomWeights(policy, 1)) file.weights.tensors.push_back(std::move(tensor));
  }
  file.weights.policy_version = 7;
  file.env_steps = 12345;
  return file;
}

TEST(ExportActors, FormatsAreTheseFour) {
  EXPECT_EQ(*ParseActorFormat("safetensors"), ActorFormat::kSafetensors);
  EXPECT_EQ(*ParseActorFormat("onnx"), ActorFormat::kOnnx);
  EXPECT_EQ(*ParseActorFormat("torchscript"), ActorFormat::kTorchscript);
  EXPECT_EQ(*ParseActorFormat("card"), ActorFormat::kCard);
  EXPECT_EQ(ParseActorFormat("safetensor").status().message(),
            "--format=safetensor: expected one of card | onnx | safetensors | torchscript; did you mean "
            "\"safetensors\"?");
  EXPECT_EQ(ParseActorFormat("pickle").status().message(),
            "--format=pickle: expected one of card | onnx | safetensors | torchscript");
}

TEST(ExportActors, TorchscriptIsWrittenByWhoHasLibTorch) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteActorFile(folder / "a", Example()).ok());
  const auto none = ExportActors("", folder / "a", ActorFormat::kTorchscript, folder / "b");
  EXPECT_TRUE(absl::IsUnimplemented(none.status())) << none.status();
  const auto written = ExportActors(
      "", folder / "a", ActorFormat::kTorchscript, folder / "b", [](const std::string&, const ActorFile& actors) {
        return absl::StatusOr<std::vector<std::string>>({actors.policies[1].group + ".pt"});
      });
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_THAT(*written, HasSubstr("b/: blue.pt: actors of cross"));
}

TEST(ModelCard, IsAFolderWithTheActorsAndTheirCard) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteActorFile(folder / "a", Example()).ok());
  const auto said = ExportActors("", folder / "a", ActorFormat::kCard, folder / "new/card");
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_EQ(*ReadWholeFile(folder / "new/card/README.md"), FormatModelCard(Example(), "actors.safetensors"));
  EXPECT_EQ(*ReadWholeFile(folder / "new/card/actors.safetensors"), *ReadWholeFile(folder / "a"));
}

TEST(ModelCard, SaysWhatGoesInAndComesOut) {
  const std::string card = FormatModelCard(Example(), "best.safetensors");
  EXPECT_THAT(card, AllOf(HasSubstr("for 12345 environment steps (policy version 7)"),
                          HasSubstr("| agents | 3: red_0, red_1, red_2 |"), HasSubstr("| observes | 4 numbers"),
                          HasSubstr("| acts | one of 5, categorical |"),
                          HasSubstr("| 3 | seen_3 | m | 2 | left\\|right &lt;here> |"),
                          HasSubstr("| 4 | act_4 |  | does it |"), HasSubstr("| 1 | pull | [0, 0.5] |  |")));
  EXPECT_THAT(card, AllOf(HasSubstr("--actors=best.safetensors --agent=red_0"),
                          HasSubstr(FormatExperiment(Example().experiment))));
}

// A hub lists a value only where it has one.
TEST(ModelCard, HasAnIndexEntryOfBestActorsAlone) {
  ActorFile file = Example();
  const std::string without = FormatModelCard(file, "a");
  EXPECT_THAT(without, AllOf(StartsWith("---\nlibrary_name: troupe\npipeline_tag: reinforcement-learning\ntags:\n"),
                             Not(HasSubstr("model-index")), HasSubstr("have not been evaluated")));
  file.experiment.set_name("cross: \"roads\"");
  file.best = BestEvaluation{41.75, 7, 12345, {"mean_delay_seconds", true, 8, 1000000, true, "1a2b3c4d"}};
  const std::string with = FormatModelCard(file, "a");
  EXPECT_THAT(with, HasSubstr("- name: \"cross: \\\"roads\\\"\"\n"));
  EXPECT_THAT(with, HasSubstr("    - type: \"mean_delay_seconds\"\n"));
  EXPECT_THAT(with, HasSubstr("      value: 41.75\n---\n"));
  EXPECT_THAT(with, HasSubstr("**41.75** mean_delay_seconds (smaller is better) over 8 episodes"));
}

}  // namespace
}  // namespace troupe
