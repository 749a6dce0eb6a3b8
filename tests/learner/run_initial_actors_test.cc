// What a run that begins takes of other runs' actors, and what it says.
#include <limits>

#include "common/config/experiment_loader.h"
#include "common/specs/actor_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/run/initial_actors.h"
#include "tests/common/temporary_folder.h"
#include "tests/learner/run_fakes.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One group of so many observations and actions, networks of one hidden layer.
struct Other {
  EnvironmentSpec environment;
  Experiment experiment = TinyExperiment();
  std::vector<PolicySpec> policies;

  Other(const std::string& group, int observations, int actions, int hidden = 4, bool layer_norm = false) {
    environment.name = "other";
    environment.groups = {
        {.name = group, .agents = {"a", "b"}, .observation_size = observations, .action_size = actions}};
    experiment.mutable_policy()->set_hidden_sizes(0, hidden);
    experiment.mutable_policy()->set_hidden_layer_norm(layer_norm);
    policies = MakePolicySpecs(experiment, environment).value();
  }

  // Parameters count up from `first`.
  std::string Write(const std::string& path, float first) const {
    ActorFile file;
    file.experiment = experiment;
    file.policies = policies;
    file.groups = environment.groups;
    file.weights.policy_version = 12;
    for (const DenseStackSpec::Parameter& parameter : policies[0].Parameters()) {
      HostTensor tensor{policies[0].group + "/" + parameter.name, DataType::kFloat32, parameter.shape, {}};
      std::vector<float> values(tensor.num_elements());
      for (float& value : values) value = first++;
      file.weights.tensors.push_back(HostTensor::Float32(tensor.name, tensor.shape, values.data()));
    }
    const absl::Status written = WriteActorFile(path, file);
    EXPECT_TRUE(written.ok()) << written;
    return path;
  }
};

absl::StatusOr<InitialActors> Take(const Other& run, const std::string& path) {
  Experiment experiment = run.experiment;
  experiment.set_initial_actors(path);
  return ReadInitialActors(experiment, run.environment, run.policies);
}

TEST(InitialActors, AreTakenWhereNameAndShapeAreTheSame) {
  TemporaryFolder folder;
  const std::string path = Other("team", 3, 2).Write(folder / "a.safetensors", 100);
  // The related task has another number of actions.
  const auto taken = Take(Other("team", 3, 5), path);
  ASSERT_TRUE(taken.ok()) << taken.status();
  ASSERT_EQ(taken->tensors.size(), 2);
  EXPECT_EQ(taken->tensors[0].name, "team/layers.0.weight");
  EXPECT_EQ(taken->tensors[0].floats()[0], 100);
  EXPECT_EQ(taken->tensors[1].name, "team/layers.0.bias");
  EXPECT_THAT(taken->lines,
              ElementsAre("actors of team from " + path + " (run tiny, group team, policy of update 12):",
                          "  team/layers.0 (weight [1, 3, 4], bias [1, 4]): taken",
                          "  team/output (weight [1, 4, 5], bias [1, 5]): begins at random, output.weight is [1, 4, 2] "
                          "there",
                          "1 of 2 layers taken; critics and optimisers begin as ever"));
  EXPECT_THAT(taken->summary, HasSubstr("policy of update 12, weights sha256 "));
  EXPECT_THAT(taken->summary, HasSubstr(": 1 of 2 layers"));
}

TEST(InitialActors, WhatOneOfTheTwoLacksIsSaid) {
  TemporaryFolder folder;
  const std::string path = Other("team", 3, 2).Write(folder / "a.safetensors", 0);
  const auto deeper = Take(Other("team", 3, 2, 4, /*layer_norm=*/true), path);
  ASSERT_TRUE(deeper.ok()) << deeper.status();
  EXPECT_THAT(
      deeper->lines,
      ::testing::Contains("  team/norms.0 (gain [1, 4], bias [1, 4]): begins at random, norms.0.gain is not there"));
  const std::string normed = Other("team", 3, 2, 4, /*layer_norm=*/true).Write(folder / "b.safetensors", 0);
  const auto plain = Take(Other("team", 3, 2), normed);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_THAT(plain->lines, ::testing::Contains("  team/norms.0 (gain [1, 4], bias [1, 4]): there, but not here"));
  EXPECT_EQ(plain->tensors.size(), 4);
}

