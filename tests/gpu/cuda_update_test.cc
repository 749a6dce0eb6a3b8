// The same updates on a CUDA GPU and on the CPU, with graphs and without. Skipped, in words, where there is no GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "learner/arithmetic/gpu/device.h"
#include "learner/arithmetic/gpu/step_graph.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

constexpr int kSteps = 48, kColumns = 4;

struct Case {
  std::string name, networks, ppo;
};

void PrintTo(const Case& what, std::ostream* out) { *out << what.networks << " " << what.ppo; }

struct Way {
  std::string device = "cuda";
  Precision precision = F32;
  bool graphs = true;
  bool prefetch = false;
  uint64_t updates = 3;
};

AlgorithmContext ContextOf(const Case& what, const Way& way) {
  AlgorithmContext context =
      MakeContext(what.networks + " collection { num_shards: 1 copies_per_shard: 4 rollout_length: 48 } ppo { " +
                      FieldsWith(what.ppo,
                                 "epochs: 2 minibatch_size: 40 actor_learning_rate: 0.001 "
                                 "critic_learning_rate: 0.001") +
                      " }",
                  {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 17, 3)}, 2);
  context.arithmetic.device = way.device;
  context.experiment.mutable_compute()->set_precision(way.precision);
  context.experiment.mutable_compute()->set_cuda_graphs(way.graphs);
  context.arithmetic.warn = [](const std::string& line) { ADD_FAILURE() << line; };
  return context;
}

// The state after some updates on random batches.
std::vector<HostTensor> Train(const Case& what, const Way& way) {
  const AlgorithmContext context = ContextOf(what, way);
  const auto algorithm = CreateAlgorithm(context);
  if (!algorithm.ok()) throw std::runtime_error(std::string(algorithm.status().message()));
  std::vector<TrainingBatch> batches;
  for (uint64_t update = 0; update < way.updates; ++update) {
    batches.push_back(RandomBatch(context.environment, kSteps, kColumns, 100 + update));
  }
  for (uint64_t update = 0; update < way.updates; ++update) {
    const TrainingBatch* const next = update + 1 < way.updates && way.prefetch ? &batches[update + 1] : nullptr;
    (*algorithm)->PrefetchFrom([next](absl::Duration) { return next; });
    const auto statistics =
        (*algorithm)->Update(batches[update], {.update = update, .env_steps = update * 192, .total_env_steps = 1920});
    if (!statistics.ok()) throw std::runtime_error(std::string(statistics.status().message()));
  }
  return (*algorithm)->SaveState();
}

// Of parameters; Adam's moments are left out.
double Distance(const std::vector<HostTensor>& a, const std::vector<HostTensor>& b) {
  double squares = 0;
  EXPECT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].data_type != DataType::kFloat32 || a[i].name.find("adam") != std::string::npos) continue;
    for (int64_t k = 0; k < a[i].num_elements(); ++k) squares += std::pow(a[i].floats()[k] - b[i].floats()[k], 2);
  }
  return std::sqrt(squares);
}

class CudaUpdate : public testing::TestWithParam<Case> {
 public:
  void SetUp() override {
    ComputeSettings settings;
    settings.set_device(CUDA);
    const auto device = ChooseDevice(settings);
    if (!device.ok()) GTEST_SKIP() << device.status().message();
  }
  static bool HasGraphs() { return LoadedStepGraphs().ok(); }
};

TEST_P(CudaUpdate, LearnsWhatTheCpuLearns) {
  const auto start = Train(GetParam(), {.device = "cpu", .updates = 0}),
             cpu = Train(GetParam(), {.device = "cpu", .updates = 1});
  for (const bool graphs : {false, true}) {
    EXPECT_LT(Distance(Train(GetParam(), {.graphs = graphs, .updates = 1}), cpu), 5e-3 * Distance(cpu, start));
  }
}

