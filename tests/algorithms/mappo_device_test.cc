// The gradient steps of a GPU, taken on the CPU: operation by operation, and as graphs that a strict recorder replays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

#include "common/base/host_tensor.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/traced_graph.h"
#include "tests/algorithms/trained.h"

TORCH_LIBRARY_IMPL(_, TESTING_ONLY_GenericMode, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&troupe::TracedGraph::Record>());
}

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kSteps = 48, kColumns = 4;

// Networks, and settings of ppo.
struct Case {
  std::string networks, ppo;
};

void PrintTo(const Case& what, std::ostream* out) { *out << what.networks << " " << what.ppo; }

// 192 joint steps: minibatches of 40 are five of 38 or 39.
AlgorithmContext Context(const Case& what) {
  return MakeContext(what.networks + " collection { num_shards: 1 copies_per_shard: 4 rollout_length: 48 } ppo { " +
                         FieldsWith(what.ppo,
                                    "epochs: 2 minibatch_size: 40 actor_learning_rate: 0.001 "
                                    "critic_learning_rate: 0.001 max_gradient_norm: 0.5") +
                         " }",
                     {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 17, 3)}, 2);
}

AlgorithmContext OnDevice(const Case& what, TracedGraph::Counts* graphs = nullptr, int64_t rows_per_part = 0) {
  AlgorithmContext context = Context(what);
  context.arithmetic.overrides = {.gpu_on_cpu = true, .rows_per_part = rows_per_part};
  if (graphs != nullptr) context.arithmetic.overrides.graphs = TracedGraph::Factory(graphs);
  return context;
}

TrainingBatch BatchOf(const AlgorithmContext& context, uint64_t update) {
  return RandomBatch(context.environment, kSteps, kColumns, 100 + update);
}

Trained Train(Algorithm* algorithm, const AlgorithmContext& context, uint64_t updates) {
  return TrainOn(algorithm, updates, kSteps * kColumns, [&](uint64_t update) { return BatchOf(context, update); });
}

Trained Train(const AlgorithmContext& context, uint64_t updates) {
  return Train(CreateAlgorithm(context).value().get(), context, updates);
}

// Through autograd and LibTorch's operators.
Trained TrainReference(const Case& what, uint64_t updates) {
  setenv("TROUPE_CPU", "none", /*overwrite=*/1);
  const AlgorithmContext context = Context(what);
  const auto algorithm = CreateAlgorithm(context).value();
  EXPECT_EQ(algorithm->arithmetic(), "float32, LibTorch");
  const Trained trained = Train(algorithm.get(), context, updates);
  unsetenv("TROUPE_CPU");
  return trained;
}

// Of all tensors whose names hold `part`.
double Distance(const Trained& a, const Trained& b, const std::string& part = "") {
  double squares = 0;
  for (size_t i = 0; i < a.state.size(); ++i) {
    EXPECT_EQ(a.state[i].name, b.state[i].name);
    if (a.state[i].data_type != DataType::kFloat32 || a.state[i].name.find(part) == std::string::npos) continue;
    for (int64_t k = 0; k < a.state[i].num_elements(); ++k) {
      squares += std::pow(a.state[i].floats()[k] - b.state[i].floats()[k], 2);
    }
  }
  return std::sqrt(squares);
}

class DeviceSteps : public ::testing::TestWithParam<Case> {};

TEST_P(DeviceSteps, TenGradientStepsEndWhereAutogradEnds) {
  const Trained start = TrainReference(GetParam(), 0), reference = TrainReference(GetParam(), 1);
  for (const int64_t rows_per_part : {0, 40}) {
    const Trained device = Train(OnDevice(GetParam(), nullptr, rows_per_part), 1);
    for (const char* part : {"weight", "bias", "first_moment", "second_moment"}) {
      EXPECT_LT(Distance(device, reference, part), 2e-3 * Distance(reference, start, part)) << part;
    }
    EXPECT_EQ(Distance(device, reference, "adam.steps"), 0.0);
    for (const auto& [name, value] : reference.statistics) {
      EXPECT_NEAR(device.statistics.at(name), value, 1e-3 * (0.01 + std::abs(value))) << name;
    }
  }
}

TEST_P(DeviceSteps, FollowTheSchedulesFromUpdateToUpdate) {
  const Trained start = TrainReference(GetParam(), 0), reference = TrainReference(GetParam(), 3);
  const Trained device = Train(OnDevice(GetParam()), 3);
  EXPECT_LT(Distance(device, reference, "weight"), 1e-2 * Distance(reference, start, "weight"));
  EXPECT_EQ(device.statistics.at("learning_rate"), reference.statistics.at("learning_rate"));
  EXPECT_EQ(device.statistics.at("entropy_coefficient"), reference.statistics.at("entropy_coefficient"));
}

