#include "actor_worker/rollout/rollout_loop.h"

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/threads/sync_point.h"

namespace troupe {
namespace {

constexpr absl::Duration kLongestWait = absl::Milliseconds(200);

}  // namespace

RolloutLoop::RolloutLoop(int thread, const RolloutShared& shared) : thread_(thread), shared_(shared) {}

void RolloutLoop::Stop() {
  stopping_ = true;
  shared_.work->Notify();
}

void RolloutLoop::Run() {
  while (!stopping_) {
    const uint64_t seen = shared_.work->count();
    DropEndedLeases();
    if (const std::optional<RolloutWork> work = shared_.leases->TakeWork(thread_, *shared_.policies);
        work.has_value()) {
      CollectOne(*work);
    } else {
      const SteadyTime began = SteadyTime::Now();
      shared_.work->WaitPast(seen, kLongestWait);
      if (!rollouts_.empty())
        shared_.metrics->waiting_seconds.Increment(absl::ToDoubleSeconds(SteadyTime::Now() - began));
    }
  }
}

void RolloutLoop::DropEndedLeases() {
  std::erase_if(rollouts_, [](const auto& item) { return item.first->gone.load(); });
}

void RolloutLoop::CollectOne(const RolloutWork& work) {
  const SteadyTime began = SteadyTime::Now();
  std::shared_ptr<wire::WorkerMessage> message = shared_.chunks->Take();
  wire::Chunk* chunk = message->mutable_chunk();
  const absl::Status status = Collect(work, chunk);
  progress_.Rest();
  if (!status.ok()) {
    rollouts_.erase(work.lease);
    if (work.lease->gone) return;
    LogLine(absl::StrCat("shard ", work.lease->shard, ", lease epoch ", work.lease->lease_epoch, ", chunk ",
                         work.sequence, " failed: ", status.ToString()));
    shared_.metrics->lease_failures.Increment();
    shared_.leases->Fail(*work.lease, std::string(status.message()));
  } else {
    const CollectionSettings& collection = shared_.plan->experiment.collection();
    const double steps = static_cast<double>(collection.rollout_length()) * collection.copies_per_shard();
    shared_.metrics->chunks.Increment();
    shared_.metrics->env_steps.Increment(steps);
    shared_.metrics->agent_steps.Increment(steps * shared_.plan->spec.num_agents());
    shared_.metrics->environment_seconds.Increment(chunk->environment_seconds());
    shared_.metrics->inference_seconds.Increment(chunk->inference_seconds());
    shared_.metrics->collect_seconds.Observe(absl::ToDoubleSeconds(SteadyTime::Now() - began));
    const SyncPoint point("worker.submit");
    shared_.leases->Submit(*work.lease, std::move(message));
  }
  shared_.collected->Notify();
}

absl::Status RolloutLoop::Collect(const RolloutWork& work, wire::Chunk* chunk) {
  try {
    progress_.Tick(RolloutProgress::Stage::kStarting);
    if (team_ == nullptr) {
      ASSIGN_OR_RETURN(team_, ActorTeam::Create(shared_.plan->policies, shared_.plan->chunk_shape().copies));
    }
    std::unique_ptr<ShardRollout>& rollout = rollouts_[work.lease];
    if (rollout == nullptr) {
      ASSIGN_OR_RETURN(rollout, ShardRollout::Create(*shared_.plan, work.lease));
    }
    const SteadyTime began = SteadyTime::Now();
    const SyncPoint point("worker.collect");
    RETURN_IF_ERROR(team_->Apply(work.weights));
    shared_.metrics->apply_seconds.Observe(absl::ToDoubleSeconds(SteadyTime::Now() - began));
    return rollout->Collect(work.sequence, *work.weights, *team_, progress_, chunk);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("exception: ", error.what()));
  } catch (...) {
    return absl::InternalError("exception of an unknown type");
  }
}

}  // namespace troupe
