#include "common/wire/spec_codec.h"

#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string SpecRefusal(const std::function<void(wire::EnvironmentSpec&)>& damage) {
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(TwoGroupSpec(), &message);
  damage(message);
  const absl::Status status = DecodeEnvironmentSpec(message).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

TEST(EnvironmentSpecCodecTest, DecodesWhatItEncoded) {
  EnvironmentSpec spec = TwoGroupSpec();
  for (const bool flag : {true, false}) {
    spec.state_includes_observations = flag;
    wire::EnvironmentSpec message;
    EncodeEnvironmentSpec(spec, &message);
    const auto decoded = DecodeEnvironmentSpec(message);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(*decoded, spec);
  }
}

TEST(EnvironmentSpecCodecTest, NamesTheFieldThatIsWrong) {
  EXPECT_THAT(SpecRefusal([](auto& m) { m.clear_name(); }), HasSubstr("environment_spec.name"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.clear_groups(); }), HasSubstr("environment_spec.groups"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->clear_name(); }), HasSubstr("groups[1].name"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_name("red"); }),
              AllOf(HasSubstr("groups[1].name"), HasSubstr("second time")));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->set_name("a/b"); }), HasSubstr("groups[0].name"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->set_name("a\nwarning: b"); }),
              AllOf(HasSubstr("groups[0].name"), HasSubstr("a\\nwarning"), Not(HasSubstr("\n"))));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.set_name("\x1b[2J"); }), HasSubstr("environment_spec.name: came \"\\x1B[2J"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->clear_agents(); }), HasSubstr("groups[0].agents"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->set_agents(1, ""); }), HasSubstr("groups[0].agents[1]"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_agents(1, "red_0"); }),
              HasSubstr("groups[1].agents[1]"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->set_observation_size(0); }),
              AllOf(HasSubstr("groups[0].observation_size"), HasSubstr("[1, 1000000]")));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(0)->set_observation_size(1000001); }),
              HasSubstr("groups[0].observation_size"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_action_size(0); }),
              HasSubstr("groups[1].action_size"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_action_size(4294967295u); }),
              HasSubstr("groups[1].action_size"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->clear_action_kind(); }),
              HasSubstr("groups[1].action_kind"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_action_kind(static_cast<wire::ActionKind>(9)); }),
              AllOf(HasSubstr("groups[1].action_kind"), HasSubstr("came 9")));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.set_state_extras_size(1000001); }), HasSubstr("state_extras_size"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.set_statistics(1, "wins"); }), HasSubstr("statistics[1]"));
  EXPECT_THAT(SpecRefusal([](auto& m) { m.add_agent_statistics("score"); }), HasSubstr("agent_statistics[1]"));
  EXPECT_THAT(SpecRefusal([](auto& m) {
                for (int i = 0; i < 200'000; ++i) m.add_agent_statistics("more_" + std::to_string(i));
              }),
              AllOf(HasSubstr("agent_statistics"), HasSubstr("at most 1000000")));
  EXPECT_THAT(SpecRefusal([](auto& m) {
                wire::AgentGroupSpec& group = *m.mutable_groups(0);
                group.set_observation_size(1000000);
                for (int i = 0; i < 200; ++i) group.add_agents("more_" + std::to_string(i));
              }),
              HasSubstr("at most 100000000"));
}

TEST(EnvironmentSpecCodecTest, CarriesWhoHearsWhomAndNamesWhoCannot) {
  EnvironmentSpec spec = TwoGroupSpec();
  ASSERT_EQ(spec.groups[0].num_agents(), 3);
  spec.groups[0].neighbours = {{1, 2}, {}, {0}};
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(spec, &message);
  EXPECT_EQ(DecodeEnvironmentSpec(message).value(), spec);
  EnvironmentSpec other = spec;
  other.groups[0].neighbours[1] = {2};
  EXPECT_EQ(DescribeDifference(spec, other),
            "environment_spec.groups[0].neighbours: came [1, 2] [2] [0], expected [1, 2] [] [0]");
  EXPECT_EQ(DescribeDifference(TwoGroupSpec(), spec), "") << "written before environments told it";
  const auto refusal = [&](const std::vector<std::vector<uint32_t>>& neighbours) {
    wire::AgentGroupSpec& group = *message.mutable_groups(0);
    group.clear_neighbours();
    for (const auto& agents : neighbours) {
      group.add_neighbours()->mutable_agents()->Assign(agents.begin(), agents.end());
    }
    return std::string(DecodeEnvironmentSpec(message).status().message());
  };
  EXPECT_THAT(refusal({{1}, {}}), HasSubstr("groups[0].neighbours: came 2, expected 3 or none"));
  EXPECT_THAT(refusal({{1}, {}, {3}}),
              HasSubstr("groups[0].neighbours[2]: came agent 3, expected others in [0, 3), each once"));
  EXPECT_THAT(refusal({{1}, {1}, {}}), HasSubstr("groups[0].neighbours[1]: came agent 1, expected others"));
  EXPECT_THAT(refusal({{1, 2, 1}, {}, {}}), HasSubstr("groups[0].neighbours[0]: came agent 1, expected others"));
}