TEST_P(DeviceSteps, AGraphRecordedInTheFirstUpdateServesAllOthersBitForBit) {
  for (const int64_t rows_per_part : {0, 40}) {
    TracedGraph::Counts counts;
    const AlgorithmContext plain = OnDevice(GetParam(), nullptr, rows_per_part);
    const AlgorithmContext graphs = OnDevice(GetParam(), &counts, rows_per_part);
    const auto first = CreateAlgorithm(plain).value(), second = CreateAlgorithm(graphs).value();
    EXPECT_THAT(first->arithmetic(), HasSubstr("no CUDA graphs: "));
    EXPECT_THAT(second->arithmetic(), HasSubstr("; CUDA graphs"));
    const Trained eager = Train(first.get(), plain, 4), replayed = Train(second.get(), graphs, 4);
    EXPECT_EQ(eager.state, replayed.state);
    EXPECT_EQ(eager.statistics, replayed.statistics);
    EXPECT_EQ(counts.captured, GetParam().ppo.find("minibatch_size: 0") == std::string::npos ? 2 : 1);
    EXPECT_GT(counts.replayed, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, DeviceSteps,
    ::testing::Values(
        Case{"policy { sharing: PER_AGENT hidden_sizes: [40, 24] } critic { hidden_sizes: [48] }",
             "anneal_learning_rate: true final_entropy_coefficient: 0.5"},
        Case{"policy { sharing: SHARED agent_id_input: true hidden_sizes: [33] activation: TANH } critic { heads: "
             "EACH_AGENT hidden_sizes: [48] }",
             "value_loss: SQUARED"},
        Case{"policy { hidden_sizes: [16, 8] input_layer_norm: true hidden_layer_norm: true } critic { input: "
             "LOCAL_OBSERVATION heads: EACH_AGENT hidden_sizes: [40] activation: TANH input_layer_norm: true "
             "hidden_layer_norm: true }",
             "clip_value: false huber_delta: 0.5"},
        Case{"policy { sharing: PER_AGENT hidden_sizes: [16] hidden_layer_norm: true } critic { input: "
             "AGENT_SPECIFIC_STATE heads: EACH_AGENT hidden_sizes: [40, 8] }",
             "value_loss: SQUARED clip_value: false weight_decay: 0.01"},
        Case{"policy { hidden_sizes: [16] } group_policies { key: \"cars\" value { sharing: PARTITIONED partition: [0, "
             "1, 0] hidden_sizes: [16] input_layer_norm: true } } critic { hidden_sizes: [16] }",
             "lag_correction: V_TRACE"},
        Case{"policy { hidden_sizes: [16] } critic { hidden_sizes: [16] heads: EACH_AGENT }",
             "lag_correction: DECOUPLED max_gradient_norm: 0"},
        Case{"policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }", "target_kl: 0.0002 epochs: 4"},
        Case{"policy { sharing: PER_AGENT hidden_sizes: [16] } critic { hidden_sizes: [16] }",
             "minibatch_size: 0 epochs: 10"}));

const Case kPlain{"policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }", ""};

TEST(GpuSteps, SkipAndCountABatchWithANan) {
  TracedGraph::Counts counts;
  const AlgorithmContext context = OnDevice(kPlain, &counts);
  const auto algorithm = CreateAlgorithm(context).value();
  const Trained before = Train(algorithm.get(), context, 2);
  EXPECT_EQ(counts.captured, 2);
  TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 5, /*ends=*/false);
  for (float& reward : batch.groups[0].rewards) reward = std::numeric_limits<float>::quiet_NaN();
  const auto statistics = algorithm->Update(batch, {.update = 2, .env_steps = 384, .total_env_steps = 1920});
  ASSERT_TRUE(statistics.ok());
  const std::map<std::string, double> values(statistics->values.begin(), statistics->values.end());
  EXPECT_EQ(values.at("skipped_minibatches"), 10);
  EXPECT_EQ(algorithm->SaveState(), before.state);
  EXPECT_NE(Train(algorithm.get(), context, 1).state, before.state);
}

TEST(GpuSteps, GoOnFromALoadedStateThroughTheSameGraphs) {
  TracedGraph::Counts counts;
  const AlgorithmContext context = OnDevice(kPlain, &counts);
  const auto straight = CreateAlgorithm(context).value(), other = CreateAlgorithm(context).value();
  const Trained once = Train(straight.get(), context, 1);
  Train(other.get(), context, 3);
  ASSERT_TRUE(other->LoadState(once.state).ok());
  EXPECT_EQ(Train(straight.get(), context, 2).state, Train(other.get(), context, 2).state);
}

TEST(GpuSteps, AreRecordedAnewForBatchesOfAnotherSize) {
  TracedGraph::Counts counts;
  const AlgorithmContext context = OnDevice(kPlain, &counts), plain = OnDevice(kPlain);
  const auto replayed = CreateAlgorithm(context).value(), eager = CreateAlgorithm(plain).value();
  for (const int columns : {4, 7, 3, 4}) {
    const TrainingBatch batch = RandomBatch(context.environment, kSteps, columns, columns);
    ASSERT_TRUE(replayed->Update(batch, {.total_env_steps = 1}).ok());
    ASSERT_TRUE(eager->Update(batch, {.total_env_steps = 1}).ok());
    EXPECT_EQ(replayed->SaveState(), eager->SaveState());
  }
}

class BrokenGraph final : public StepGraph {
 public:
  std::string Capture(const std::function<void()>&) override { return "operation not permitted"; }
  void Replay() override { ADD_FAILURE() << "nothing was captured"; }
};

TEST(GpuSteps, GoOnWithoutGraphsThatCannotBeCapturedAndWarnOnce) {
  AlgorithmContext context = OnDevice(kPlain);
  std::vector<std::string> warnings;
  context.arithmetic.warn = [&](const std::string& line) { warnings.push_back(line); };
  context.arithmetic.overrides.graphs = [] { return std::make_unique<BrokenGraph>(); };
  EXPECT_EQ(Train(context, 3).state, Train(OnDevice(kPlain), 3).state);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], AllOf(HasSubstr("no CUDA graphs"), HasSubstr("operation not permitted")));
}

