// How fast a full replay gives samples, on one core: of grid_world's sizes (two agents of twelve numbers, five actions)
// and of nine junctions' (traffic_grid). items_per_second counts joint steps. What is kept is many times what caches
// hold, unless the argument, MiB of the replay, is small.
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "learner/replay/replay_priorities.h"
#include "learner/replay/replay_sample.h"
#include "learner/replay/replay_sequences.h"
#include "tests/benchmarks/support/must.h"

namespace troupe {
namespace {

constexpr int kSteps = 32, kColumns = 32, kDrawn = 512;

struct Sizes {
  int agents, observed, actions, extras;
};
constexpr Sizes kGridWorld{2, 12, 5, 0}, kTrafficGrid{9, 17, 4, 2};

// Of `sizes`; episodes of 25 steps, agents that remember 32 numbers every 16 steps.
TrainingBatch MakeBatch(const Sizes& sizes, uint64_t number) {
  TrainingBatch batch;
  batch.rollout_length = kSteps;
  batch.columns = kColumns;
  const size_t acted = kSteps * kColumns, seen = acted + kColumns;
  batch.state_extras.assign(seen * sizes.extras, 0.5f);
  batch.terminated.assign(acted, 0);
  batch.truncated.assign(acted, 0);
  for (size_t cell = 0; cell < acted; ++cell) batch.terminated[cell] = (cell * 7 + number) % 25 == 0;
  GroupBatch& group = batch.groups.emplace_back();
  group.observations.assign(seen * sizes.agents * sizes.observed, 0.25f);
  group.action_masks.assign(seen * sizes.agents * sizes.actions, 1);
  group.alive.assign(seen * sizes.agents, 1);
  group.discrete_actions.assign(acted * sizes.agents, 1);
  group.rewards.assign(acted * sizes.agents, 1.0f);
  group.network_states.assign(size_t{2} * kColumns * sizes.agents * 32, 0.1f);
  batch.policy_versions.assign(kColumns, number);
  for (int column = 0; column < kColumns; ++column) {
    batch.streams.push_back({.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = 1, .sequence = number});
  }
  return batch;
}

ReplayStore FullStore(const Sizes& sizes, int64_t bytes) {
  ReplayStore store(bytes);
  for (uint64_t number = 0; store.first() == 0; ++number) {
    const TrainingBatch batch = MakeBatch(sizes, number);
    testing::Must(store.Add(batch, ReplayStore::Bytes(batch)));
  }
  return store;
}

constexpr ReplayShare kAll{0, kColumns, kColumns};

void SampleSteps(benchmark::State& state, const Sizes& sizes, int n_step) {
  const ReplayStore store = FullStore(sizes, state.range(0) << 20);
  uint64_t key = 0;
  for (auto _ : state) {
    ReplaySample sample = GatherSample(store, store.Draw(++key, kDrawn, kAll), {.n = n_step, .discount = 0.99});
    benchmark::DoNotOptimize(sample);
  }
  state.SetItemsProcessed(state.iterations() * kDrawn);
}

void BM_GridWorld(benchmark::State& state) { SampleSteps(state, kGridWorld, 1); }
void BM_GridWorldThreeSteps(benchmark::State& state) { SampleSteps(state, kGridWorld, 3); }
void BM_TrafficGrid(benchmark::State& state) { SampleSteps(state, kTrafficGrid, 1); }

void BM_GridWorldPrioritised(benchmark::State& state) {
  const ReplayStore store = FullStore(kGridWorld, state.range(0) << 20);
  SingleRank alone;
  const auto batches = static_cast<int64_t>(store.end() - store.first());
  ReplayPriorities priorities({.exponent = 0.6}, batches, kSteps, kColumns);
  for (uint64_t number = store.first(); number < store.end(); ++number) priorities.Add(number, store.first(), &alone);
  uint64_t key = 0;
  for (auto _ : state) {
    const ReplayPriorities::Draws draws = priorities.Draw(++key, kDrawn, 0.5, kAll, &alone);
    ReplaySample sample = GatherSample(store, draws.places, {.n = 1, .discount = 0.99});
    benchmark::DoNotOptimize(sample);
    for (size_t i = 0; i < draws.places.size(); ++i) priorities.Set(draws.places[i], draws.weights[i]);
  }
  state.SetItemsProcessed(state.iterations() * kDrawn);
}

void BM_GridWorldSequences(benchmark::State& state) {
  const ReplayStore store = FullStore(kGridWorld, state.range(0) << 20);
  constexpr int kLength = 32, kEvery = 16;
  uint64_t key = 0;
  for (auto _ : state) {
    SequenceSample sample =
        GatherSequences(store, store.Draw(++key, kDrawn / kLength, kAll, kEvery),
                        {.length = kLength, .recorded_every = kEvery, .returns = {.n = 1, .discount = 0.99}});
    benchmark::DoNotOptimize(sample);
  }
  state.SetItemsProcessed(state.iterations() * kDrawn);
}

void BM_Add(benchmark::State& state) {
  ReplayStore store = FullStore(kGridWorld, state.range(0) << 20);
  const TrainingBatch batch = MakeBatch(kGridWorld, 0);
  const int64_t bytes = ReplayStore::Bytes(batch);
  for (auto _ : state) testing::Must(store.Add(batch, bytes));
  state.SetItemsProcessed(state.iterations() * batch.env_steps());
}

BENCHMARK(BM_GridWorld)->Arg(1)->Arg(16)->Arg(256);
BENCHMARK(BM_GridWorldThreeSteps)->Arg(256);
BENCHMARK(BM_TrafficGrid)->Arg(256);
BENCHMARK(BM_GridWorldPrioritised)->Arg(1)->Arg(256);
BENCHMARK(BM_GridWorldSequences)->Arg(1)->Arg(256);
BENCHMARK(BM_Add)->Arg(256);

}  // namespace
}  // namespace troupe