TEST(EnvironmentSpecCodecTest, CarriesDimensionsAndBoundsOfActions) {
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(EveryActionKindSpec(), &message);
  EXPECT_EQ(message.groups(2).action_kind(), wire::MULTI_DISCRETE);
  const auto decoded = DecodeEnvironmentSpec(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, EveryActionKindSpec());
}

TEST(EnvironmentSpecCodecTest, NamesTheDimensionThatIsWrong) {
  const auto refusal = [](int group, const std::function<void(wire::AgentGroupSpec&)>& damage) {
    wire::EnvironmentSpec message;
    EncodeEnvironmentSpec(EveryActionKindSpec(), &message);
    damage(*message.mutable_groups(group));
    return std::string(DecodeEnvironmentSpec(message).status().message());
  };
  EXPECT_THAT(refusal(2, [](auto& g) { g.set_action_sizes(1, 5); }),
              HasSubstr("groups[2].action_sizes: came [3, 5], expected sizes that make up action_size, 7"));
  EXPECT_THAT(refusal(2, [](auto& g) { g.clear_action_sizes(); }),
              HasSubstr("groups[2].action_sizes: came [], expected sizes that make up action_size, 7"));
  EXPECT_THAT(refusal(2, [](auto& g) { g.set_action_sizes(0, 0); }),
              HasSubstr("groups[2].action_sizes[0]: came 0, expected a size in [1, 1000000]"));
  EXPECT_THAT(refusal(2, [](auto& g) { g.set_action_sizes(1, 4294967292u); }), HasSubstr("groups[2].action_sizes[1]"));
  EXPECT_THAT(refusal(0, [](auto& g) { g.add_action_sizes(5); }),
              HasSubstr("groups[0].action_sizes: came 1, expected none but for MULTI_DISCRETE"));
  EXPECT_THAT(refusal(1, [](auto& g) { g.mutable_action_low()->RemoveLast(); }),
              HasSubstr("groups[1].action_low: came 1, expected 2 or none"));
  EXPECT_THAT(refusal(1, [](auto& g) { g.clear_action_high(); }),
              HasSubstr("groups[1].action_high: came 0, expected 2 as in action_low"));
  EXPECT_THAT(refusal(1, [](auto& g) { g.set_action_high(1, 0); }),
              HasSubstr("groups[1].action_high[1]: came 0 with a low of 0, expected finite bounds, low < high"));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(refusal(1, [bad](auto& g) { g.set_action_high(0, bad); }), HasSubstr("groups[1].action_high[0]"));
    EXPECT_THAT(refusal(1, [bad](auto& g) { g.set_action_low(0, bad); }), HasSubstr("groups[1].action_high[0]"));
  }
  EXPECT_THAT(refusal(0, [](auto& g) { g.add_action_low(0), g.add_action_high(1); }),
              HasSubstr("groups[0].action_low: came 1, expected 0 or none"));
}

TEST(DescribeDifferenceTest, DimensionsAndBoundsOfActionsMakeAnotherEnvironment) {
  EnvironmentSpec other = EveryActionKindSpec();
  std::swap(other.groups[2].action_sizes[0], other.groups[2].action_sizes[1]);
  EXPECT_EQ(DescribeDifference(EveryActionKindSpec(), other),
            "environment_spec.groups[2].action_sizes: came [4, 3], expected [3, 4]");
  other = EveryActionKindSpec();
  other.groups[1].action_bounds[0].low = -1;
  EXPECT_EQ(DescribeDifference(EveryActionKindSpec(), other),
            "environment_spec.groups[1].action_bounds[0]: came [-1, 2], expected [-2, 2]");
  // Policies act in [-1, 1] whatever the bounds: a run of a version that told none goes on.
  other.groups[1].action_bounds.clear();
  EXPECT_EQ(DescribeDifference(other, EveryActionKindSpec()), "");
}

