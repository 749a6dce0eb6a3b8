#include "common/specs/policy_spec.h"

#include "common/specs/option_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

PolicySpec Make(const Experiment& experiment, int group = 0) {
  const auto spec = MakePolicySpec(experiment, EveryActionKindSpec().groups[group]);
  EXPECT_TRUE(spec.ok()) << spec.status();
  return spec.ok() ? *spec : PolicySpec{};
}

TEST(DenseStackSpecTest, ListsParametersInTheOneOrder) {
  DenseStackSpec stack{.num_sets = 2,
                       .input_size = 3,
                       .hidden_sizes = {4, 5},
                       .output_size = 6,
                       .input_layer_norm = true,
                       .hidden_layer_norm = true};
  using P = DenseStackSpec::Parameter;
  EXPECT_THAT(stack.Parameters(),
              ElementsAre(P{"input_norm.gain", {2, 3}}, P{"input_norm.bias", {2, 3}}, P{"layers.0.weight", {2, 3, 4}},
                          P{"layers.0.bias", {2, 4}}, P{"norms.0.gain", {2, 4}}, P{"norms.0.bias", {2, 4}},
                          P{"layers.1.weight", {2, 4, 5}}, P{"layers.1.bias", {2, 5}}, P{"norms.1.gain", {2, 5}},
                          P{"norms.1.bias", {2, 5}}, P{"output.weight", {2, 5, 6}}, P{"output.bias", {2, 6}}));
  stack.input_layer_norm = stack.hidden_layer_norm = false;
  EXPECT_EQ(stack.Parameters().size(), 6);
}

TEST(DenseStackSpecTest, ListsACellBetweenTheHiddenLayersAndTheOutput) {
  DenseStackSpec stack{.num_sets = 2,
                       .input_size = 3,
                       .hidden_sizes = {4},
                       .output_size = 6,
                       .hidden_layer_norm = true,
                       .cell = Cell::kGru,
                       .recurrent_size = 5};
  using P = DenseStackSpec::Parameter;
  EXPECT_THAT(
      stack.Parameters(),
      ElementsAre(P{"layers.0.weight", {2, 3, 4}}, P{"layers.0.bias", {2, 4}}, P{"norms.0.gain", {2, 4}},
                  P{"norms.0.bias", {2, 4}}, P{"cell.input_weight", {2, 4, 15}}, P{"cell.input_bias", {2, 15}},
                  P{"cell.state_weight", {2, 5, 15}}, P{"cell.state_bias", {2, 15}}, P{"cell_norm.gain", {2, 5}},
                  P{"cell_norm.bias", {2, 5}}, P{"output.weight", {2, 5, 6}}, P{"output.bias", {2, 6}}));
  EXPECT_EQ(stack.state_size(), 5);
  stack.cell = Cell::kLstm;
  stack.hidden_layer_norm = false;
  EXPECT_THAT(stack.Parameters(), ElementsAre(P{"layers.0.weight", {2, 3, 4}}, P{"layers.0.bias", {2, 4}},
                                              P{"cell.input_weight", {2, 4, 20}}, P{"cell.input_bias", {2, 20}},
                                              P{"cell.state_weight", {2, 5, 20}}, P{"cell.state_bias", {2, 20}},
                                              P{"output.weight", {2, 5, 6}}, P{"output.bias", {2, 6}}));
  EXPECT_EQ(stack.state_size(), 10);
  // What the layers before the cell have as parameters are the first of these, of the same shapes.
  const std::vector<P> before = stack.BeforeCell().Parameters(), all = stack.Parameters();
  ASSERT_EQ(before.size(), 4);
  for (size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].shape, all[i].shape);
}

TEST(MakePolicySpecTest, TakesTheCellOfASettingAndForgetsItsSizeWithout) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_recurrent_size(32);
  EXPECT_EQ(Make(experiment).stack.recurrent_size, 0);
  EXPECT_EQ(Make(experiment).stack.state_size(), 0);
  experiment.mutable_policy()->set_recurrent_cell(LSTM);
  EXPECT_EQ(Make(experiment).stack.cell, Cell::kLstm);
  EXPECT_EQ(Make(experiment).stack.recurrent_size, 32);
  const PolicySpec spec = Make(experiment);
  EXPECT_EQ(ParsePolicySpec(FormatPolicySpec(spec)).value(), spec);
  EXPECT_THAT(FormatPolicySpec(spec), HasSubstr("\"cell\":\"lstm\",\"recurrent_size\":32"));
}

