// Environment steps per second of smax on one core: 64 copies with uniformly random allowed actions, with observations,
// masks, global state and rewards, without inference. jaxmarl_smax_speed.py in peers/ measures jaxmarl the same way.
//
//   smax_benchmark            goal: 100 times jaxmarl's with 64 copies stepped from Python, on the same two cores
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/vector_environment.h"
#include "actor_worker/evaluation/episode_runner.h"

namespace troupe {

EnvironmentEntry SmaxEntry();

namespace {

constexpr int kCopies = 64;

void StepCopies(benchmark::State& state, const SettingsMap& settings) {
  static const EnvironmentEntry entry = SmaxEntry();
  const auto created = VectorEnvironment::Create(entry, settings, kCopies);
  if (!created.ok()) return state.SkipWithError(created.status().ToString().c_str());
  VectorEnvironment& environment = **created;
  EpisodeBuffers buffers(environment.spec(), kCopies);
  std::vector<uint8_t> terminated(kCopies), truncated(kCopies);
  ActionRow actions;
  OutcomeRow outcome = {{}, absl::MakeSpan(terminated), absl::MakeSpan(truncated)};
  for (EpisodeBuffers::Group& group : buffers.groups) {
    actions.groups.push_back({.discrete = group.discrete, .continuous = group.continuous});
    outcome.rewards.push_back(absl::MakeSpan(group.rewards));
  }
  RandomStream random(1);
  if (!environment.Start({.max_warm_up_steps = 20}, buffers.row).ok()) return state.SkipWithError("Start failed");
  for (auto _ : state) {
    for (EpisodeBuffers::Copy& copy : buffers.copies) {
      ChooseRandomActions(environment.spec(), random, copy.observation, copy.discrete, copy.continuous);
    }
    if (!environment.Step(actions, outcome, buffers.row).ok()) return state.SkipWithError("Step failed");
  }
  state.SetItemsProcessed(state.iterations() * kCopies);
}

BENCHMARK_CAPTURE(StepCopies, 3m, {{"map", "3m"}});
BENCHMARK_CAPTURE(StepCopies, 2s3z, {{"map", "2s3z"}});
BENCHMARK_CAPTURE(StepCopies, 27m_vs_30m, {{"map", "27m_vs_30m"}});
BENCHMARK_CAPTURE(StepCopies, smacv2_10_units_conic, {{"map", "smacv2_10_units"}, {"observations", "conic"}});

}  // namespace
}  // namespace troupe
