#include "common/specs/algorithm_card.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "common/wire/trajectory_fields.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "proto/setting_options.pb.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::StartsWith;

const AlgorithmCard kReplayCard = {.name = "qmix",
                                   .experience = Experience::kReplay,
                                   .distributions = {DistributionKind::kGaussian},
                                   .recurrent = true,
                                   .modes = {SYNCHRONOUS, ASYNCHRONOUS}};

TEST(AlgorithmCardTest, EveryCardSaysWhatItsAlgorithmNeedsAndAllows) {
  std::set<std::string> names;
  for (const AlgorithmCard& card : AllAlgorithmCards()) {
    EXPECT_TRUE(names.insert(card.name).second) << card.name << " comes twice";
    EXPECT_FALSE(card.summary.empty() || card.distributions.empty() || card.modes.empty()) << card.name;
    EXPECT_EQ(FindAlgorithmCard(card.name).value(), &card);
    const auto* const settings = Experiment::descriptor()->FindFieldByName(card.settings);
    ASSERT_NE(settings, nullptr) << card.name << " is named by no member of algorithm_settings";
    EXPECT_NE(settings->real_containing_oneof(), nullptr) << card.name;
  }
  EXPECT_EQ(FindAlgorithmCard("mappo").value()->settings, "ppo");
}

TEST(AlgorithmCardTest, EveryAlgorithmThatHasSettingsHasACard) {
  const auto& members = *Experiment::descriptor()->FindOneofByName("algorithm_settings");
  for (int i = 0; i < members.field_count(); ++i) {
    for (const std::string& name : members.field(i)->options().GetExtension(setting).algorithms()) {
      EXPECT_TRUE(FindAlgorithmCard(name).ok()) << name;
    }
  }
}

TEST(AlgorithmCardTest, TrajectoryFieldsAreOptionalRowsOfTheTable) {
  const std::vector<absl::string_view> optional = OptionalFieldsBut({});
  for (const AlgorithmCard& card : AllAlgorithmCards()) {
    std::set<std::string> once;
    for (const std::string& field : card.trajectory_fields) {
      EXPECT_TRUE(once.insert(field).second) << field << " comes twice";
      EXPECT_NE(std::ranges::find(optional, field), optional.end()) << card.name << ": " << field;
    }
  }
}

TEST(AlgorithmCardTest, UnknownNamesAreToldTheNearest) {
  const absl::Status status = FindAlgorithmCard("mapo").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(std::string(status.message()), "algorithm.name: \"mapo\" is not known, did you mean \"mappo\"?");
}

TEST(AlgorithmCardTest, AModeThatTheCardDoesNotAllowIsRefused) {
  CollectionSettings collection;
  collection.set_mode(PIPELINED);
  const absl::Status status = CheckCollectionMode(kReplayCard, collection);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "collection.mode: PIPELINED is not for this algorithm (qmix: replay, gaussian actions, feed-forward or "
            "recurrent, "
            "collection.mode SYNCHRONOUS | ASYNCHRONOUS)");
  collection.set_mode(ASYNCHRONOUS);
  EXPECT_TRUE(CheckCollectionMode(kReplayCard, collection).ok());
}

TEST(AlgorithmCardTest, RecurrentNetworksAreRefusedByTheSettingWhereTheCardHasNone) {
  AlgorithmCard card = kReplayCard;
  card.recurrent = false;
  Experiment experiment;
  EXPECT_TRUE(CheckRecurrence(card, experiment).ok());
  (*experiment.mutable_group_policies())["red"].set_recurrent_cell(LSTM);
  EXPECT_EQ(std::string(CheckRecurrence(card, experiment).message()),
            "group_policies.red.recurrent_cell: LSTM is not for this algorithm (qmix: replay, gaussian actions, "
            "feed-forward, collection.mode SYNCHRONOUS | ASYNCHRONOUS)");
  experiment.mutable_policy()->set_recurrent_cell(GRU);
  EXPECT_THAT(std::string(CheckRecurrence(card, experiment).message()), StartsWith("policy.recurrent_cell: GRU"));
  experiment = {};
  experiment.mutable_critic()->set_recurrent_cell(GRU);
  EXPECT_THAT(std::string(CheckRecurrence(card, experiment).message()), StartsWith("critic.recurrent_cell: GRU"));
  EXPECT_TRUE(CheckRecurrence(kReplayCard, experiment).ok());
  // Who values actions has no critic.
  AlgorithmCard values = kReplayCard;
  values.values_actions = true;
  EXPECT_THAT(std::string(CheckRecurrence(values, experiment).message()), StartsWith("critic.recurrent_cell: GRU"));
  experiment = {};
  experiment.mutable_policy()->set_recurrent_cell(GRU);
  EXPECT_TRUE(CheckRecurrence(values, experiment).ok());
}