TEST(MakePolicySpecTest, AgentsThatTalkHaveAHeadForItAndHearAllOthersOrTheirNeighbours) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_message_size(2);
  experiment.mutable_policy()->set_agent_id_input(true);
  PolicySpec spec = Make(experiment);
  EXPECT_THAT(spec.neighbours, ElementsAre(ElementsAre(1, 2), ElementsAre(0, 2), ElementsAre(0, 1)));
  EXPECT_EQ(spec.stack.messages, (MessageSpec{.size = 2, .most_heard = 2, .first_input = 4}));
  EXPECT_EQ(spec.stack.input_size, 4 + 2 + 3) << "seen, heard, the one-hot";
  EXPECT_EQ(spec.stack.output_size, 5);
  EXPECT_EQ(spec.stack.state_size(), 2);
  using P = DenseStackSpec::Parameter;
  const std::vector<P> parameters = spec.stack.Parameters();
  EXPECT_THAT(std::vector<P>(parameters.end() - 3, parameters.end()),
              ElementsAre(P{"output.bias", {1, 5}}, P{"message.weight", {1, 64, 2}}, P{"message.bias", {1, 2}}));
  EXPECT_EQ(ParsePolicySpec(FormatPolicySpec(spec)).value(), spec);

  experiment.mutable_policy()->set_concatenate_messages(true);
  experiment.mutable_policy()->set_recurrent_cell(LSTM);
  experiment.mutable_policy()->set_recurrent_size(7);
  AgentGroupSpec group = TwoGroupSpec().groups[0];
  group.neighbours = {{1}, {2, 0}, {}};
  spec = MakePolicySpec(experiment, group).value();
  EXPECT_EQ(spec.neighbours, group.neighbours);
  EXPECT_EQ(spec.stack.messages.num_inputs(), 2 * 2);
  EXPECT_EQ(spec.stack.input_size, 4 + 4 + 3);
  EXPECT_EQ(spec.stack.state_size(), 2 * 7 + 2);
  EXPECT_EQ(ParsePolicySpec(FormatPolicySpec(spec)).value(), spec);
}

TEST(MakePolicySpecTest, WhoFollowsOptionsHasAManagerAndSeesTheOptionFirst) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_num_options(6);
  experiment.mutable_policy()->set_option_steps(9);
  experiment.mutable_policy()->set_agent_id_input(true);
  const PolicySpec spec = Make(experiment);
  EXPECT_EQ(spec.options, (OptionSpec{6, 9}));
  EXPECT_EQ(spec.observation_size, 4);
  EXPECT_EQ(spec.stack.input_size, 6 + 4 + 3) << "the option, what is seen, the agent";
  const PolicySpec manager = ManagerOf(spec), under = UnderOptions(spec);
  EXPECT_EQ(manager.group, "red/manager");
  EXPECT_EQ(manager.stack.input_size, 6 + 1 + 4 + 3) << "the option until now and its age besides";
  EXPECT_EQ(manager.stack.output_size, 6);
  EXPECT_EQ(under.observation_size, 6 + 4);
  EXPECT_EQ(under.stack, spec.stack);
  EXPECT_FALSE(manager.has_options() || under.has_options());
  using P = DenseStackSpec::Parameter;
  const std::vector<P> all = spec.Parameters(), own = under.Parameters();
  ASSERT_EQ(all.size(), own.size() + manager.Parameters().size());
  EXPECT_EQ(all[own.size()], (P{"manager/layers.0.weight", {1, 14, 64}}));
  EXPECT_EQ(all.back(), (P{"manager/output.bias", {1, 6}}));
  EXPECT_EQ(ParsePolicySpec(FormatPolicySpec(spec)).value(), spec);
  EXPECT_THAT(FormatPolicySpec(spec), HasSubstr("\"num_options\":6,\"option_steps\":9"));

  std::string damaged = FormatPolicySpec(spec);
  damaged.replace(damaged.find("\"num_options\":6"), 15, "\"num_options\":7");
  EXPECT_THAT(std::string(ParsePolicySpec(damaged).status().message()), HasSubstr("stack.input_size: expected 14"));
}

