#include "common/config/self_play_settings.h"

#include <limits>
#include <map>

#include "common/config/experiment_loader.h"
#include "common/specs/algorithm_card.h"
#include "common/specs/self_play_check.h"
#include "common/wire/roster_codec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

EnvironmentSpec TwoTeams() {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.groups[0].team = "red";
  spec.groups[1].team = "blue";
  return spec;
}

Experiment With(const std::vector<std::string>& overrides) {
  auto experiment = ParseExperiment(
      "name: 'e' total_env_steps: 1 environment { name: 'x' } self_play { save_interval_updates: 3 }", "e", overrides);
  EXPECT_TRUE(experiment.ok()) << experiment.status();
  FillDefaults(&*experiment);
  return *experiment;
}

std::string Refusal(const std::vector<std::string>& overrides, const EnvironmentSpec& environment = TwoTeams()) {
  return std::string(CheckSelfPlay(With(overrides), environment).message());
}

TEST(SelfPlaySettingsTest, AGroupIsFrozenAsItsRowSaysOrAsAllAre) {
  const std::string group = TwoGroupSpec().groups[0].name;
  EXPECT_FALSE(IsFrozen(With({}), group));
  EXPECT_TRUE(IsFrozen(With({"policy.frozen=true"}), group));
  EXPECT_TRUE(IsFrozen(With({"group_policies." + group + ".frozen=true"}), group));
  EXPECT_FALSE(IsFrozen(With({"policy.frozen=true", "group_policies." + group + ".frozen=false"}), group));
}

TEST(SelfPlaySettingsTest, WhatMakesNoSenseInAnEnvironmentIsRefusedByName) {
  const std::string first = TwoTeams().groups[0].name;
  EXPECT_EQ(Refusal({}), "");
  EXPECT_EQ(Refusal({"self_play.learning_team=red"}), "");
  EXPECT_EQ(Refusal({"self_play.save_interval_updates=0"}, TwoGroupSpec()), "");
  EXPECT_THAT(Refusal({}, TwoGroupSpec()), HasSubstr("self_play.save_interval_updates: 3, but of the 1 team of "));
  EXPECT_THAT(Refusal({"group_policies." + first + ".frozen=true"}), HasSubstr("of the 2 teams"));
  EXPECT_THAT(Refusal({"policy.frozen=true"}), HasSubstr("policy.frozen: every group is frozen"));
  EXPECT_THAT(Refusal({"self_play.learning_team=green"}),
              HasSubstr("self_play.learning_team: \"green\", expected one of \"red\", \"blue\""));
}

TEST(SelfPlaySettingsTest, AlgorithmsThatTrainOnAllRowsAreNotGivenSome) {
  EXPECT_TRUE(CheckAlgorithm(With({})).ok());
  EXPECT_THAT(std::string(CheckAlgorithm(With({"algorithm.name=qmix"})).message()),
              HasSubstr("self_play.save_interval_updates: this algorithm trains on all rows of all groups (qmix"));
  EXPECT_THAT(std::string(CheckAlgorithm(With({"algorithm.name=qmix", "self_play.save_interval_updates=0",
                                               "group_policies.walkers.frozen=true"}))
                              .message()),
              HasSubstr("group_policies.walkers.frozen: this algorithm trains on all rows"));
}

class RosterCodecTest : public ::testing::Test {
 protected:
  RosterCodecTest() {
    for (const uint64_t version : {4, 8}) {
      auto actors = std::make_shared<PolicySnapshot>();
      actors->policy_version = version;
      saved_[version] = actors;
      roster_.opponents.push_back({actors, {0.25, static_cast<double>(version)}});
    }
    roster_.newest_probability = 0.375;
    EncodeRoster(roster_, &message_);
  }
  absl::StatusOr<std::shared_ptr<const Roster>> Decode() const {
    return DecodeRoster(message_, 2, [this](uint64_t version) {
      const auto found = saved_.find(version);
      return found == saved_.end() ? nullptr : found->second;
    });
  }
  std::string Refusal() const {
    const auto decoded = Decode();
    EXPECT_TRUE(absl::IsInvalidArgument(decoded.status())) << decoded.status();
    return std::string(decoded.status().message());
  }

  std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> saved_;
  Roster roster_;
  wire::Roster message_;
};

TEST_F(RosterCodecTest, ARosterNamesItsOpponentsAndTheirWeights) {
  const auto decoded = Decode();
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ((*decoded)->newest_probability, 0.375);
  ASSERT_EQ((*decoded)->opponents.size(), 2);
  EXPECT_EQ((*decoded)->opponents[1].actors, saved_[8]);
  EXPECT_THAT((*decoded)->opponents[1].weights, ElementsAre(0.25, 8));
}

TEST_F(RosterCodecTest, ARosterThatNobodyCanPlayByIsRefusedByItsField) {
  const wire::Roster good = message_;
  message_.set_newest_probability(1.5);
  EXPECT_THAT(Refusal(), HasSubstr("weights.roster.newest_probability: came 1.5, expected a number in [0, 1]"));
  message_.set_newest_probability(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(Refusal(), HasSubstr("newest_probability: came nan"));
  message_ = good;
  message_.mutable_opponents(1)->set_saved_version(5);
  EXPECT_THAT(Refusal(), HasSubstr("weights.roster.opponents[1].saved_version: came 5, whose actors have not come"));
  message_.mutable_opponents(1)->set_saved_version(4);
  EXPECT_THAT(Refusal(), HasSubstr("opponents[1].saved_version: came 4 a second time"));
  message_ = good;
  message_.mutable_opponents(0)->add_weights(1);
  EXPECT_THAT(Refusal(), HasSubstr("opponents[0].weights: came 3 numbers, expected one for each of the 2 teams"));
  message_ = good;
  message_.mutable_opponents(0)->set_weights(0, -1);
  EXPECT_THAT(Refusal(), HasSubstr("opponents[0].weights: came -1, expected finite numbers of at least 0"));
  message_.mutable_opponents(0)->set_weights(0, std::numeric_limits<double>::infinity());
  EXPECT_THAT(Refusal(), HasSubstr("opponents[0].weights: came inf"));
  message_ = good;
  for (wire::SavedOpponent& opponent : *message_.mutable_opponents()) {
    for (double& weight : *opponent.mutable_weights()) weight = 0;
  }
  EXPECT_THAT(Refusal(), HasSubstr("weights.roster.opponents: their weights add up to 0"));
  while (message_.opponents_size() <= static_cast<int>(kMaxOpponents)) message_.add_opponents();
  EXPECT_THAT(Refusal(), HasSubstr("weights.roster.opponents: came 1001, expected at most 1000"));
}

}  // namespace
}  // namespace troupe
