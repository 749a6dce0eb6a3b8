// Simulated seconds per second of the built-in traffic simulator on one core: nine junctions, every decision with the
// agents' 17 features, masks and rewards, without inference. items_per_second counts simulated seconds.
//
//   traffic_grid_benchmark            goals: 100,000 with decisions every second, 400,000 with decisions every 5 s
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "actor_worker/environments/traffic/play_episode.h"
#include "actor_worker/environments/traffic/traffic_environment.h"

namespace troupe {

EnvironmentEntry TrafficGridEntry();

namespace {

// Holds each green for 15 s, then goes on to the next phase with waiting vehicles.
void ChooseActions(const TrafficEnvironment& environment, StepBuffers& buffers) {
  for (int a = 0; a < static_cast<int>(buffers.discrete[0].size()); ++a) {
    const uint8_t* const mask = buffers.observation.groups[0].action_mask.data() + 4 * a;
    const bool change = mask[kActionNext] != 0 &&
                        (environment.signal(environment.JunctionOf(0, a)).seconds_in_stage() >= 15 || mask[0] == 0);
    buffers.discrete[0][a] = change ? kActionNext : kActionKeep;
  }
}

void PlayHour(benchmark::State& state) {
  const auto created = TrafficGridEntry().create({{"decision_interval_seconds", std::to_string(state.range(0))},
                                                  {"vehicles_per_hour", std::to_string(state.range(1))}});
  auto& environment = dynamic_cast<TrafficEnvironment&>(**created);
  StepBuffers buffers(environment.spec());
  uint64_t seed = 0;
  for (auto _ : state) {
    if (!environment.Reset(seed++).ok()) state.SkipWithError("Reset failed");
    do {
      environment.Observe(buffers.observation);
      ChooseActions(environment, buffers);
      if (!environment.Step(buffers.action, buffers.outcome).ok()) state.SkipWithError("Step failed");
    } while (!buffers.outcome.truncated);
    benchmark::DoNotOptimize(buffers.outcome.rewards[0][0]);
  }
  state.SetItemsProcessed(state.iterations() * 3600);
}

BENCHMARK(PlayHour)
    ->ArgNames({"decision_seconds", "vehicles_per_hour"})
    ->ArgsProduct({{1, 5}, {1800, 3600, 5400, 7200}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace troupe
