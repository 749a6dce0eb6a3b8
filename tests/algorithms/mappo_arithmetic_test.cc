// The same training on every path the processor allows: LibTorch's autograd, blocks in float32 (of AVX2 and of AVX-512)
// and blocks in bfloat16 (of AVX-512 and of AMX).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <map>

#include "common/base/host_tensor.h"
#include "learner/arithmetic/blocks/block_kernels.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/host/cpu_features.h"
#include "tests/algorithms/acted_batch.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// TROUPE_CPU for as long as it lives.
class CpuLimit {
 public:
  explicit CpuLimit(const char* limit) { setenv("TROUPE_CPU", limit, /*overwrite=*/1); }
  ~CpuLimit() { unsetenv("TROUPE_CPU"); }
};

AlgorithmContext Context(const std::string& networks, Precision precision) {
  AlgorithmContext context =
      MakeContext(networks +
                      " collection { num_shards: 1 copies_per_shard: 4 rollout_length: 48 } ppo { epochs: 2 "
                      "minibatch_size: 40 actor_learning_rate: 0.001 critic_learning_rate: 0.001 "
                      "max_gradient_norm: 0.5 }",
                  {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 17, 3)}, 2);
  context.experiment.mutable_compute()->set_precision(precision);
  return context;
}

// Everything there is to know after `updates` updates.
std::vector<float> Train(const AlgorithmContext& context, uint64_t updates) {
  const auto algorithm = CreateAlgorithm(context).value();
  for (uint64_t update = 0; update < updates; ++update) {
    const auto statistics = algorithm->Update(RandomBatch(context.environment, 48, 4, 100 + update),
                                              {.update = update, .env_steps = update * 192, .total_env_steps = 1920});
    EXPECT_TRUE(statistics.ok()) << statistics.status();
  }
  std::vector<float> parameters;
  for (const HostTensor& tensor : algorithm->SaveState()) {
    if (tensor.data_type != DataType::kFloat32 || tensor.name.find("adam") != std::string::npos) continue;
    parameters.insert(parameters.end(), tensor.floats(), tensor.floats() + tensor.num_elements());
  }
  return parameters;
}

double Distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(squares);
}

class MappoArithmetic : public ::testing::TestWithParam<std::string> {
 protected:
  void TearDown() override { SetComputeThreads(1); }
};