TEST(MakePolicySpecTest, WhoHasNobodyToHearIsRefusedByTheSetting) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_message_size(2);
  AgentGroupSpec group = TwoGroupSpec().groups[0];
  group.neighbours = {{}, {}, {}};
  EXPECT_EQ(std::string(MakePolicySpec(experiment, group).status().message()),
            "policy.message_size: 2, but in group \"red\" nobody hears anybody; expected 0 of this group");
  (*experiment.mutable_group_policies())["red"].set_message_size(0);
  EXPECT_FALSE(MakePolicySpec(experiment, group).value().stack.communicates());
}

TEST(ParsePolicySpecTest, NeighboursThatAreNoneAreRefused) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_message_size(2);
  const std::string text = FormatPolicySpec(Make(experiment));
  ASSERT_THAT(text, HasSubstr("\"neighbours\":[[1,2],[0,2],[0,1]]"));
  for (const char* wrong : {"[[1,2],[0,2],[0,3]]", "[[1,2],[1,2],[0,1]]", "[[1,2],[0,2]]", "[[],[],[]]"}) {
    std::string damaged = text;
    damaged.replace(damaged.find("[[1,2]"), std::string("[[1,2],[0,2],[0,1]]").size(), wrong);
    EXPECT_THAT(std::string(ParsePolicySpec(damaged).status().message()),
                HasSubstr("neighbours: expected of each agent different others of the group"))
        << wrong;
  }
}

TEST(MakePolicySpecTest, TakesDocumentedDefaults) {
  const PolicySpec spec = Make(MinimalExperiment());
  EXPECT_EQ(spec.group, "red");
  EXPECT_EQ(spec.num_agents, 3);
  EXPECT_EQ(spec.observation_size, 4);
  EXPECT_FALSE(spec.agent_id_input);
  EXPECT_EQ(spec.action_size, 5);
  EXPECT_THAT(spec.set_of_agent, ElementsAre(0, 0, 0));
  EXPECT_EQ(spec.stack.num_sets, 1);
  EXPECT_EQ(spec.stack.input_size, 4);
  EXPECT_EQ(spec.stack.output_size, 5);
  EXPECT_THAT(spec.stack.hidden_sizes, ElementsAre(64, 64));
  EXPECT_EQ(spec.stack.activation, Activation::kRelu);
  EXPECT_TRUE(spec.stack.orthogonal_init);
  EXPECT_FLOAT_EQ(spec.stack.output_gain, 0.01f);
  EXPECT_FALSE(spec.IsPerAgent());
}

TEST(MakePolicySpecTest, GivesEachAgentItsOwnSet) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_sharing(PER_AGENT);
  const PolicySpec spec = Make(experiment);
  EXPECT_THAT(spec.set_of_agent, ElementsAre(0, 1, 2));
  EXPECT_EQ(spec.stack.num_sets, 3);
  EXPECT_TRUE(spec.IsPerAgent());
}

TEST(MakePolicySpecTest, FollowsThePartition) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_sharing(PARTITIONED);
  for (const int set : {1, 0, 1}) experiment.mutable_policy()->add_partition(set);
  const PolicySpec spec = Make(experiment);
  EXPECT_THAT(spec.set_of_agent, ElementsAre(1, 0, 1));
  EXPECT_EQ(spec.stack.num_sets, 2);
  EXPECT_FALSE(spec.IsPerAgent());
}

TEST(MakePolicySpecTest, RefusesAPartitionOfTheWrongLengthOrWithGaps) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_sharing(PARTITIONED);
  experiment.mutable_policy()->add_partition(0);
  const auto refusal = [&] {
    const absl::Status status = MakePolicySpec(experiment, TwoGroupSpec().groups[0]).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr("policy.partition"), HasSubstr("1 entries"), HasSubstr("3 agents")));
  experiment.mutable_policy()->add_partition(2);
  experiment.mutable_policy()->add_partition(2);
  EXPECT_THAT(refusal(), HasSubstr("without gaps"));
  (*experiment.mutable_group_policies())["red"].set_sharing(PARTITIONED);
  EXPECT_THAT(refusal(), HasSubstr("group_policies.red.partition"));
}

TEST(MakePolicySpecTest, AppendsTheOneHotToTheInput) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_agent_id_input(true);
  const PolicySpec spec = Make(experiment);
  EXPECT_EQ(spec.observation_size, 4);
  EXPECT_EQ(spec.stack.input_size, 7);
}