TEST(ActionBoundsTest, AreMetByTheEndsAndInProportionBetween) {
  const ActionBounds bounds{-2, 6};
  EXPECT_EQ(bounds.At(-1), -2);
  EXPECT_EQ(bounds.At(1), 6);
  EXPECT_EQ(bounds.At(0), 2);
  EXPECT_EQ(bounds.At(0.5f), 4);
  for (const float u : {-1.0f, -0.3f, 0.0f, 1e-30f, 0.123456f, 1.0f}) {
    EXPECT_EQ(ActionBounds{}.At(u), u);
    EXPECT_EQ((ActionBounds{-2, 2}.At(u)), 2 * u) << "as an environment's own factor";
    const ActionBounds odd{0.1f, 0.7f};
    EXPECT_GE(odd.At(u), 0.1f);
    EXPECT_LE(odd.At(u), 0.7f);
  }
}

// A spec of which every number and action is told.
EnvironmentSpec ToldSpec() {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.observed_extras = {{"time", "seconds", 60, "since the start"}, {"count", "", 1, ""}};
  for (AgentGroupSpec& group : spec.groups) {
    for (int i = 0; i < group.observation_size; ++i) {
      group.observed.push_back({"number_" + std::to_string(i), "m", 2.5, "a distance"});
    }
    for (int i = 0; i < group.action_size; ++i) group.actions.push_back({"action_" + std::to_string(i), "does it"});
  }
  return spec;
}

TEST(EnvironmentSpecCodecTest, CarriesWhatNumbersAndActionsAreCalled) {
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(ToldSpec(), &message);
  const auto decoded = DecodeEnvironmentSpec(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, ToldSpec());
}

TEST(EnvironmentSpecCodecTest, NamesTheDescriptionThatIsWrong) {
  const auto refusal = [](const std::function<void(wire::EnvironmentSpec&)>& damage) {
    wire::EnvironmentSpec message;
    EncodeEnvironmentSpec(ToldSpec(), &message);
    damage(message);
    return std::string(DecodeEnvironmentSpec(message).status().message());
  };
  EXPECT_THAT(refusal([](auto& m) { m.mutable_groups(0)->mutable_observed()->RemoveLast(); }),
              AllOf(HasSubstr("groups[0].observed"), HasSubstr("came 3, expected 4 or none")));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_groups(1)->mutable_observed(2)->set_name("number_0"); }),
              AllOf(HasSubstr("groups[1].observed[2].name"), HasSubstr("second time")));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_groups(1)->mutable_observed(0)->set_divided_by(0); }),
              HasSubstr("groups[1].observed[0].divided_by"));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_groups(1)->mutable_actions(1)->clear_name(); }),
              HasSubstr("groups[1].actions[1].name"));
  EXPECT_THAT(refusal([](auto& m) { m.add_observed_extras()->set_name("more"); }), HasSubstr("observed_extras"));
}

TEST(DescribeDifferenceTest, ComparesDescriptionsWhereBothSpecsTellThem) {
  EnvironmentSpec other = ToldSpec();
  other.groups[0].observed[1].unit = other.groups[0].observed[1].meaning = "other words";
  EXPECT_EQ(DescribeDifference(ToldSpec(), other), "");
  EXPECT_EQ(DescribeDifference(TwoGroupSpec(), ToldSpec()), "");
  EXPECT_EQ(DescribeDifference(ToldSpec(), TwoGroupSpec()), "");
  other.groups[1].actions[0].name = "x";
  EXPECT_EQ(DescribeDifference(ToldSpec(), other),
            "environment_spec.groups[1].actions[0].name: came x, expected action_0");
  other = ToldSpec();
  other.groups[0].observed[2].divided_by = 5;
  EXPECT_EQ(DescribeDifference(ToldSpec(), other),
            "environment_spec.groups[0].observed[2].divided_by: came 5, expected 2.5");
}

