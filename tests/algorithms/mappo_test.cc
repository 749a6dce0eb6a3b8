#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <sstream>

#include "common/base/host_tensor.h"
#include "common/base/policy_snapshot.h"
#include "learner/arithmetic/gpu/device.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

// Two groups of unlike sizes, a learner small enough for many updates per second.
constexpr char kSmall[] =
    "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] } collection { num_shards: 1 copies_per_shard: 4 "
    "rollout_length: 12 } ";
const std::string kPpo = "ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 critic_learning_rate: 0.003 } ";

std::vector<AgentGroupSpec> TwoGroups() { return {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 7, 3)}; }

AlgorithmContext SmallContext(const std::string& more = kPpo) { return MakeContext(kSmall + more, TwoGroups(), 2); }

std::unique_ptr<Algorithm> Make(const AlgorithmContext& context) {
  absl::StatusOr<std::unique_ptr<Algorithm>> algorithm = CreateAlgorithm(context);
  EXPECT_TRUE(algorithm.ok()) << algorithm.status();
  return *std::move(algorithm);
}

TrainingBatch Batch(const AlgorithmContext& context, uint64_t seed, bool ends = true) {
  return RandomBatch(context.environment, 12, 4, seed, ends);
}

// `updates` updates from `first` on, each on its own random batch.
std::map<std::string, double> Train(Algorithm* algorithm, const AlgorithmContext& context, uint64_t first,
                                    uint64_t updates) {
  std::map<std::string, double> last;
  for (uint64_t update = first; update < first + updates; ++update) {
    const auto statistics = algorithm->Update(Batch(context, 100 + update),
                                              {.update = update, .env_steps = update * 48, .total_env_steps = 480});
    EXPECT_TRUE(statistics.ok()) << statistics.status();
    last = {statistics->values.begin(), statistics->values.end()};
  }
  return last;
}

TEST(Mappo, ExportsEveryGroupsParametersInTheSpecsOrder) {
  const AlgorithmContext context = SmallContext();
  const PolicySnapshot weights = Make(context)->ExportPolicy({.update = 7});
  EXPECT_EQ(weights.policy_version, 7u);
  size_t next = 0;
  for (const PolicySpec& policy : context.policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.stack.Parameters()) {
      ASSERT_LT(next, weights.tensors.size());
      EXPECT_EQ(weights.tensors[next].name, policy.group + "/" + parameter.name);
      EXPECT_EQ(weights.tensors[next++].shape, parameter.shape);
    }
  }
  EXPECT_EQ(next, weights.tensors.size());
}

TEST(Mappo, StartsFromTheSeedAlone) {
  EXPECT_EQ(Make(SmallContext())->SaveState(), Make(SmallContext())->SaveState());
  EXPECT_NE(Make(SmallContext())->SaveState(), Make(SmallContext(kPpo + "seed: 2"))->SaveState());
}

TEST(Mappo, GivesTheSameBitsTwice) {
  const AlgorithmContext context = SmallContext();
  const auto first = Make(context), second = Make(context);
  EXPECT_EQ(Train(first.get(), context, 0, 3), Train(second.get(), context, 0, 3));
  EXPECT_EQ(first->SaveState(), second->SaveState());
}

TEST(Mappo, GoesOnFromASavedStateAsIfNeverStopped) {
  const AlgorithmContext context = SmallContext();
  const auto straight = Make(context), before = Make(context), after = Make(context);
  Train(straight.get(), context, 0, 4);
  Train(before.get(), context, 0, 2);
  ASSERT_TRUE(after->LoadState(before->SaveState()).ok());
  Train(after.get(), context, 2, 2);
  EXPECT_EQ(straight->SaveState(), after->SaveState());
}

TEST(Mappo, RefusesAStateThatIsNotItsOwnAndStaysAsItWas) {
  const AlgorithmContext context = SmallContext();
  const auto algorithm = Make(context), other = Make(context);
  Train(other.get(), context, 0, 1);
  const std::vector<HostTensor> own = algorithm->SaveState(), good = other->SaveState();
  const auto refused = [&](const std::vector<HostTensor>& state, const std::string& told) {
    const absl::Status status = algorithm->LoadState(state);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(told));
    EXPECT_EQ(algorithm->SaveState(), own);
  };
  std::vector<HostTensor> state = good;
  state.pop_back();
  refused(state, "\"" + good.back().name + "\" is missing");
  state = good;
  state.push_back(HostTensor::Float32("stranger", {0}, nullptr));
  refused(state, "\"stranger\" is unknown");
  state = good;
  state.push_back(good.front());
  refused(state, "twice");
  state = good;
  state.front().shape.push_back(1);
  refused(state, good.front().name);
}