TEST(MakePolicySpecTest, AGroupsOwnFieldsReplaceThePolicysAndOthersFallBack) {
  Experiment experiment = MinimalExperiment();
  PolicySettings& policy = *experiment.mutable_policy();
  policy.set_sharing(PER_AGENT);
  policy.set_activation(TANH);
  policy.add_hidden_sizes(10);
  policy.set_output_gain(0.5);
  policy.set_input_layer_norm(true);
  PolicySettings& own = (*experiment.mutable_group_policies())["blue"];
  own.set_sharing(SHARED);
  own.add_hidden_sizes(20);
  own.add_hidden_sizes(30);
  own.set_input_layer_norm(false);
  const PolicySpec red = Make(experiment, 0), blue = Make(experiment, 1);
  EXPECT_THAT(red.stack.hidden_sizes, ElementsAre(10));
  EXPECT_EQ(red.stack.num_sets, 3);
  EXPECT_THAT(blue.stack.hidden_sizes, ElementsAre(20, 30));
  EXPECT_EQ(blue.stack.num_sets, 1);
  EXPECT_FALSE(blue.stack.input_layer_norm);
  EXPECT_TRUE(blue.stack.orthogonal_init);
  EXPECT_EQ(blue.stack.activation, Activation::kTanh);
  EXPECT_FLOAT_EQ(blue.stack.output_gain, 0.5f);
  EXPECT_EQ(blue.action_kind, ActionKind::kContinuous);
}

TEST(MakePolicySpecTest, TakesTheDistributionOfTheGroupsActionsUnlessOneIsNamed) {
  Experiment experiment = MinimalExperiment();
  EXPECT_EQ(Make(experiment, 0).distribution.kind, DistributionKind::kCategorical);
  EXPECT_EQ(Make(experiment, 1).distribution.kind, DistributionKind::kGaussian);
  (*experiment.mutable_group_policies())["blue"].set_distribution(SQUASHED_GAUSSIAN);
  experiment.mutable_policy()->set_distribution(EPSILON_GREEDY);
  EXPECT_EQ(Make(experiment, 0).distribution.kind, DistributionKind::kEpsilonGreedy);
  EXPECT_EQ(Make(experiment, 1).distribution.kind, DistributionKind::kSquashedGaussian);
  (*experiment.mutable_group_policies())["blue"].set_distribution(CATEGORICAL);
  EXPECT_EQ(MakePolicySpec(experiment, TwoGroupSpec().groups[1]).status().message(),
            "group_policies.blue.distribution: CATEGORICAL does not act on the actions of group \"blue\", which are "
            "continuous");
  experiment.mutable_policy()->set_distribution(GAUSSIAN);
  EXPECT_THAT(std::string(MakePolicySpec(experiment, TwoGroupSpec().groups[0]).status().message()),
              HasSubstr("policy.distribution: GAUSSIAN"));
}

TEST(MakePolicySpecTest, AGaussiansDeviationsAreAParameterOrOutputs) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->add_hidden_sizes(6);
  using P = DenseStackSpec::Parameter;
  PolicySpec blue = Make(experiment, 1);
  EXPECT_EQ(blue.stack.output_size, 2);
  EXPECT_THAT(blue.Parameters(),
              ElementsAre(P{"layers.0.weight", {1, 3, 6}}, P{"layers.0.bias", {1, 6}}, P{"output.weight", {1, 6, 2}},
                          P{"output.bias", {1, 2}}, P{"log_std", {1, 2}}));
  experiment.mutable_policy()->set_state_dependent_std(true);
  blue = Make(experiment, 1);
  EXPECT_EQ(blue.stack.output_size, 4);
  EXPECT_EQ(blue.Parameters(), blue.stack.Parameters());
  EXPECT_EQ(blue.distribution.initial_log_std, 0) << "means nothing there";
  const PolicySpec red = Make(experiment, 0);
  EXPECT_FALSE(red.distribution.state_dependent_std);
  EXPECT_EQ(red.stack.output_size, 5);
  EXPECT_EQ(red.Parameters(), red.stack.Parameters());
}

TEST(DistributionSpecTest, TheTableIsInTheOrderOfKindsWithANameAndASettingEach) {
  for (size_t i = 0; i < AllDistributions().size(); ++i) {
    const DistributionTraits& traits = AllDistributions()[i];
    EXPECT_EQ(&TraitsOf(traits.kind), &traits);
    EXPECT_EQ(FindDistribution(traits.name), &traits);
    EXPECT_TRUE(ActionDistribution_IsValid(static_cast<int>(i + 1)));
    EXPECT_EQ(traits.setting, static_cast<ActionDistribution>(i + 1));
  }
  EXPECT_FALSE(ActionDistribution_IsValid(static_cast<int>(AllDistributions().size() + 1)));
  EXPECT_EQ(FindDistribution("beta"), nullptr);
}

