// That gradient steps never wait for the GPU. Skipped, in words, where there is no GPU.
#include "learner/arithmetic/gpu/gpu_arithmetic.h"

#include <gtest/gtest.h>

#include "common/base/random.h"
#include "learner/arithmetic/gpu/device.h"
#include "learner/arithmetic/objectives/clipped_policy.h"
#include "learner/arithmetic/objectives/clipped_value.h"

namespace troupe {
namespace {

constexpr int64_t kSteps = 96, kSlots = 3, kActions = 4, kSets = 2, kMinibatches = 8;

// An actor of two sets and a critic.
std::vector<NetworkPlan> Plans() {
  return {{.name = "actor",
           .stack = {.num_sets = kSets,
                     .input_size = 6,
                     .hidden_sizes = {16},
                     .output_size = kActions,
                     .hidden_layer_norm = true},
           .initial_key = 1,
           .rows_per_step = kSlots,
           .objective = std::make_shared<ClippedPolicyObjective>(0.2)},
          {.name = "critic",
           .stack = {.input_size = 9, .hidden_sizes = {32, 16}, .output_size = 1},
           .initial_key = 2,
           .objective = std::make_shared<ClippedValueObjective>(ValueLossSettings{})}};
}

void SendRandomRows(Arithmetic* arithmetic) {
  RandomStream random(5);
  arithmetic->BeginRows(nullptr);
  const RowMemory actor = arithmetic->Rows(0, kSteps, kSteps);
  for (int64_t i = 0; i < kSets * kSteps * kSlots * 6; ++i) actor.inputs[i] = static_cast<float>(random.Normal());
  std::fill_n(actor.masks, kSets * kSteps * kSlots * kActions, uint8_t{1});
  arithmetic->SendRows(0);
  const RowMemory critic = arithmetic->Rows(1, kSteps, kSteps);
  for (int64_t i = 0; i < kSteps * 9; ++i) critic.inputs[i] = static_cast<float>(random.Normal());
  arithmetic->SendRows(1);
  arithmetic->UseRows();
  float* row = arithmetic->fields(0);
  for (int64_t i = 0; i < kSets * kSteps * kSlots; ++i, row += PolicyRow::kCount) {
    row[PolicyRow::kAction] = static_cast<float>(random.Below(kActions));
    row[PolicyRow::kReferenceLogProb] = -1.4f;
    row[PolicyRow::kImportance] = 1;
    row[PolicyRow::kAdvantage] = static_cast<float>(random.Normal());
    row[PolicyRow::kAlive] = 1;
  }
  std::fill_n(arithmetic->fields(1), kSteps * ValueRow::kCount, 1.0f);
  for (const size_t network : {0, 1}) arithmetic->LoadFields(network);
}

TEST(CudaArithmetic, NoMinibatchWaitsForTheGpu) {
  ComputeSettings settings;
  settings.set_device(CUDA);
  const auto device = ChooseDevice(settings);
  if (!device.ok()) GTEST_SKIP() << device.status().message();
  const auto graphs = LoadedStepGraphs();
  if (!graphs.ok()) GTEST_SKIP() << graphs.status().message();
  for (const bool with_graphs : {false, true}) {
    SingleRank alone;
    GpuArithmetic::Options options;
    options.warn = [](const std::string& line) { ADD_FAILURE() << line; };
    if (with_graphs) options.make_graph = *graphs;
    GpuArithmetic arithmetic(Plans(), at::kCUDA, &alone, options);
    SendRandomRows(&arithmetic);
    Epoch epoch;
    epoch.minibatches.resize(kMinibatches);
    for (int64_t i = 0; i < kSteps; ++i) epoch.minibatches[i % kMinibatches].push_back(i);
    epoch.networks = {{.learning_rate = 1e-3, .denominators = std::vector<double>(kMinibatches * kSets, 12 * kSlots)},
                      {.learning_rate = 1e-3, .denominators = std::vector<double>(kMinibatches, 12)}};
    // Memory, libraries and graphs are set up here.
    arithmetic.RunEpoch(epoch);
    ASSERT_TRUE(ForbidDeviceWaits(true).ok());
    EXPECT_NO_THROW(arithmetic.RunEpoch(epoch));
    ASSERT_TRUE(ForbidDeviceWaits(false).ok());
    const UpdateFigures figures = arithmetic.TakeFigures();
    for (const std::vector<SetFigures>& network : figures) {
      for (const SetFigures& set : network) {
        EXPECT_EQ(set.steps, 2 * kMinibatches) << "every minibatch counts";
        EXPECT_EQ(set.skipped, 0);
      }
    }
  }
}

}  // namespace
}  // namespace troupe