TEST(AlgorithmCardTest, ActorsThatTalkAreRefusedByTheSettingWhereTheCardHasNone) {
  Experiment experiment;
  EXPECT_TRUE(CheckCommunication(kReplayCard, experiment).ok());
  (*experiment.mutable_group_policies())["red"].set_message_size(3);
  EXPECT_THAT(std::string(CheckCommunication(kReplayCard, experiment).message()),
              StartsWith("group_policies.red.message_size: 3, but actors do not talk with this algorithm (qmix: "));
  EXPECT_TRUE(CheckCommunication(*FindAlgorithmCard("mappo").value(), experiment).ok());
  Experiment q_learning = MinimalExperiment();
  q_learning.mutable_algorithm()->set_name("vdn");
  q_learning.mutable_policy()->set_message_size(3);
  FillDefaults(&q_learning);
  EXPECT_THAT(std::string(CheckAlgorithm(q_learning).message()), StartsWith("policy.message_size: 3, but actors"));
}

TEST(AlgorithmCardTest, ManagersAreRefusedByTheSettingWhereTheCardHasNone) {
  Experiment experiment;
  EXPECT_TRUE(CheckOptions(kReplayCard, experiment).ok());
  (*experiment.mutable_group_policies())["red"].set_num_options(3);
  EXPECT_THAT(std::string(CheckOptions(kReplayCard, experiment).message()),
              StartsWith("group_policies.red.num_options: 3, but actors have no managers with this algorithm (qmix: "));
  EXPECT_TRUE(CheckOptions(*FindAlgorithmCard("mappo").value(), experiment).ok());
  Experiment maddpg = MinimalExperiment();
  maddpg.mutable_algorithm()->set_name("maddpg");
  maddpg.mutable_policy()->set_num_options(3);
  FillDefaults(&maddpg);
  EXPECT_THAT(std::string(CheckAlgorithm(maddpg).message()), StartsWith("policy.num_options: 3, but actors"));
}

TEST(AlgorithmCardTest, DistributionsThatTheCardDoesNotHaveAreRefusedByGroup) {
  // red: categorical, blue: Gaussian
  std::vector<PolicySpec> policies = MakePolicySpecs(MinimalExperiment(), TwoGroupSpec()).value();
  const absl::Status status = CheckDistributions(kReplayCard, policies);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("group \"red\" has categorical actions, which are not for this algorithm (qmix: replay, "));
  policies.erase(policies.begin());
  EXPECT_TRUE(CheckDistributions(kReplayCard, policies).ok());
}

TEST(AlgorithmCardTest, AnExperimentIsHeldToItsAlgorithmsCard) {
  Experiment experiment = MinimalExperiment();
  FillDefaults(&experiment);
  EXPECT_TRUE(CheckAlgorithm(experiment).ok());
  std::vector<PolicySpec> policies = MakePolicySpecs(experiment, TwoGroupSpec()).value();
  EXPECT_TRUE(CheckAlgorithm(experiment, TwoGroupSpec(), policies).ok());
  policies[0].distribution.kind = DistributionKind::kEpsilonGreedy;
  EXPECT_EQ(CheckAlgorithm(experiment, TwoGroupSpec(), policies).code(), absl::StatusCode::kInvalidArgument);
  experiment.mutable_algorithm()->set_name("mapo");
  EXPECT_EQ(CheckAlgorithm(experiment).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CheckAlgorithm(experiment, TwoGroupSpec(), policies).code(), absl::StatusCode::kNotFound);
}

TEST(AlgorithmCardTest, WhoJoinsTheValuesOfOneTeamIsRefusedWhereThereAreSeveral) {
  EnvironmentSpec environment = TwoGroupSpec();
  for (const AlgorithmCard& card : AllAlgorithmCards()) EXPECT_TRUE(CheckTeams(card, environment).ok()) << card.name;
  environment.groups[0].team = "red";
  environment.groups[1].team = "blue";
  std::vector<std::string> refused;
  for (const AlgorithmCard& card : AllAlgorithmCards()) {
    const absl::Status status = CheckTeams(card, environment);
    if (status.ok()) continue;
    refused.push_back(card.name);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                StartsWith(absl::StrCat("algorithm.name: ", card.name, " joins the values of one team, but \"",
                                        environment.name, "\" has 2; expected iql or mappo")));
  }
  EXPECT_THAT(refused, testing::UnorderedElementsAre("vdn", "qmix", "pqn_vdn"));
}

}  // namespace
}  // namespace troupe
