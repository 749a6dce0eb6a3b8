// The service with the workers it was made for, in one process: what batches hold must not depend on how many workers
// there are.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "actor_worker/worker.h"
#include "common/base/random.h"
#include "common/config/experiment_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/learner_server_impl.h"
#include "tests/actor_worker/scripted_environment.h"
#include "tests/support/cutting_proxy.h"

namespace troupe {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

// Weights that depend on the version alone, as if training had made them.
std::shared_ptr<const PolicySnapshot> WeightsOf(const std::vector<PolicySpec>& policies, uint64_t version) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  RandomStream random(version);
  for (const PolicySpec& policy : policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      int64_t size = 1;
      for (const int64_t axis : parameter.shape) size *= axis;
      std::vector<float> values(size);
      for (float& value : values) value = random.Uniform() - 0.5f;
      weights->tensors.push_back(
          HostTensor::Float32(absl::StrCat(policy.group, "/", parameter.name), parameter.shape, values.data()));
    }
  }
  return weights;
}

class RealWorkerTest : public ::testing::Test {
 protected:
  static Experiment MakeExperiment(CollectionMode mode) {
    const auto experiment = ParseExperiment(
        "name: 'real' total_env_steps: 100000 environment { name: 'grid_world' }"
        "collection { num_shards: 6 copies_per_shard: 3 rollout_length: 40 reconnect_timeout_seconds: 20 }",
        "test", {absl::StrCat("collection.mode=", CollectionMode_Name(mode))});
    EXPECT_TRUE(experiment.ok()) << experiment.status();
    return *experiment;
  }

  // Batches of `updates` updates, collected by as many workers. `breaks`: at every update all connections are broken,
  // when the learner has taken what it says it has not; counts the chunks that came again.
  static std::vector<TrainingBatch> Collect(CollectionMode mode, int num_workers, int updates,
                                            double* breaks = nullptr) {
    Metrics metrics;
    LearnerServerOptions options;
    options.listen_address = "127.0.0.1:0";
    options.experiment = MakeExperiment(mode);
    options.expected_workers = num_workers;
    auto server = LearnerServer::Start(options, &metrics);
    EXPECT_TRUE(server.ok()) << server.status();
    (*server)->Open("real-run", std::nullopt);
    testing::CuttingProxy proxy((*server)->port());
    const int port = breaks == nullptr ? (*server)->port() : proxy.port();
    std::vector<std::thread> workers;
    for (int i = 0; i < num_workers; ++i) {
      workers.emplace_back([port] {
        Metrics worker_metrics;
        WorkerOptions worker_options;
        worker_options.learner_address = absl::StrCat("127.0.0.1:", port);
        EXPECT_EQ(RunWorker(worker_options, &worker_metrics), kWorkerDone);
      });
    }
    const auto environment = (*server)->WaitForEnvironment(kPatience);
    EXPECT_TRUE(environment.ok()) << environment.status();
    const auto policies = MakePolicySpecs(options.experiment, *environment);
    EXPECT_TRUE((*server)->Begin(*environment, *policies, WeightsOf(*policies, 0), {}).ok());
    std::vector<TrainingBatch> batches;
    for (int update = 0; update < updates; ++update) {
      if (breaks != nullptr) proxy.Hold();
      auto batch = (*server)->NextBatch(breaks == nullptr ? kPatience : absl::Milliseconds(200));
      if (!batch.ok()) {
        proxy.Release();
        batch = (*server)->NextBatch(kPatience);
      }
      if (!batch.ok()) {
        ADD_FAILURE() << batch.status();
        break;
      }
      if (breaks != nullptr) proxy.Cut();
      batches.push_back(*batch->batch);
      (*server)->Publish(WeightsOf(*policies, update + 1));
      (*server)->ReleaseBatch(*batch);
    }
    (*server)->Drain("enough", /*run_ended=*/true, kPatience);
    for (std::thread& worker : workers) worker.join();
    if (breaks != nullptr) *breaks = metrics.Counter("troupe_chunks_total", "", {{"result", "duplicate"}}).Value();
    return batches;
  }

  static void ExpectEqual(const TrainingBatch& a, const TrainingBatch& b) {
    ASSERT_EQ(a.groups.size(), b.groups.size());
    for (size_t g = 0; g < a.groups.size(); ++g) {
      EXPECT_TRUE(a.groups[g].observations == b.groups[g].observations);
      EXPECT_TRUE(a.groups[g].discrete_actions == b.groups[g].discrete_actions);
      EXPECT_TRUE(a.groups[g].log_probabilities == b.groups[g].log_probabilities);
      EXPECT_TRUE(a.groups[g].rewards == b.groups[g].rewards);
      EXPECT_TRUE(a.groups[g].action_masks == b.groups[g].action_masks);
      EXPECT_TRUE(a.groups[g].alive == b.groups[g].alive);
      EXPECT_TRUE(a.groups[g].final_observations == b.groups[g].final_observations);
    }
    EXPECT_TRUE(a.state_extras == b.state_extras);
    EXPECT_TRUE(a.terminated == b.terminated);
    EXPECT_TRUE(a.truncated == b.truncated);
    EXPECT_TRUE(a.truncated_at == b.truncated_at);
    EXPECT_TRUE(a.final_state_extras == b.final_state_extras);
    EXPECT_TRUE(a.policy_versions == b.policy_versions);
  }
};