// One update is ten gradient steps of every network.
TEST_P(MappoArithmetic, TenGradientStepsEndWhereLibTorchsEnd) {
  if (BlockKernelsF32() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  const AlgorithmContext context = Context(GetParam(), F32);
  const auto train = [&](const char* limit, const char* arithmetic, uint64_t updates) {
    const CpuLimit limited(limit);
    EXPECT_THAT(CreateAlgorithm(context).value()->arithmetic(), HasSubstr(arithmetic));
    return Train(context, updates);
  };
  const std::vector<float> start = train("none", "LibTorch", 0), reference = train("none", "LibTorch", 1);
  const double way = Distance(reference, start);
  EXPECT_LT(Distance(train("nothing", "fast f32", 1), reference), 2e-3 * way);
  EXPECT_LT(Distance(train("avx2", "AVX2 blocks", 1), reference), 2e-3 * way);
}

TEST_P(MappoArithmetic, BfloatStepsEndNearThoseInFloat) {
  if (BlockKernelsBf16() == nullptr) GTEST_SKIP() << "this processor has no AVX512_BF16";
  const AlgorithmContext bfloat = Context(GetParam(), BF16), single = Context(GetParam(), F32);
  const std::vector<float> start = Train(single, 0), reference = Train(single, 1);
  for (const char* limit : {"bf16", "nothing"}) {  // without AMX, and with it where it is there
    const CpuLimit limited(limit);
    ASSERT_THAT(CreateAlgorithm(bfloat).value()->arithmetic(), HasSubstr("fast bf16"));
    const std::vector<float> blocks = Train(bfloat, 1);
    EXPECT_GT(Distance(blocks, reference), 0.0);
    EXPECT_LT(Distance(blocks, reference), 0.2 * Distance(reference, start));
  }
}

TEST_P(MappoArithmetic, GivesTheSameBitsOnAnyNumberOfThreads) {
  std::vector<AlgorithmContext> contexts = {Context(GetParam(), F32), Context(GetParam(), F32)};
  contexts[1].arithmetic.overrides.autograd = true;
  if (BlockKernelsBf16() != nullptr) contexts.push_back(Context(GetParam(), BF16));
  for (const AlgorithmContext& context : contexts) {
    const std::vector<float> one = Train(context, 2);
    for (const int threads : {2, 3}) {
      SetComputeThreads(threads);
      EXPECT_EQ(Train(context, 2), one) << threads;
    }
    SetComputeThreads(1);
  }
}

// A policy's ratio to itself is 1: what acted and what is trained are the same function, in every arithmetic.
TEST_P(MappoArithmetic, TheFirstMinibatchOfAnUpdateHasMovedNothingYet) {
  std::vector<AlgorithmContext> contexts = {Context(GetParam(), F32), Context(GetParam(), F32),
                                            Context(GetParam(), F32)};
  contexts[1].arithmetic.overrides.autograd = true;
  contexts[2].arithmetic.overrides.gpu_on_cpu = true;
  if (BlockKernelsBf16() != nullptr) contexts.push_back(Context(GetParam(), BF16));
  for (const AlgorithmContext& context : contexts) {
    const auto algorithm = CreateAlgorithm(context).value();
    TrainingBatch batch = RandomBatch(context.environment, 48, 4, 7);
    ActOut(*algorithm, context, &batch);
    const auto statistics = algorithm->Update(batch, {.total_env_steps = 1920});
    ASSERT_TRUE(statistics.ok());
    const std::map<std::string, double> values(statistics->values.begin(), statistics->values.end());
    EXPECT_LT(values.at("first_approx_kl"), 1e-4) << algorithm->arithmetic();
    EXPECT_EQ(values.at("first_clip_fraction"), 0.0) << algorithm->arithmetic();
    EXPECT_GT(values.at("approx_kl"), 2 * values.at("first_approx_kl")) << "later ones have";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, MappoArithmetic,
    ::testing::Values(
        "policy { sharing: PER_AGENT hidden_sizes: [40, 24] } critic { hidden_sizes: [48] }",
        "policy { sharing: SHARED agent_id_input: true hidden_sizes: [33] } critic { heads: EACH_AGENT hidden_sizes: "
        "[48] }",
        "policy { hidden_sizes: [16] activation: TANH } critic { input: LOCAL_OBSERVATION heads: EACH_AGENT "
        "hidden_sizes: [40] activation: TANH }",
        "policy { hidden_sizes: [16] } critic { input: AGENT_SPECIFIC_STATE heads: EACH_AGENT hidden_sizes: [40, 8] "
        "}",
        "policy { sharing: PER_AGENT hidden_sizes: [40, 24] input_layer_norm: true hidden_layer_norm: true } critic { "
        "hidden_sizes: [48, 33] input_layer_norm: true hidden_layer_norm: true }",
        "policy { hidden_sizes: [16] activation: TANH hidden_layer_norm: true } critic { input: LOCAL_OBSERVATION "
        "heads: EACH_AGENT hidden_sizes: [40] input_layer_norm: true }"));

constexpr char kPlain[] = "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] }";
constexpr char kNorms[] = "policy { hidden_sizes: [16] hidden_layer_norm: true } critic { hidden_sizes: [16] }";

TEST(ArithmeticChoice, FollowsTheProcessor) {
  {
    const CpuLimit limit("none");
    EXPECT_EQ(CreateAlgorithm(Context(kPlain, F32)).value()->arithmetic(), "float32, LibTorch");
    EXPECT_EQ(CreateAlgorithm(Context(kPlain, FASTEST)).value()->arithmetic(), "float32, LibTorch");
    Train(Context(kPlain, F32), 1);
    EXPECT_EQ(CreateAlgorithm(Context(kPlain, BF16)).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  if (BlockKernelsF32() == nullptr) GTEST_SKIP() << "this processor has no AVX2";
  {
    const CpuLimit limit("avx2");
    EXPECT_THAT(CreateAlgorithm(Context(kPlain, F32)).value()->arithmetic(), HasSubstr("fast f32: float32 in AVX2"));
    EXPECT_THAT(CreateAlgorithm(Context(kPlain, FASTEST)).value()->arithmetic(), HasSubstr("fast f32"));
    EXPECT_EQ(CreateAlgorithm(Context(kPlain, BF16)).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  if (BlockKernelsF32() == BlockKernelsF32Avx2()) GTEST_SKIP() << "this processor has no AVX-512";
  {
    const CpuLimit limit("avx512");
    EXPECT_THAT(CreateAlgorithm(Context(kPlain, F32)).value()->arithmetic(), HasSubstr("fast f32"));
    EXPECT_THAT(CreateAlgorithm(Context(kPlain, FASTEST)).value()->arithmetic(), HasSubstr("fast f32"));
    EXPECT_THAT(std::string(CreateAlgorithm(Context(kPlain, BF16)).status().message()),
                AllOf(HasSubstr("compute.precision is BF16"), HasSubstr("AVX512_BF16")));
  }
  EXPECT_THAT(CreateAlgorithm(Context(kPlain, F32)).value()->arithmetic(), HasSubstr("fast f32: float32 in AVX-512"));
  if (BlockKernelsBf16() == nullptr) GTEST_SKIP() << "this processor has no AVX512_BF16";
  EXPECT_THAT(CreateAlgorithm(Context(kPlain, FASTEST)).value()->arithmetic(),
              HasSubstr(CpuFavoursBf16() ? "fast bf16" : "fast f32"));
  if (BlockKernelsAmx() == nullptr) GTEST_SKIP() << "this processor has no AMX";
  EXPECT_THAT(CreateAlgorithm(Context(kPlain, BF16)).value()->arithmetic(), HasSubstr("AMX"));
  const CpuLimit limit("bf16");
  EXPECT_THAT(CreateAlgorithm(Context(kPlain, BF16)).value()->arithmetic(), HasSubstr("AVX-512"));
}

TEST(ArithmeticChoice, IsTheSameForNetworksWithLayerNorms) {
  for (const char* limit : {"none", "avx2", "avx512", "bf16", "nothing"}) {
    const CpuLimit limited(limit);
    for (const Precision precision : {F32, BF16, FASTEST}) {
      const auto plain = CreateAlgorithm(Context(kPlain, precision)),
                 norms = CreateAlgorithm(Context(kNorms, precision));
      ASSERT_EQ(norms.status(), plain.status());
      if (!plain.ok()) continue;
      EXPECT_EQ((*norms)->arithmetic(), (*plain)->arithmetic());
    }
  }
}

}  // namespace
}  // namespace troupe
