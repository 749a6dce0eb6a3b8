#include <cstring>
#include <limits>

#include "actor_worker/acting/group_actor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

std::vector<float> RandomObservations(const PolicySpec& spec, int copies, uint64_t seed) {
  RandomStream random(seed);
  std::vector<float> observations(size_t(copies) * spec.num_agents * spec.observation_size);
  for (float& value : observations) value = 2 * random.Uniform() - 1;
  return observations;
}

std::vector<PolicySpec> EverySpecVariant() {
  std::vector<PolicySpec> specs;
  for (const std::vector<int>& sets : {std::vector<int>{0, 0, 0}, {0, 1, 2}, {0, 1, 0}}) {
    for (const bool agent_id : {false, true}) {
      for (const bool input_norm : {false, true}) {
        for (const bool hidden_norm : {false, true}) {
          for (const Activation activation : {Activation::kRelu, Activation::kTanh}) {
            for (const std::vector<int>& hidden : {std::vector<int>{}, {24}, {40, 20}}) {
              PolicySpec spec = MakeTestSpec(3, 7, 5, hidden, sets);
              if (agent_id) spec = WithAgentId(spec);
              spec.stack.input_layer_norm = input_norm;
              spec.stack.hidden_layer_norm = hidden_norm;
              spec.stack.activation = activation;
              specs.push_back(spec);
            }
          }
        }
      }
    }
  }
  specs.push_back(MakeTestSpec(9, 17, 4, {128, 64}, {0, 1, 2, 3, 4, 5, 6, 7, 8}));
  return specs;
}

TEST(DenseNetworkTest, EqualsTheDoublePrecisionReferenceForEverySpecVariant) {
  for (const PolicySpec& spec : EverySpecVariant()) {
    SCOPED_TRACE(FormatPolicySpec(spec));
    const std::vector<HostTensor> weights = RandomWeights(spec, 5);
    for (const int copies : {1, 6}) {
      const auto network = MakeNetwork(spec, copies);
      network->SetParameters(weights);
      const std::vector<float> observations = RandomObservations(spec, copies, 11);
      const absl::Span<const float> logits = network->Outputs(observations, {});
      for (int row = 0; row < copies * spec.num_agents; ++row) {
        const auto expected =
            ReferenceLogits(spec, weights, row % spec.num_agents, &observations[row * spec.observation_size]);
        for (int n = 0; n < spec.action_size; ++n) ASSERT_NEAR(logits[row * spec.action_size + n], expected[n], 3e-5);
      }
    }
  }
}

TEST(DenseNetworkTest, ARowsBitsDoNotDependOnTheBatchItIsIn) {
  for (const PolicySpec& spec : EverySpecVariant()) {
    SCOPED_TRACE(FormatPolicySpec(spec));
    constexpr int kCopies = 75;  // more than one tile
    const auto many = MakeNetwork(spec, kCopies), one = MakeNetwork(spec, 1);
    const std::vector<HostTensor> weights = RandomWeights(spec, 6);
    many->SetParameters(weights);
    one->SetParameters(weights);
    const std::vector<float> observations = RandomObservations(spec, kCopies, 12);
    const absl::Span<const float> together = many->Outputs(observations, {});
    const size_t inputs = size_t(spec.num_agents) * spec.observation_size,
                 outputs = size_t(spec.num_agents) * spec.action_size;
    for (int c = 0; c < kCopies; ++c) {
      const absl::Span<const float> alone =
          one->Outputs(absl::MakeConstSpan(observations).subspan(c * inputs, inputs), {});
      ASSERT_EQ(std::memcmp(alone.data(), together.data() + c * outputs, outputs * sizeof(float)), 0) << "copy " << c;
    }
  }
}

TEST(DenseNetworkTest, NewWeightsReplaceTheOldOnes) {
  const PolicySpec spec = WithAgentId(MakeTestSpec(2, 3, 4, {8}, {0, 0}));
  const auto network = MakeNetwork(spec, 1), fresh = MakeNetwork(spec, 1);
  network->SetParameters(RandomWeights(spec, 1));
  network->SetParameters(RandomWeights(spec, 2));
  fresh->SetParameters(RandomWeights(spec, 2));
  const std::vector<float> observations = RandomObservations(spec, 1, 3);
  EXPECT_THAT(network->Outputs(observations, {}), testing::ElementsAreArray(fresh->Outputs(observations, {})));
}