TEST(Mappo, NamesItsStatisticsInAFixedOrder) {
  const AlgorithmContext context = SmallContext();
  const auto statistics =
      Make(context)->Update(Batch(context, 1), {.update = 0, .env_steps = 0, .total_env_steps = 480});
  ASSERT_TRUE(statistics.ok());
  std::vector<std::string> names;
  for (const auto& [name, value] : statistics->values) {
    names.push_back(name);
    EXPECT_TRUE(std::isfinite(value)) << name;
  }
  EXPECT_THAT(names,
              ::testing::ElementsAre("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction",
                                     "first_approx_kl", "first_clip_fraction", "explained_variance",
                                     "actor_gradient_norm", "critic_gradient_norm", "learning_rate",
                                     "critic_learning_rate", "entropy_coefficient", "epochs", "skipped_minibatches"));
}

TEST(Mappo, ABatchWithANanLeavesTheWeightsUntouchedAndIsCounted) {
  const AlgorithmContext context = SmallContext("ppo { epochs: 3 }");
  for (const bool in_reward : {true, false}) {
    const auto algorithm = Make(context);
    Train(algorithm.get(), context, 0, 1);
    const std::vector<HostTensor> before = algorithm->SaveState();
    TrainingBatch batch = Batch(context, 5, /*ends=*/false);
    (in_reward ? batch.groups[0].rewards : batch.groups[0].observations)[3] = std::numeric_limits<float>::quiet_NaN();
    const auto statistics = algorithm->Update(batch, {.update = 1, .env_steps = 48, .total_env_steps = 480});
    ASSERT_TRUE(statistics.ok());
    std::map<std::string, double> values(statistics->values.begin(), statistics->values.end());
    EXPECT_EQ(values["skipped_minibatches"], 3) << "3 epochs of one minibatch";
    EXPECT_EQ(algorithm->SaveState(), before);
    Train(algorithm.get(), context, 1, 1);
    EXPECT_NE(algorithm->SaveState(), before);
  }
}

TEST(Mappo, RefusesABatchOfTheWrongShapeByFieldName) {
  const AlgorithmContext context = SmallContext();
  const auto algorithm = Make(context);
  const std::vector<std::pair<std::string, std::function<void(TrainingBatch*)>>> spoilt = {
      {"batch.groups", [](TrainingBatch* b) { b->groups.pop_back(); }},
      {"groups[lights].observations", [](TrainingBatch* b) { b->groups[1].observations.pop_back(); }},
      {"groups[cars].discrete_actions: 4", [](TrainingBatch* b) { b->groups[0].discrete_actions[2] = 4; }},
      {"groups[cars].discrete_actions: -1", [](TrainingBatch* b) { b->groups[0].discrete_actions[2] = -1; }},
      {"groups[cars].log_probabilities", [](TrainingBatch* b) { b->groups[0].log_probabilities.clear(); }},
      {"groups[cars].rewards", [](TrainingBatch* b) { b->groups[0].rewards.push_back(0); }},
      {"groups[cars].action_masks", [](TrainingBatch* b) { b->groups[0].action_masks.pop_back(); }},
      {"groups[cars].alive", [](TrainingBatch* b) { b->groups[0].alive.pop_back(); }},
      {"groups[cars].final_observations", [](TrainingBatch* b) { b->groups[0].final_observations.push_back(0); }},
      {"state_extras", [](TrainingBatch* b) { b->state_extras.pop_back(); }},
      {"terminated", [](TrainingBatch* b) { b->terminated.pop_back(); }},
      {"truncated", [](TrainingBatch* b) { b->truncated.pop_back(); }},
      {"truncated_at", [](TrainingBatch* b) { b->truncated_at.pop_back(); }},
      {"rollout_length", [](TrainingBatch* b) { b->rollout_length = 0; }},
  };
  for (const auto& [field, spoil] : spoilt) {
    TrainingBatch batch = Batch(context, 3);
    spoil(&batch);
    const auto statistics = algorithm->Update(batch, {});
    EXPECT_EQ(statistics.status().code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(std::string(statistics.status().message()), HasSubstr(field == "rollout_length" ? "0 steps" : field));
  }
}

TEST(Mappo, SaysWhichDistributionIsNotSupported) {
  AlgorithmContext context = SmallContext();
  context.policies[0].distribution.kind = DistributionKind::kEpsilonGreedy;
  const absl::Status status = CreateAlgorithm(context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("has epsilon_greedy actions"));
}

TEST(Registry, NamesTheNearestAlgorithm) {
  AlgorithmContext context = SmallContext();
  context.experiment.mutable_algorithm()->set_name("mapo");
  const absl::Status status = CreateAlgorithm(context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean \"mappo\""));
}