TEST(EnvironmentSpecCodecTest, CarriesTeamsAndNamesEachOnce) {
  EnvironmentSpec spec = TwoGroupSpec();
  EXPECT_EQ(spec.teams(), std::vector<std::string>{""});
  spec.groups[0].team = "north";
  EXPECT_EQ(spec.teams(), (std::vector<std::string>{"north", ""}));
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(spec, &message);
  const auto decoded = DecodeEnvironmentSpec(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, spec);
  spec.groups[1].team = "north";
  EXPECT_EQ(spec.teams(), std::vector<std::string>{"north"});
  EXPECT_THAT(SpecRefusal([](auto& m) { m.mutable_groups(1)->set_team("a/b"); }),
              AllOf(HasSubstr("groups[1].team"), HasSubstr("a/b")));
}

TEST(DescribeDifferenceTest, WhoPlaysAgainstWhomIsPartOfTheTaskAndALoneTeamsNameIsNot) {
  EnvironmentSpec opposed = TwoGroupSpec();
  opposed.groups[1].team = "south";
  EXPECT_EQ(DescribeDifference(TwoGroupSpec(), opposed),
            "environment_spec.groups[1].team: came \"south\", expected \"\"");
  EXPECT_EQ(DescribeDifference(opposed, TwoGroupSpec()),
            "environment_spec.groups[1].team: came \"\", expected \"south\"");
  EXPECT_EQ(DescribeDifference(opposed, opposed), "");
  opposed.groups[0].team = "south";
  EXPECT_EQ(DescribeDifference(TwoGroupSpec(), opposed), "");
}

TEST(DescribeDifferenceTest, SettingsOfTheMachineTravelAndAreNoPartOfTheTask) {
  EnvironmentSpec spec = TwoGroupSpec();
  spec.machine_settings = {"simulator_home", "memory_limit_mb"};
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(spec, &message);
  const auto decoded = DecodeEnvironmentSpec(message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, spec);
  EXPECT_EQ(DescribeDifference(TwoGroupSpec(), *decoded), "");
  EXPECT_THAT(SpecRefusal([](auto& m) { m.add_machine_settings(""); }), HasSubstr("machine_settings[0]"));
}

TEST(DescribeDifferenceTest, SaysTheFirstDifference) {
  const EnvironmentSpec spec = TwoGroupSpec();
  EXPECT_EQ(DescribeDifference(spec, spec), "");
  const auto describe = [&](const std::function<void(EnvironmentSpec&)>& change) {
    EnvironmentSpec other = spec;
    change(other);
    return DescribeDifference(spec, other);
  };
  EXPECT_EQ(describe([](auto& s) { s.name = "x"; }), "environment_spec.name: came x, expected test");
  EXPECT_EQ(describe([](auto& s) { s.groups.pop_back(); }), "environment_spec.groups: came 1, expected 2 groups");
  EXPECT_EQ(describe([](auto& s) { s.groups[1].name = "x"; }),
            "environment_spec.groups[1].name: came x, expected blue");
  EXPECT_EQ(describe([](auto& s) { s.groups[1].agents.pop_back(); }),
            "environment_spec.groups[1].agents: came [blue_0], expected [blue_0, blue_1]");
  EXPECT_EQ(describe([](auto& s) { s.groups[0].observation_size = 9; }),
            "environment_spec.groups[0].observation_size: came 9, expected 4");
  EXPECT_EQ(describe([](auto& s) { s.groups[0].action_kind = ActionKind::kContinuous; }),
            "environment_spec.groups[0].action_kind: came CONTINUOUS, expected DISCRETE");
  EXPECT_EQ(describe([](auto& s) { s.groups[0].action_size = 9; }),
            "environment_spec.groups[0].action_size: came 9, expected 5");
  EXPECT_EQ(describe([](auto& s) { s.state_includes_observations = false; }),
            "environment_spec.state_includes_observations: came false, expected true");
  EXPECT_EQ(describe([](auto& s) { s.state_extras_size = 0; }),
            "environment_spec.state_extras_size: came 0, expected 2");
  EXPECT_EQ(describe([](auto& s) { s.statistics = {}; }),
            "environment_spec.statistics: came [], expected [wins, losses]");
  EXPECT_EQ(describe([](auto& s) { s.agent_statistics = {}; }),
            "environment_spec.agent_statistics: came [], expected [score]");
}