TEST(GroupActorTest, ActsOnMasksAndSaysTheLogProbability) {
  const PolicySpec spec = MakeTestSpec(2, 3, 4, {8}, {0, 1});
  auto actor = *GroupActor::Create(spec, 1);
  const std::vector<HostTensor> weights = RandomWeights(spec, 1);
  ASSERT_TRUE(actor->SetSnapshot({1, weights}).ok());
  const std::vector<float> observations = RandomObservations(spec, 1, 3);
  const std::vector<uint8_t> masks = {0, 1, 0, 1, 0, 0, 1, 0};
  std::vector<int32_t> actions(2);
  std::vector<float> log_probabilities(2);
  actor->Act(observations, masks, {}, {},
             {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)});
  const std::vector<double> logits = ReferenceLogits(spec, weights, 0, observations.data());
  EXPECT_EQ(actions[0], logits[3] > logits[1] ? 3 : 1);
  EXPECT_NEAR(log_probabilities[0], -std::log1p(std::exp(-std::abs(logits[3] - logits[1]))), 1e-5);
  EXPECT_EQ(actions[1], 2);
  EXPECT_EQ(log_probabilities[1], 0.0f);
}

TEST(GroupActorTest, RefusesWeightsNamingTheTensor) {
  const PolicySpec spec = MakeTestSpec(2, 3, 4, {8}, {0, 1});
  auto actor = *GroupActor::Create(spec, 1);
  const std::vector<HostTensor> good = RandomWeights(spec, 1);
  const auto refusal = [&](const std::vector<HostTensor>& tensors) {
    const absl::Status status = actor->SetSnapshot({1, tensors});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  std::vector<HostTensor> missing(good.begin(), good.end() - 1);
  EXPECT_THAT(refusal(missing), testing::HasSubstr("3 tensors are named \"team/…\", expected the group's 4"));
  std::vector<HostTensor> renamed = good;
  renamed[1].name = "team/layers.1.bias";
  EXPECT_THAT(refusal(renamed), testing::HasSubstr("is \"team/layers.1.bias\", expected \"team/layers.0.bias\""));
  std::vector<HostTensor> reshaped = good;
  reshaped[0].shape = {2, 8, 3};
  EXPECT_THAT(refusal(reshaped), testing::HasSubstr("team/layers.0.weight has shape [2, 8, 3]"));
  std::vector<HostTensor> cut = good;
  cut[2].bytes.resize(8);
  EXPECT_THAT(refusal(cut), testing::HasSubstr("8 bytes"));
  std::vector<HostTensor> infinite = good;
  infinite[3].floats()[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal(infinite), testing::HasSubstr("team/output.bias holds inf at element 5"));
}

TEST(GroupActorTest, RefusesSpecsThatDoNotFitTogether) {
  PolicySpec spec = MakeTestSpec(2, 3, 4, {8}, {0, 1});
  EXPECT_FALSE(GroupActor::Create(spec, 0).ok());
  PolicySpec inputs = spec;
  inputs.stack.input_size = 5;
  EXPECT_EQ(GroupActor::Create(inputs, 1).status().code(), absl::StatusCode::kInvalidArgument);
  PolicySpec kind = spec;
  kind.distribution.kind = DistributionKind::kGaussian;
  EXPECT_THAT(std::string(GroupActor::Create(kind, 1).status().message()),
              testing::HasSubstr("the distribution gaussian does not act on discrete actions"));
  PolicySpec outputs = spec;
  outputs.action_kind = ActionKind::kContinuous;
  outputs.distribution = {DistributionKind::kGaussian, true};
  EXPECT_THAT(std::string(GroupActor::Create(outputs, 1).status().message()),
              testing::HasSubstr("4 actions (gaussian, deviations by state)"));
  PolicySpec sets = spec;
  sets.set_of_agent = {0, 2};
  EXPECT_THAT(std::string(GroupActor::Create(sets, 1).status().message()), testing::HasSubstr("set_of_agent holds 2"));
}

TEST(GroupTensorsTest, FindsTheGroupsSliceOrSaysWhatIsMissing) {
  const PolicySpec first = MakeTestSpec(1, 3, 2, {4}, {0});
  PolicySpec second = first;
  second.group = "others";
  PolicySnapshot weights;
  for (const PolicySpec& spec : {first, second}) {
    for (HostTensor& tensor : RandomWeights(spec, 1)) weights.tensors.push_back(std::move(tensor));
  }
  ASSERT_TRUE(TensorsOfGroup(weights, second).ok());
  EXPECT_EQ(TensorsOfGroup(weights, second)->front().name, "others/layers.0.weight");
  EXPECT_EQ(TensorsOfGroup(weights, second)->size(), 4);
  weights.tensors.pop_back();
  EXPECT_THAT(std::string(TensorsOfGroup(weights, second).status().message()),
              testing::HasSubstr("3 tensors are named \"others/"));
}

}  // namespace
}  // namespace troupe