TEST(MakePolicySpecsTest, RefusesSettingsOfAGroupThatIsNotThere) {
  Experiment experiment = MinimalExperiment();
  ASSERT_EQ(MakePolicySpecs(experiment, TwoGroupSpec())->size(), 2);
  (*experiment.mutable_group_policies())["bleu"];
  const absl::Status status = MakePolicySpecs(experiment, TwoGroupSpec()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr("group_policies.bleu"), HasSubstr("did you mean \"blue\"")));
}

TEST(FormatPolicySpecTest, IsReadBackEqual) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_sharing(PER_AGENT);
  experiment.mutable_policy()->set_agent_id_input(true);
  experiment.mutable_policy()->set_hidden_layer_norm(true);
  experiment.mutable_policy()->set_output_gain(0.1);
  for (const int group : {0, 1}) {
    const PolicySpec spec = Make(experiment, group);
    const std::string text = FormatPolicySpec(spec);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto parsed = ParsePolicySpec(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, spec);
  }
}

TEST(FormatPolicySpecTest, EveryDistributionIsReadBackEqual) {
  for (const DistributionTraits& traits : AllDistributions()) {
    for (const bool by_state : {false, true}) {
      Experiment experiment = MinimalExperiment();
      experiment.mutable_policy()->set_distribution(traits.setting);
      experiment.mutable_policy()->set_state_dependent_std(by_state);
      experiment.mutable_policy()->set_initial_log_std(-0.7);
      const PolicySpec spec = Make(experiment, static_cast<int>(traits.action_kind));  // kinds in the groups' order
      const auto parsed = ParsePolicySpec(FormatPolicySpec(spec));
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_EQ(*parsed, spec) << FormatPolicySpec(spec);
    }
  }
}

TEST(ParsePolicySpecTest, RefusesADistributionThatDoesNotFitTheActions) {
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_distribution(EPSILON_GREEDY);
  std::string text = FormatPolicySpec(Make(experiment));
  const std::string own = "\"distribution\":\"epsilon_greedy\"";
  ASSERT_NE(text.find(own), std::string::npos) << text;
  for (const std::string other : {"\"distribution\":\"gaussian\"", "\"distribution\":\"beta\"", "\"distribution\":1"}) {
    std::string damaged = text;
    damaged.replace(damaged.find(own), own.size(), other);
    EXPECT_THAT(std::string(ParsePolicySpec(damaged).status().message()), HasSubstr("distribution")) << other;
  }
}

TEST(MakePolicySpecTest, AMultiDiscreteGroupHasALogitForEveryChoice) {
  const PolicySpec green = Make(MinimalExperiment(), 2);
  EXPECT_EQ(green.distribution.kind, DistributionKind::kMultiCategorical);
  EXPECT_THAT(green.action_sizes, ElementsAre(3, 4));
  EXPECT_EQ(green.stack.output_size, 7);
  Experiment experiment = MinimalExperiment();
  experiment.mutable_policy()->set_distribution(CATEGORICAL);
  EXPECT_EQ(MakePolicySpec(experiment, EveryActionKindSpec().groups[2]).status().message(),
            "policy.distribution: CATEGORICAL does not act on the actions of group \"green\", which are "
            "multi_discrete");
}

TEST(FormatPolicySpecTest, TellsDimensionsAndBoundsWhereThereAreSome) {
  EXPECT_THAT(FormatPolicySpec(Make(MinimalExperiment(), 2)),
              testing::AllOf(HasSubstr(R"("action_kind":"multi_discrete","action_size":7)"),
                             HasSubstr(R"("action_sizes":[3,4],"distribution":"multi_categorical")")));
  EXPECT_THAT(FormatPolicySpec(Make(MinimalExperiment(), 1)), HasSubstr(R"("action_bounds":[[-2.0,2.0],[0.0,0.1)"));
  PolicySpec without = Make(MinimalExperiment(), 1);
  without.action_bounds.clear();
  EXPECT_EQ(FormatPolicySpec(without).find("bounds"), std::string::npos);
}