PolicySnapshot SomeWeights(const std::vector<PolicySpec>& specs) {
  PolicySnapshot weights{.policy_version = 42};
  float next = 0.5f;
  for (const PolicySpec& spec : specs) {
    for (const auto& parameter : spec.Parameters()) {
      HostTensor tensor{spec.group + "/" + parameter.name, DataType::kFloat32, parameter.shape, {}};
      tensor.bytes.resize(tensor.num_elements() * 4);
      for (int64_t i = 0; i < tensor.num_elements(); ++i) tensor.floats()[i] = next += 0.25f;
      weights.tensors.push_back(std::move(tensor));
    }
  }
  return weights;
}

TEST(WeightsCodecTest, DecodesWhatItEncoded) {
  const auto specs = *MakePolicySpecs(MinimalExperiment(), TwoGroupSpec());
  PolicySnapshot weights = SomeWeights(specs);
  weights.scalars = {{"epsilon", 0.25}, {"noise_scale", 1.5}};
  wire::Weights message;
  EncodeWeights(weights, &message);
  const auto decoded = DecodeWeights(specs, message);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->policy_version, 42);
  EXPECT_EQ(decoded->tensors, weights.tensors);
  EXPECT_EQ(decoded->scalars, weights.scalars);
  EXPECT_EQ(decoded->Scalar("noise_scale"), 1.5);
  EXPECT_EQ(decoded->Scalar("stage"), std::nullopt);
}

TEST(WeightsCodecTest, NamesTheTensorThatIsWrong) {
  const auto specs = *MakePolicySpecs(MinimalExperiment(), TwoGroupSpec());
  const auto refusal = [&](const std::function<void(wire::Weights&)>& damage) {
    wire::Weights message;
    EncodeWeights(SomeWeights(specs), &message);
    damage(message);
    const absl::Status status = DecodeWeights(specs, message).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors(0)->set_name("x"); }),
              AllOf(HasSubstr("\"red/layers.0.weight\""), HasSubstr("came \"x\"")));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors()->SwapElements(0, 1); }), HasSubstr("\"red/layers.0.weight\""));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors()->RemoveLast(); }),
              AllOf(HasSubstr("\"blue/log_std\""), HasSubstr("came nothing")));
  EXPECT_THAT(refusal([](auto& m) { m.add_tensors()->set_name("more"); }), HasSubstr("weights.tensors: came 14"));
  const auto add_scalar = [](wire::Weights& m, const std::string& name, double value) {
    m.add_scalars()->set_name(name);
    m.mutable_scalars(m.scalars_size() - 1)->set_value(value);
  };
  EXPECT_THAT(refusal([&](auto& m) { add_scalar(m, "epsilon", std::numeric_limits<double>::infinity()); }),
              HasSubstr("scalar \"epsilon\" is inf"));
  EXPECT_THAT(refusal([&](auto& m) { add_scalar(m, "", 1); }), HasSubstr("scalars[0]: a name of 0 bytes"));
  EXPECT_THAT(refusal([&](auto& m) { add_scalar(m, "a", 1), add_scalar(m, "a", 2); }), HasSubstr("\"a\" comes twice"));
  EXPECT_THAT(refusal([&](auto& m) {
                for (int i = 0; i <= 64; ++i) add_scalar(m, absl::StrCat("s", i), i);
              }),
              HasSubstr("65 came, expected at most 64"));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors(1)->mutable_tensor()->set_data_type(wire::INT32); }),
              AllOf(HasSubstr("\"red/layers.0.bias\".data_type"), HasSubstr("INT32")));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors(1)->mutable_tensor()->set_shape(1, 63); }),
              AllOf(HasSubstr("\"red/layers.0.bias\".shape"), HasSubstr("[1, 63]"), HasSubstr("[1, 64]")));
  EXPECT_THAT(refusal([](auto& m) { m.mutable_tensors(1)->mutable_tensor()->mutable_data()->pop_back(); }),
              AllOf(HasSubstr("\"red/layers.0.bias\".data"), HasSubstr("255 bytes")));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_THAT(refusal([bad](auto& m) {
                  m.mutable_tensors(1)->mutable_tensor()->mutable_data()->replace(
                      8, 4, std::string(reinterpret_cast<const char*>(&bad), 4));
                }),
                AllOf(HasSubstr("\"red/layers.0.bias\"[2]"), HasSubstr("finite")));
  }
}

}  // namespace
}  // namespace troupe
