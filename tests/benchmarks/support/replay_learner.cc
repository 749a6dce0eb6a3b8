#include "tests/benchmarks/support/replay_learner.h"

#include <utility>

#include "common/wire/chunk_layout.h"
#include "tests/benchmarks/support/must.h"
#include "tests/benchmarks/support/recorded_chunk.h"

namespace troupe::testing {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

}  // namespace

ReplayLearner::ReplayLearner(const Experiment& experiment, int workers, const ServerSecurity& security)
    : experiment_(experiment) {
  LearnerServerOptions options;
  options.security = security;
  options.listen_address = "127.0.0.1:0";
  options.experiment = experiment;
  options.expected_workers = workers;
  options.expected_workers_patience = kPatience;
  options.max_workers = options.max_workers_per_peer = workers;
  server_ = Must(LearnerServer::Start(options, &metrics_));
  server_->Open("benchmark", std::nullopt);
}

ReplayLearner::~ReplayLearner() {
  Drain();
  training_.Join();
}

void ReplayLearner::Begin(bool train) {
  environment_ = Must(server_->WaitForEnvironment(kPatience));
  policies_ = Must(MakePolicySpecs(experiment_, environment_));
  const ChunkShape shape = ChunkShapeOf(experiment_, policies_);
  wire::Chunk chunk;
  AllocateChunk(environment_, shape, &chunk);
  chunk_bytes_ = chunk.ByteSizeLong();
  weights_ = RandomPolicies(policies_);
  Must(server_->Begin(environment_, policies_, weights_, {}));
  if (train) training_ = NamedThread("training", [this] { Train(); });
}

void ReplayLearner::Train() {
  while (true) {
    const absl::StatusOr<AssembledBatch> batch = server_->NextBatch(kPatience);
    if (!batch.ok()) return;
    Publish();
    server_->ReleaseBatch(*batch);
    server_->TakeFinishedEpisodes();
    ++batches_;
  }
}

// The same numbers under the next version; what was published before is no longer read by then.
void ReplayLearner::Publish() {
  auto next = std::make_shared<PolicySnapshot>(*weights_);
  next->policy_version += 1;
  weights_ = next;
  server_->Publish(std::move(next));
}

uint64_t ReplayLearner::chunks() const {
  uint64_t chunks = 0;
  for (const uint64_t of_worker : chunks_by_worker()) chunks += of_worker;
  return chunks;
}

std::vector<uint64_t> ReplayLearner::chunks_by_worker() const {
  std::vector<uint64_t> chunks;
  for (const WorkerSummary& worker : server_->workers()) chunks.push_back(worker.chunks_admitted);
  return chunks;
}

size_t ReplayLearner::weights_bytes() const {
  size_t bytes = 0;
  for (const HostTensor& tensor : weights_->tensors) bytes += tensor.bytes.size();
  return bytes;
}

void ReplayLearner::Drain() { server_->Drain("the benchmark is over", /*run_ended=*/true, absl::Seconds(2)); }

}  // namespace troupe::testing