TEST(ParsePolicySpecTest, NamesTheDimensionThatIsWrong) {
  const auto refusal = [](int group, const std::string& from, const std::string& to) {
    std::string text = FormatPolicySpec(Make(MinimalExperiment(), group));
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    return std::string(ParsePolicySpec(text.replace(at, from.size(), to)).status().message());
  };
  EXPECT_THAT(refusal(2, "[3,4]", "[3,5]"), HasSubstr("action_sizes: expected 7 choices, came 8"));
  EXPECT_THAT(refusal(2, "[3,4]", "[7,0]"), HasSubstr("action_sizes: expected a list of whole numbers in [1, "));
  EXPECT_THAT(refusal(2, "\"action_sizes\":[3,4],", ""), HasSubstr("action_sizes"));
  EXPECT_THAT(refusal(1, "[[-2.0,2.0],", "["), HasSubstr("action_bounds: expected 2 entries, came 1"));
  for (const std::string bad : {"[2.0,2.0]", "[-2.0]", "2.0", "[-1e300,2.0]", "[\"-2\",2.0]"}) {
    EXPECT_THAT(refusal(1, "[-2.0,2.0]", bad), HasSubstr("action_bounds: expected a list of [low, high]")) << bad;
  }
}

TEST(FormatPolicySpecTest, IsStable) {
  EXPECT_EQ(FormatPolicySpec(Make(MinimalExperiment())),
            R"({"group":"red","num_agents":3,"observation_size":4,"agent_id_input":false,"action_kind":"discrete",)"
            R"("action_size":5,"set_of_agent":[0,0,0],"stack":{"num_sets":1,"input_size":4,"hidden_sizes":[64,64],)"
            R"("output_size":5,"activation":"relu","input_layer_norm":false,"hidden_layer_norm":false,)"
            R"("orthogonal_init":true,"output_gain":0.009999999776482582}})");
}

TEST(ParsePolicySpecTest, NamesTheFieldThatIsWrong) {
  const std::string good = FormatPolicySpec(Make(MinimalExperiment()));
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const absl::Status status = ParsePolicySpec(text.replace(at, from.size(), to)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << to;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal("{\"group\"", "\"group\""), HasSubstr("JSON object"));
  EXPECT_THAT(refusal("\"group\":\"red\"", "\"group\":1"), HasSubstr("group"));
  EXPECT_THAT(refusal("\"num_agents\":3", "\"num_agents\":0"), HasSubstr("num_agents"));
  EXPECT_THAT(refusal("\"num_agents\":3", "\"num_agents\":18446744073709551615"), HasSubstr("num_agents"));
  EXPECT_THAT(refusal("\"num_agents\":3", "\"num_agents\":3.5"), HasSubstr("num_agents"));
  EXPECT_THAT(refusal("\"num_agents\":3,", ""), HasSubstr("num_agents"));
  EXPECT_THAT(refusal("\"num_agents\":3", "\"num_agents\":4"), HasSubstr("set_of_agent"));
  EXPECT_THAT(refusal("\"action_kind\":\"discrete\"", "\"action_kind\":\"x\""), HasSubstr("action_kind"));
  EXPECT_THAT(refusal("\"agent_id_input\":false", "\"agent_id_input\":0"), HasSubstr("agent_id_input"));
  EXPECT_THAT(refusal("\"agent_id_input\":false", "\"agent_id_input\":true"), HasSubstr("stack.input_size"));
  EXPECT_THAT(refusal("[0,0,0]", "[0,0,1]"), HasSubstr("set_of_agent"));
  EXPECT_THAT(refusal("[0,0,0]", "[0,0,-1]"), HasSubstr("set_of_agent"));
  EXPECT_THAT(refusal("[64,64]", "[64,0]"), HasSubstr("stack.hidden_sizes"));
  EXPECT_THAT(refusal("[64,64]", "64"), HasSubstr("stack.hidden_sizes"));
  EXPECT_THAT(refusal("\"output_size\":5", "\"output_size\":6"), HasSubstr("stack.output_size"));
  EXPECT_THAT(refusal("\"orthogonal_init\"", "\"orthogonal\""), HasSubstr("stack.orthogonal"));
  EXPECT_THAT(refusal("\"action_size\":5", "\"action_size\":5,\"extra\":1"), HasSubstr("extra"));
}

}  // namespace
}  // namespace troupe
