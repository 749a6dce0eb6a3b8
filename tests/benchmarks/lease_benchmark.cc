// What the table of leases costs under the session's lock, by workers and shards: a chunk admitted, a worker that
// joins, and the shards of all workers as a status page asks for them. One core.
#include <string>

#include "benchmark/benchmark.h"
#include "learner/ingest/lease_table.h"

namespace troupe {
namespace {

const SteadyTime kNow;

std::string WorkerId(int64_t number) { return "worker-" + std::to_string(number) + "-0123abcd"; }

// All connected, with all shards leased.
LeaseTable FullTable(int64_t workers, int64_t shards) {
  LeaseTable table(
      {.num_shards = static_cast<int>(shards), .expected_workers = static_cast<int>(workers), .own_shards = {}});
  table.Open({}, 0, kNow);
  for (int64_t i = 0; i < workers; ++i) {
    table.AddWorker(WorkerId(i), 4096, kNow);
    table.Connect(WorkerId(i), kNow);
    table.TakeChanges(kNow);
  }
  return table;
}

void Chunk(benchmark::State& state) {
  LeaseTable table = FullTable(state.range(0), state.range(1));
  uint32_t shard = 0;
  for (auto _ : state) {
    table.Advance(shard, kNow);
    shard = (shard + 1) % static_cast<uint32_t>(state.range(1));
  }
}

void Join(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(FullTable(state.range(0), state.range(1)));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void ShardsOfAllWorkers(benchmark::State& state) {
  const LeaseTable table = FullTable(state.range(0), state.range(1));
  for (auto _ : state) {
    for (int64_t i = 0; i < state.range(0); ++i) benchmark::DoNotOptimize(table.shards_of(WorkerId(i)));
  }
}

void Sizes(benchmark::internal::Benchmark* of) {
  for (const int64_t workers : {10, 100, 1000}) of->Args({workers, 4096});
}
BENCHMARK(Chunk)->Apply(Sizes);
BENCHMARK(Join)->Apply(Sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(ShardsOfAllWorkers)->Apply(Sizes)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace troupe
