// One MAPPO update of the traffic scenario's size: nine per-agent actors 17-128-64-4, a team critic 155-256-256-128-1,
// 64 copies × 450 steps, minibatches of 2048 joint steps, two threads. Figures are environment steps trained per
// second.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "learner/networks/device.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kSteps = 450, kColumns = 64;

void BM_MappoUpdate(benchmark::State& state) {
  const std::string text =
      "policy { sharing: PER_AGENT hidden_sizes: [128, 64] } critic { hidden_sizes: [256, 256, 128] }"
      "collection { num_shards: 4 copies_per_shard: 16 rollout_length: 450 }"
      "ppo { epochs: " +
      std::to_string(state.range(0)) + " minibatch_size: 2048 }";
  AlgorithmContext context = MakeContext(text, {DiscreteGroup("junction", 9, 17, 4)}, 2);
  context.device = ChooseDevice(context.experiment.compute())->name;
  auto algorithm = CreateAlgorithm(context).value();
  const TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 1, /*ends=*/false);
  uint64_t update = 0;
  for (auto _ : state) {
    const auto statistics = algorithm->Update(batch, {.update = update++, .env_steps = 0, .total_env_steps = 1});
    if (!statistics.ok()) state.SkipWithError(std::string(statistics.status().message()).c_str());
  }
  state.SetItemsProcessed(state.iterations() * batch.env_steps());
}
BENCHMARK(BM_MappoUpdate)->Arg(1)->Arg(10)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace troupe
