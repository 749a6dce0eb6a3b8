// Many worker connections on one learner, each with a small shard: nobody is starved.
#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "common/config/experiment_loader.h"
#include "gtest/gtest.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/replay_learner.h"
#include "tests/benchmarks/support/synthetic_workers.h"

namespace troupe::testing {
namespace {

constexpr int kWorkers = 64;

Experiment SmallShards(const std::string& mode) {
  return Must(ParseExperiment(
      absl::StrCat("name: 'many' total_env_steps: 1000000000 environment { name: 'grid_world' }"
                   "collection { mode: ",
                   mode, " num_shards: ", kWorkers, " copies_per_shard: 2 rollout_length: 32 }",
                   "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] } compute { device: CPU }"),
      "many_workers_test", {}));
}

// Chunks of each worker in about `batches` batches of a chunk per worker.
std::vector<uint64_t> ChunksByWorker(const std::string& mode, uint64_t batches) {
  ReplayLearner learner(SmallShards(mode), kWorkers);
  std::thread workers([port = learner.port()] { SyntheticWorkers({.port = port, .workers = kWorkers}).Run(); });
  learner.Begin(/*train=*/true);
  const absl::Time deadline = absl::Now() + absl::Seconds(100);
  while (learner.batches() < batches && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_GE(learner.batches(), batches) << "training stood still";
  const std::vector<uint64_t> chunks = learner.chunks_by_worker();
  learner.Drain();
  workers.join();
  return chunks;
}

// First come, first trained: nothing but the service's own order keeps a worker from falling behind.
TEST(ManyWorkersTest, NoneStarvesWhereTheFirstToComeIsTrainedOn) {
  const std::vector<uint64_t> chunks = ChunksByWorker("ASYNCHRONOUS", 60);
  ASSERT_EQ(chunks.size(), kWorkers);
  const auto [slowest, fastest] = std::ranges::minmax(chunks);
  EXPECT_GE(slowest * 2, fastest) << "slowest " << slowest << ", fastest " << fastest << " chunks";
}

TEST(ManyWorkersTest, EveryShardComesOncePerBatchInADeterministicMode) {
  const std::vector<uint64_t> chunks = ChunksByWorker("PIPELINED", 30);
  ASSERT_EQ(chunks.size(), kWorkers);
  const auto [slowest, fastest] = std::ranges::minmax(chunks);
  EXPECT_GE(slowest, 30);
  EXPECT_LE(fastest, slowest + 3);
}

}  // namespace
}  // namespace troupe::testing
