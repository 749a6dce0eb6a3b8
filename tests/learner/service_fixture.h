// A learner's service on a free port with a clock that stands still until told, and hand-written workers.
#ifndef TROUPE_TESTS_LEARNER_SERVICE_FIXTURE_H_
#define TROUPE_TESTS_LEARNER_SERVICE_FIXTURE_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/threads/timed_wait.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/service/learner_server_impl.h"
#include "tests/support/chunk_maker.h"
#include "tests/support/fake_worker.h"

namespace troupe::testing {

inline constexpr ChunkShape kServiceShape{4, 3};
inline constexpr char kRunId[] = "run-7";

class ServiceTest : public ::testing::Test {
 protected:
  struct Setup {
    CollectionMode mode = PIPELINED;
    uint32_t num_shards = 2;
    int expected_workers = 1;
    uint32_t max_policy_lag = 1;
    int max_workers = 8;
    int max_workers_per_peer = 8;
    uint64_t first_version = 0;
    bool begin = true;
    double reconnect_timeout_seconds = 20;
  };

  static EnvironmentSpec Spec() { return TwoGroupSpec(); }

  static std::shared_ptr<const PolicySnapshot> Weights(uint64_t version) {
    auto weights = std::make_shared<PolicySnapshot>();
    weights->policy_version = version;
    const float value = static_cast<float>(version);
    weights->tensors.push_back(HostTensor::Float32("walkers/output.bias", {1}, &value));
    return weights;
  }

  LearnerServerOptions Options(const Setup& setup) {
    LearnerServerOptions options;
    options.listen_address = "127.0.0.1:0";
    options.log = [this](const std::string& line) {
      absl::MutexLock lock(&log_mutex_);
      absl::StrAppend(&log_, line, "\n");
    };
    options.expected_workers = setup.expected_workers;
    options.max_workers = setup.max_workers;
    options.max_workers_per_peer = setup.max_workers_per_peer;
    options.experiment.set_name("test");
    options.experiment.set_total_env_steps(1000);
    CollectionSettings* const collection = options.experiment.mutable_collection();
    collection->set_mode(setup.mode);
    collection->set_num_shards(setup.num_shards);
    collection->set_copies_per_shard(kServiceShape.copies);
    collection->set_rollout_length(kServiceShape.rollout_length);
    collection->set_max_policy_lag(setup.max_policy_lag);
    collection->set_lease_timeout_seconds(20);
    collection->set_reconnect_timeout_seconds(setup.reconnect_timeout_seconds);
    return options;
  }

  void StartServer(const Setup& setup) {
    auto server = LearnerServerImpl::Start(Options(setup), &metrics_,
                                           [this] { return SteadyTime() + absl::Milliseconds(clock_ms_.load()); });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->Open(kRunId, std::nullopt);
    if (!setup.begin) return;
    const absl::Status status = server_->Begin(Spec(), {}, Weights(setup.first_version), {});
    ASSERT_TRUE(status.ok()) << status;
  }

  // Moves the clock; the maintenance thread sees it within its period.
  void Advance(absl::Duration duration) { clock_ms_ += absl::ToInt64Milliseconds(duration); }

  // Registered, with an open stream.
  std::unique_ptr<FakeWorker> Join(uint32_t max_shards = 100) {
    auto worker = std::make_unique<FakeWorker>(server_->port());
    const grpc::Status status = worker->Register(FakeWorker::Registration(Spec(), kRunId, max_shards));
    EXPECT_TRUE(status.ok()) << status.error_message();
    worker->OpenStream();
    return worker;
  }

  static wire::Chunk Chunk(ChunkIdentity identity) {
    return MakeChunk(Spec(), kServiceShape, identity, 1000 * identity.shard + identity.sequence);
  }

  // Sends the chunk and expects it dealt with as `result`.
  static void ExpectResult(FakeWorker& worker, ChunkIdentity identity, wire::ChunkResult result) {
    ASSERT_TRUE(worker.SendChunk(Chunk(identity)));
    const auto acknowledgement = worker.ReadAcknowledgement();
    ASSERT_TRUE(acknowledgement.has_value());
    EXPECT_EQ(acknowledgement->shard(), identity.shard);
    EXPECT_EQ(acknowledgement->lease_epoch(), identity.lease_epoch);
    EXPECT_EQ(acknowledgement->sequence(), identity.sequence);
    EXPECT_EQ(acknowledgement->result(), result) << wire::ChunkResult_Name(acknowledgement->result());
  }

  void TrainAndPublish(uint64_t expected_update) {
    const auto batch = server_->NextBatch(kPatience);
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->update, expected_update);
    server_->Publish(Weights(expected_update + 1));
    server_->ReleaseBatch(*batch);
  }

  // Waits until the learner has said `text`.
  bool Says(const std::string& text) {
    absl::MutexLock lock(&log_mutex_);
    const auto said = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_mutex_) { return absl::StrContains(log_, text); };
    return AwaitFor(log_mutex_, absl::Condition(&said), kPatience);
  }

  double Counter(const std::string& name, const MetricLabels& labels) {
    return metrics_.Counter(name, "", labels).Value();
  }

  std::atomic<int64_t> clock_ms_ = 0;
  absl::Mutex log_mutex_;
  std::string log_ ABSL_GUARDED_BY(log_mutex_);
  Metrics metrics_;
  std::unique_ptr<LearnerServerImpl> server_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTS_LEARNER_SERVICE_FIXTURE_H_