TEST(GpuSteps, UseNoGraphsWhereTheSettingSaysSo) {
  TracedGraph::Counts counts;
  AlgorithmContext context = OnDevice(kPlain, &counts);
  context.experiment.mutable_compute()->set_cuda_graphs(false);
  EXPECT_THAT(CreateAlgorithm(context).value()->arithmetic(), HasSubstr("compute.cuda_graphs is false"));
  Train(context, 1);
  EXPECT_EQ(counts.captured, 0);
}

TEST(GpuSteps, EndNearThoseInFloatWithBfloatProducts) {
  AlgorithmContext bfloat = OnDevice(kPlain);
  bfloat.experiment.mutable_compute()->set_precision(BF16);
  EXPECT_THAT(CreateAlgorithm(bfloat).value()->arithmetic(), HasSubstr("bfloat16 products"));
  const Trained start = TrainReference(kPlain, 0), reference = TrainReference(kPlain, 1), rounded = Train(bfloat, 1);
  EXPECT_GT(Distance(rounded, reference, "weight"), 0.0);
  EXPECT_LT(Distance(rounded, reference, "weight"), 0.2 * Distance(reference, start, "weight"));
}

TEST(GpuSteps, AloneHaveTf32) {
  AlgorithmContext context = Context(kPlain);
  context.experiment.mutable_compute()->set_precision(TF32);
  const absl::Status status = CreateAlgorithm(context).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("compute.precision is TF32"));
}

TEST(Prefetch, ABatchBroughtAheadIsTrainedOnAsIfItWereNot) {
  TracedGraph::Counts counts;
  const AlgorithmContext context = OnDevice(kPlain, &counts);
  std::vector<TrainingBatch> batches;
  for (uint64_t update = 0; update < 5; ++update) batches.push_back(BatchOf(context, update));
  const auto train = [&](bool ahead) {
    const auto algorithm = CreateAlgorithm(context).value();
    int asked = 0;
    for (uint64_t update = 0; update < 5; ++update) {
      // The third batch is not there in time, and instead of the fourth another is spoken of.
      algorithm->PrefetchFrom([&](absl::Duration) -> const TrainingBatch* {
        ++asked;
        return update == 1 ? nullptr : &batches[update == 2 ? 0 : update + 1];
      });
      if (!ahead || update == 4) algorithm->PrefetchFrom(nullptr);
      EXPECT_TRUE(
          algorithm->Update(batches[update], {.update = update, .env_steps = update * 192, .total_env_steps = 1920})
              .ok());
    }
    EXPECT_EQ(asked, ahead ? 4 : 0);
    return algorithm->SaveState();
  };
  EXPECT_EQ(train(true), train(false));
}

}  // namespace
}  // namespace troupe