TEST(InitialActors, TheOnlyGroupOfAFileServesAnyAndOtherNamesAreSaid) {
  TemporaryFolder folder;
  Other walkers("walkers", 3, 2);
  walkers.environment.groups[0].observed = {{.name = "x"}, {.name = "y"}, {.name = "z"}};
  const std::string path = walkers.Write(folder / "a.safetensors", 0);
  Other pilots("pilots", 3, 2);
  pilots.environment.groups[0].observed = {{.name = "x"}, {.name = "height"}, {.name = "z"}};
  const auto taken = Take(pilots, path);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->tensors.front().name, "pilots/layers.0.weight");
  EXPECT_THAT(taken->lines, ::testing::Contains("  mind: observed number 1 is height here and y there"));
}

TEST(InitialActors, AGroupMayHaveAFileOfItsOwnOrNone) {
  TemporaryFolder folder;
  Other run("team", 3, 2);
  const std::string first = run.Write(folder / "a.safetensors", 100), second = run.Write(folder / "b.safetensors", 500);
  run.experiment.set_initial_actors(first);
  (*run.experiment.mutable_group_initial_actors())["team"] = second;
  auto taken = ReadInitialActors(run.experiment, run.environment, run.policies);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->tensors[0].floats()[0], 500);
  (*run.experiment.mutable_group_initial_actors())["team"] = "";
  taken = ReadInitialActors(run.experiment, run.environment, run.policies);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_TRUE(taken->tensors.empty());
  EXPECT_EQ(taken->summary, "");
}

TEST(InitialActors, AreRefusedByTheSettingsName) {
  TemporaryFolder folder;
  Other run("team", 3, 2);
  const auto words = [](const absl::Status& status) { return std::string(status.message()); };
  EXPECT_THAT(words(Take(run, folder / "none.safetensors").status()), HasSubstr("initial_actors: "));
  EXPECT_EQ(Take(run, folder / "none.safetensors").status().code(), absl::StatusCode::kNotFound);
  const std::string narrow = Other("team", 7, 5, 9).Write(folder / "a.safetensors", 0);
  EXPECT_THAT(words(Take(run, narrow).status()), HasSubstr("initial_actors: nothing of " + narrow +
                                                           " has name and shape of what begins here:\nactors of"));
  const std::string good = run.Write(folder / "b.safetensors", 0);
  Experiment experiment = run.experiment;
  (*experiment.mutable_group_initial_actors())["taem"] = good;
  EXPECT_EQ(words(ReadInitialActors(experiment, run.environment, run.policies).status()),
            "group_initial_actors.taem: other has no such group; there are: team");
  experiment = run.experiment;
  (*experiment.mutable_group_initial_actors())["team"] = narrow;
  EXPECT_THAT(words(ReadInitialActors(experiment, run.environment, run.policies).status()),
              HasSubstr("group_initial_actors.team: nothing of "));
  const std::string broken = run.Write(folder / "c.safetensors", std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(words(Take(run, broken).status()), HasSubstr("tensor \"team/layers.0.weight\" is not finite"));
}

TEST(InitialActors, FilesAreLookedAtBeforeAnythingStarts) {
  TemporaryFolder folder;
  Other run("team", 3, 2);
  EXPECT_TRUE(CheckInitialActors(run.experiment).ok());
  run.experiment.set_initial_actors(run.Write(folder / "a.safetensors", 0));
  (*run.experiment.mutable_group_initial_actors())["team"] = "";
  EXPECT_TRUE(CheckInitialActors(run.experiment).ok());
  (*run.experiment.mutable_group_initial_actors())["team"] = folder / "none.safetensors";
  EXPECT_THAT(std::string(CheckInitialActors(run.experiment).message()), HasSubstr("group_initial_actors.team: "));
}

}  // namespace
}  // namespace troupe::testing