TEST_P(CudaUpdate, GraphsLearnWhatSingleOperationsLearn) {
  if (!HasGraphs()) GTEST_SKIP() << LoadedStepGraphs().status().message();
  for (const Precision precision : {F32, TF32, BF16}) {
    const auto start = Train(GetParam(), {.precision = precision, .updates = 0});
    const auto single = Train(GetParam(), {.precision = precision, .graphs = false});
    const auto graphs = Train(GetParam(), {.precision = precision, .graphs = true});
    // Usually the same bits; a library may choose another kernel while it is recorded.
    EXPECT_LT(Distance(graphs, single), 5e-3 * Distance(single, start)) << Precision_Name(precision);
  }
}

TEST_P(CudaUpdate, RoundedProductsEndNearThoseInFloat) {
  const auto start = Train(GetParam(), {.updates = 0}), single = Train(GetParam(), {.updates = 1});
  EXPECT_LT(Distance(Train(GetParam(), {.precision = TF32, .updates = 1}), single), 0.05 * Distance(single, start));
  const auto bfloat = Train(GetParam(), {.precision = BF16, .updates = 1});
  EXPECT_GT(Distance(bfloat, single), 0.0);
  EXPECT_LT(Distance(bfloat, single), 0.25 * Distance(single, start));
}

TEST_P(CudaUpdate, ABatchBroughtAheadIsTrainedOnAsIfItWereNot) {
  EXPECT_EQ(Train(GetParam(), {.prefetch = true, .updates = 5}), Train(GetParam(), {.updates = 5}));
}

TEST_P(CudaUpdate, RepeatsItself) {
  for (const bool graphs : {false, true}) {
    EXPECT_EQ(Train(GetParam(), {.graphs = graphs}), Train(GetParam(), {.graphs = graphs}));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, CudaUpdate,
    testing::Values(
        Case{"PerAgent", "policy { sharing: PER_AGENT hidden_sizes: [40, 24] } critic { hidden_sizes: [48] }",
             "anneal_learning_rate: true final_entropy_coefficient: 0.1"},
        Case{"SharedTanh",
             "policy { agent_id_input: true hidden_sizes: [32] activation: TANH } critic { heads: EACH_AGENT "
             "hidden_sizes: [48] }",
             "value_loss: SQUARED"},
        Case{"LayerNorms",
             "policy { hidden_sizes: [16, 8] input_layer_norm: true hidden_layer_norm: true } critic { input: "
             "LOCAL_OBSERVATION heads: EACH_AGENT hidden_sizes: [40] input_layer_norm: true hidden_layer_norm: true }",
             "clip_value: false"},
        Case{"VTraceAndKl", "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }",
             "lag_correction: V_TRACE target_kl: 0.05"},
        Case{"WholeBatch", "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }",
             "lag_correction: DECOUPLED minibatch_size: 0 epochs: 8"}),
    [](const auto& info) { return info.param.name; });

class CudaArithmetic : public CudaUpdate {};

TEST_P(CudaArithmetic, SaysHowItMultipliesAndWhetherByGraphs) {
  const auto arithmetic = [&](const Way& way) {
    return CreateAlgorithm(ContextOf(GetParam(), way)).value()->arithmetic();
  };
  EXPECT_THAT(arithmetic({.precision = F32}), HasSubstr("float32, LibTorch"));
  EXPECT_THAT(arithmetic({.precision = FASTEST}), HasSubstr("TF32"));
  EXPECT_THAT(arithmetic({.precision = BF16}), HasSubstr("bfloat16"));
  EXPECT_THAT(arithmetic({.graphs = false}), HasSubstr("no CUDA graphs: compute.cuda_graphs is false"));
  EXPECT_THAT(arithmetic({}), HasSubstr(HasGraphs() ? "; CUDA graphs" : "no CUDA graphs: "));
}

INSTANTIATE_TEST_SUITE_P(Networks, CudaArithmetic,
                         testing::Values(Case{"Small", "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }",
                                              ""}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe
