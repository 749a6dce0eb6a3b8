// The same update on a CUDA GPU and on the CPU. Skipped, in words, where there is no GPU.
#include <gtest/gtest.h>

#include <cmath>

#include "learner/networks/device.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr char kExperiment[] =
    "policy { hidden_sizes: [32] } critic { hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 4 "
    "rollout_length: 12 } ppo { epochs: 3 minibatch_size: 16 actor_learning_rate: 0.003 critic_learning_rate: 0.003 }";

// The weights after three updates on random batches.
PolicyWeights TrainOn(const std::string& device) {
  AlgorithmContext context = MakeContext(kExperiment, {DiscreteGroup("cars", 3, 5, 4)}, 2);
  context.device = device;
  const auto algorithm = CreateAlgorithm(context);
  if (!algorithm.ok()) throw std::runtime_error(std::string(algorithm.status().message()));
  for (uint64_t update = 0; update < 3; ++update) {
    const auto statistics = (*algorithm)->Update(RandomBatch(context.environment, 12, 4, 100 + update, /*ends=*/true),
                                                 {.update = update, .env_steps = update * 48, .total_env_steps = 480});
    if (!statistics.ok()) throw std::runtime_error(std::string(statistics.status().message()));
  }
  return (*algorithm)->ExportPolicy(3);
}

class CudaUpdate : public testing::Test {
 protected:
  void SetUp() override {
    ComputeSettings settings;
    settings.set_device(CUDA);
    const auto device = ChooseDevice(settings);
    if (!device.ok()) GTEST_SKIP() << device.status().message();
  }
};

TEST_F(CudaUpdate, LearnsWhatTheCpuLearns) {
  const PolicyWeights cpu = TrainOn("cpu"), cuda = TrainOn("cuda");
  ASSERT_EQ(cpu.tensors.size(), cuda.tensors.size());
  for (size_t i = 0; i < cpu.tensors.size(); ++i) {
    for (int64_t k = 0; k < cpu.tensors[i].num_elements(); ++k) {
      ASSERT_NEAR(cpu.tensors[i].floats()[k], cuda.tensors[i].floats()[k], 2e-3) << cpu.tensors[i].name << " " << k;
    }
  }
}

TEST_F(CudaUpdate, RepeatsItself) { EXPECT_EQ(TrainOn("cuda").tensors, TrainOn("cuda").tensors); }

}  // namespace
}  // namespace troupe