TEST(Device, CpuIsAlwaysThereAndAutoFallsBackToIt) {
  ComputeSettings settings;
  settings.set_device(CPU);
  settings.set_learner_threads(2);
  const auto device = ChooseDevice(settings);
  ASSERT_TRUE(device.ok());
  EXPECT_EQ(device->name, "cpu");
  EXPECT_EQ(device->description, "CPU, 2 threads");
  settings.set_device(AUTO);
  EXPECT_TRUE(ChooseDevice(settings).ok());
}

TEST(Device, CudaIsEitherThereOrRefusedInOneLine) {
  ComputeSettings settings;
  settings.set_device(CUDA);
  settings.set_learner_threads(1);
  const auto device = ChooseDevice(settings);
  if (device.ok()) {
    EXPECT_EQ(device->name, "cuda");
  } else {
    EXPECT_EQ(device.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(device.status().message()), HasSubstr("compute.device is CUDA"));
    EXPECT_EQ(device.status().message().find('\n'), absl::string_view::npos);
  }
}

// Each switch must do something: the same two updates end in other weights with it than without.
class EverySwitch : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

// "ppo { … }" of the usual settings, with those in `changes` ("name: value name: value …") in their place.
std::string PpoWith(const std::string& changes) {
  std::map<std::string, std::string> fields = {{"epochs:", "3"},
                                               {"minibatch_size:", "16"},
                                               {"actor_learning_rate:", "0.003"},
                                               {"critic_learning_rate:", "0.003"}};
  std::istringstream stream(changes);
  for (std::string name, value; stream >> name >> value;) fields[name] = value;
  std::string text = "ppo { ";
  for (const auto& [name, value] : fields) text += name + " " + value + " ";
  return text + "}";
}

TEST_P(EverySwitch, ChangesWhatIsLearnt) {
  const auto& [without, with] = GetParam();
  const AlgorithmContext off = SmallContext(PpoWith(without)), on = SmallContext(PpoWith(with));
  const auto first = Make(off), second = Make(on);
  Train(first.get(), off, 0, 3);
  Train(second.get(), on, 0, 3);
  EXPECT_NE(first->SaveState(), second->SaveState());
}

INSTANTIATE_TEST_SUITE_P(Ppo, EverySwitch,
                         ::testing::ValuesIn(std::vector<std::pair<std::string, std::string>>{
                             {"", "adam_epsilon: 0.001"},
                             {"", "weight_decay: 0.1"},
                             {"", "anneal_learning_rate: true"},
                             {"", "discount: 0.5"},
                             {"", "gae_lambda: 0.5"},
                             {"", "clip: 0.05"},
                             {"", "entropy_coefficient: 0.1"},
                             {"", "final_entropy_coefficient: 0"},
                             {"", "value_coefficient: 0.5"},
                             {"huber_delta: 0.1", "huber_delta: 0.1 value_loss: SQUARED"},
                             {"huber_delta: 0.1", "huber_delta: 0.2"},
                             {"", "clip_value: false"},
                             {"", "value_normalization: false"},
                             {"", "advantage_normalization: false"},
                             {"", "advantage_normalization_per_agent: true"},
                             {"", "max_gradient_norm: 0.01"},
                             {"", "epochs: 4"},
                             {"", "minibatch_size: 0"},
                             {"", "target_kl: 0.0000001"},
                             {"", "lag_correction: V_TRACE"},
                             {"", "lag_correction: DECOUPLED"},
                             {"lag_correction: V_TRACE", "lag_correction: V_TRACE vtrace_rho_clip: 0.3"},
                             {"lag_correction: V_TRACE", "lag_correction: V_TRACE vtrace_c_clip: 0.3"},
                             {"value_normalization: false", "value_normalization: false reward_scale: 0.1"},
                             {"", "actor_learning_rate: 0.001"},
                             {"", "critic_learning_rate: 0.001"},
                         }));

}  // namespace
}  // namespace troupe
