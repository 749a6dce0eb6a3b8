// That gradient steps never wait for the GPU. Skipped, in words, where there is no GPU.
#include "learner/arithmetic/gpu/device_step.h"

#include <gtest/gtest.h>

#include "learner/arithmetic/gpu/device.h"
#include "learner/arithmetic/gpu/device_stream.h"
#include "learner/arithmetic/gpu/step_graph.h"

namespace troupe {
namespace {

constexpr int64_t kSteps = 96, kSlots = 3;

// An actor of two sets and a critic, on random rows.
struct Networks {
  Networks()
      : actor({.num_sets = 2, .input_size = 6, .hidden_sizes = {16}, .output_size = 4, .hidden_layer_norm = true}, 1,
              at::kCUDA),
        critic({.input_size = 9, .hidden_sizes = {32, 16}, .output_size = 1}, 2, at::kCUDA),
        actor_adam(actor.parameters(), {}),
        critic_adam(critic.parameters(), {}) {}

  std::vector<DeviceNetwork::Spec> Specs() {
    return {{.stack = &actor, .optimizer = &actor_adam, .rows_per_step = kSlots, .is_policy = true},
            {.stack = &critic, .optimizer = &critic_adam}};
  }
  static at::Tensor Random(at::IntArrayRef sizes) { return at::rand(sizes, at::TensorOptions().device(at::kCUDA)); }
  void Load(DeviceStep* step) const {
    const at::Tensor fields = Random({2, kSteps, kSlots, PolicyRow::kCount});
    fields.select(-1, PolicyRow::kAction).mul_(4).floor_().clamp_(0, 3);
    fields.select(-1, PolicyRow::kReferenceLogProb).sub_(2);
    fields.select(-1, PolicyRow::kAlive).fill_(1);
    step->Load(0, {.inputs = Random({2, kSteps, kSlots * 6}),
                   .masks = at::ones({2, kSteps, kSlots * 4}, at::TensorOptions().dtype(at::kByte).device(at::kCUDA)),
                   .fields = fields.flatten(2)});
    step->Load(1, {.inputs = Random({1, kSteps, 9}), .fields = at::ones_like(Random({1, kSteps, ValueRow::kCount}))});
  }

  DenseStack actor, critic;
  FlatAdam actor_adam, critic_adam;
};

TEST(CudaDeviceStep, NoMinibatchWaitsForTheGpu) {
  ComputeSettings settings;
  settings.set_device(CUDA);
  const auto device = ChooseDevice(settings);
  if (!device.ok()) GTEST_SKIP() << device.status().message();
  const auto graphs = LoadedStepGraphs();
  if (!graphs.ok()) GTEST_SKIP() << graphs.status().message();
  for (const bool with_graphs : {false, true}) {
    Networks networks;
    SingleRank alone;
    DeviceStep::Options options;
    options.warn = [](const std::string& line) { ADD_FAILURE() << line; };
    if (with_graphs) options.make_graph = *graphs;
    const DeviceStream stream(at::kCUDA);
    const DeviceStream::Scope scope(stream);
    DeviceStep step(networks.Specs(), at::kCUDA, &alone, options);
    networks.Load(&step);
    UpdateTotals totals = step.ClearTotals();
    totals.actor_learning_rate = totals.critic_learning_rate = 1e-3;
    std::vector<std::vector<int64_t>> minibatches(8);
    for (int64_t i = 0; i < kSteps; ++i) minibatches[i % 8].push_back(i);
    const std::vector<std::vector<double>> denominators(8, {2 * 12 * kSlots, 12});
    // Memory, libraries and graphs are set up here.
    step.RunEpoch(minibatches, denominators, totals);
    ASSERT_TRUE(ForbidDeviceWaits(true).ok());
    EXPECT_NO_THROW(step.RunEpoch(minibatches, denominators, totals));
    ASSERT_TRUE(ForbidDeviceWaits(false).ok());
    EXPECT_EQ(totals.actor[PolicyLossSum::kCount + 1].item<float>(), 16.0f) << "every minibatch counts";
    EXPECT_EQ(totals.skipped.item<float>(), 0.0f);
  }
}

}  // namespace
}  // namespace troupe
