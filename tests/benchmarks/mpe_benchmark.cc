// Environment steps per second of the particle environments on one core: random actions, observations, masks and
// rewards of all agents, episodes of 25 steps. items_per_second counts environment steps.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/registry/registry.h"
#include "common/base/random.h"

namespace troupe {
namespace {

void PlayEpisodes(benchmark::State& state, const std::string& scenario) {
  const auto created = (*FindEnvironment(scenario))->create({});
  Environment& environment = **created;
  EpisodeBuffers buffers(environment.spec(), 1);
  EpisodeBuffers::Copy& copy = buffers.copies[0];
  RandomStream random(1);
  uint64_t seed = 0;
  int64_t steps = 0;
  for (auto _ : state) {
    if (!environment.Reset(seed++).ok()) state.SkipWithError("Reset failed");
    do {
      environment.Observe(copy.observation);
      for (size_t g = 0; g < copy.discrete.size(); ++g) {
        for (int32_t& action : copy.discrete[g]) action = random.Below(environment.spec().groups[g].action_size);
      }
      if (!environment.Step(copy.action, copy.outcome).ok()) state.SkipWithError("Step failed");
      ++steps;
    } while (!copy.outcome.truncated);
    benchmark::DoNotOptimize(copy.outcome.rewards[0][0]);
  }
  state.SetItemsProcessed(steps);
}

BENCHMARK_CAPTURE(PlayEpisodes, simple_spread, "simple_spread");
BENCHMARK_CAPTURE(PlayEpisodes, simple_tag, "simple_tag");
BENCHMARK_CAPTURE(PlayEpisodes, simple_adversary, "simple_adversary");
BENCHMARK_CAPTURE(PlayEpisodes, simple_speaker_listener, "simple_speaker_listener");
BENCHMARK_CAPTURE(PlayEpisodes, simple_reference, "simple_reference");

}  // namespace
}  // namespace troupe