class DeterministicModeTest : public RealWorkerTest, public ::testing::WithParamInterface<CollectionMode> {};

TEST_P(DeterministicModeTest, BatchesAreEqualBitForBitWhateverTheNumberOfWorkers) {
  constexpr int kUpdates = 8;
  const auto one = Collect(GetParam(), 1, kUpdates);
  ASSERT_EQ(one.size(), kUpdates);
  for (const int num_workers : {2, 4}) {
    const auto several = Collect(GetParam(), num_workers, kUpdates);
    ASSERT_EQ(several.size(), kUpdates);
    for (int update = 0; update < kUpdates; ++update) ExpectEqual(one[update], several[update]);
  }
  for (int update = 0; update < kUpdates; ++update) {
    const uint64_t version = GetParam() == SYNCHRONOUS || update == 0 ? update : update - 1;
    EXPECT_EQ(one[update].policy_versions, std::vector<uint64_t>(18, version));
  }
  EXPECT_FALSE(one[0].groups[0].observations == one[1].groups[0].observations);
}

INSTANTIATE_TEST_SUITE_P(Modes, DeterministicModeTest, ::testing::Values(SYNCHRONOUS, PIPELINED),
                         [](const auto& info) { return CollectionMode_Name(info.param); });

// What the learner has taken and could not say so comes again, and what it has not come at all: a chunk too many, too
// few or out of its place would make other batches.
TEST_F(RealWorkerTest, EveryChunkIsTrainedOnOnceThoughConnectionsBreak) {
  constexpr int kUpdates = 12;
  const auto undisturbed = Collect(PIPELINED, 1, kUpdates);
  double again = 0;
  const auto broken = Collect(PIPELINED, 3, kUpdates, &again);
  ASSERT_EQ(broken.size(), kUpdates);
  for (int update = 0; update < kUpdates; ++update) ExpectEqual(undisturbed[update], broken[update]);
  EXPECT_GT(again, 0) << "nothing came twice: this has shown nothing";
}

// Fails a lease in the middle of its first chunk, whatever its seed.
TEST_F(RealWorkerTest, AnEnvironmentThatFailsEveryTimeMakesTheRunHopeless) {
  Metrics metrics;
  LearnerServerOptions options;
  options.listen_address = "127.0.0.1:0";
  options.experiment = *ParseExperiment(
      "name: 'failing' total_env_steps: 1000 environment { name: 'scripted' settings { key: 'fault' value: 'error' } }"
      "collection { num_shards: 2 copies_per_shard: 1 rollout_length: 8 lease_timeout_seconds: 1 }",
      "test", {});
  auto server = LearnerServer::Start(options, &metrics);
  ASSERT_TRUE(server.ok()) << server.status();
  (*server)->Open("failing-run", std::nullopt);
  std::thread worker([port = (*server)->port()] {
    static const EnvironmentEntry entry = ScriptedEntry();
    Metrics worker_metrics;
    WorkerOptions worker_options;
    worker_options.learner_address = absl::StrCat("127.0.0.1:", port);
    worker_options.find_environment = [](const std::string&) -> absl::StatusOr<const EnvironmentEntry*> {
      return &entry;
    };
    EXPECT_EQ(RunWorker(worker_options, &worker_metrics), kWorkerDone);
  });
  const auto environment = (*server)->WaitForEnvironment(kPatience);
  EXPECT_TRUE(environment.ok()) << environment.status();
  const auto policies = MakePolicySpecs(options.experiment, *environment);
  EXPECT_TRUE((*server)->Begin(*environment, *policies, WeightsOf(*policies, 0), {}).ok());
  const absl::Time deadline = absl::Now() + kPatience;
  while ((*server)->health().ok() && absl::Now() < deadline) {
    EXPECT_FALSE((*server)->NextBatch(absl::Milliseconds(20)).ok());
  }
  EXPECT_THAT(std::string((*server)->health().message()), ::testing::HasSubstr("simulator is gone"));
  (*server)->Drain("enough", /*run_ended=*/true, kPatience);
  worker.join();
}

TEST_F(RealWorkerTest, AsynchronousBatchesAreFullAndWithinTheLag) {
  const auto batches = Collect(ASYNCHRONOUS, 3, 12);
  ASSERT_EQ(batches.size(), 12);
  for (size_t update = 0; update < batches.size(); ++update) {
    for (const uint64_t version : batches[update].policy_versions) {
      EXPECT_LE(version, update);
      EXPECT_LE(update - version, 4);
    }
  }
}

}  // namespace
}  // namespace troupe
