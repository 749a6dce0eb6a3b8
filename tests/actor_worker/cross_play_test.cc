// Actor files that meet each other.
#include "actor_worker/commands/cross_play.h"

#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

using testing::HasSubstr;

// simple_tag: predators and prey.
class CrossPlay : public testing::Test {
 protected:
  void SetUp() override {
    scenario_.environment = *FindEnvironment("simple_tag");
    const auto environment = *scenario_.environment->create({});
    spec_ = environment->spec();
    for (const uint64_t seed : {1, 2}) {
      ActorFile file;
      file.experiment =
          *ParseExperiment("name: \"t\" total_env_steps: 1 environment { name: \"simple_tag\" }", "t", {});
      file.policies = *MakePolicySpecs(file.experiment, spec_);
      for (const PolicySpec& policy : file.policies) {
        for (HostTensor& tensor : RandomWeights(policy, seed)) file.weights.tensors.push_back(std::move(tensor));
      }
      file.weights.policy_version = seed;
      scenario_.actors.push_back(std::move(file));
      scenario_.paths.push_back(seed == 1 ? "one.safetensors" : "two.safetensors");
      scenario_.sampled.push_back(false);
    }
  }

  std::vector<double> ReturnsOf(const Player& player) const {
    const EpisodePlan plan{.environment = scenario_.environment, .first_seed = 5, .episodes = 4};
    const std::vector<EpisodeResult> episodes = RunEpisodes(plan, player).value();
    std::vector<double> returns;
    for (const EpisodeResult& episode : episodes) {
      returns.insert(returns.end(), episode.group_returns.begin(), episode.group_returns.end());
    }
    return returns;
  }

  Scenario scenario_;
  EnvironmentSpec spec_;
};

TEST_F(CrossPlay, AFileWithItselfPlaysAsTheFile) {
  const auto lineups = MakeLineups(scenario_, spec_);
  ASSERT_TRUE(lineups.ok()) << lineups.status();
  ASSERT_EQ(lineups->size(), 4);
  EXPECT_EQ((*lineups)[1].name, "one / two");
  EXPECT_EQ(ReturnsOf(LineupPlayer((*lineups)[0])), ReturnsOf(ActorPlayer(scenario_, 0)));
  EXPECT_EQ(ReturnsOf(LineupPlayer((*lineups)[3])), ReturnsOf(ActorPlayer(scenario_, 1)));
  EXPECT_NE(ReturnsOf(LineupPlayer((*lineups)[1])), ReturnsOf(LineupPlayer((*lineups)[2])));
}

TEST_F(CrossPlay, TheFirstGroupIsOfOneFileAndTheOthersOfAnother) {
  const auto lineup = MakeLineup(scenario_.actors[0], scenario_.actors[1], spec_);
  ASSERT_TRUE(lineup.ok()) << lineup.status();
  const std::string first = spec_.groups[0].name + "/";
  const std::vector<HostTensor>&one = scenario_.actors[0].weights.tensors, &two = scenario_.actors[1].weights.tensors;
  ASSERT_EQ(lineup->weights.tensors.size(), one.size());
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(lineup->weights.tensors[i], one[i].name.starts_with(first) ? one[i] : two[i]) << one[i].name;
  }
}

TEST_F(CrossPlay, WhatVersionsImplyBesidesIsNotMixed) {
  scenario_.actors[0].weights.scalars = {{kEpsilonScalar, 0.1}, {kCurriculumStageScalar, 0}};
  scenario_.actors[1].weights.scalars = {{kEpsilonScalar, 0.1}, {kCurriculumStageScalar, 2}, {kNoiseScaleScalar, 0.5}};
  const auto lineup = MakeLineup(scenario_.actors[0], scenario_.actors[1], spec_);
  ASSERT_TRUE(lineup.ok()) << lineup.status();
  EXPECT_EQ(lineup->weights.Scalar(kEpsilonScalar), 0.1);
  EXPECT_EQ(lineup->weights.Scalar(kNoiseScaleScalar), 0.5);
  scenario_.actors[1].weights.scalars[0].value = 0.2;
  EXPECT_THAT(std::string(MakeLineups(scenario_, spec_).status().message()),
              HasSubstr("--cross_play: one / two: one acts with epsilon 0.1, the other with 0.2"));
}

TEST_F(CrossPlay, IsRefusedWhereNobodyCanMeet) {
  EnvironmentSpec alone = spec_;
  alone.groups.resize(1);
  EXPECT_THAT(std::string(MakeLineups(scenario_, alone).status().message()), HasSubstr("has one group of agents"));
  scenario_.sampled[1] = true;
  EXPECT_THAT(std::string(MakeLineups(scenario_, spec_).status().message()), HasSubstr("give --sample or --greedy"));
  scenario_.actors[1].policies.pop_back();
  EXPECT_THAT(std::string(MakeLineup(scenario_.actors[0], scenario_.actors[1], spec_).status().message()),
              HasSubstr(spec_.groups[1].name));
}

}  // namespace
}  // namespace troupe
