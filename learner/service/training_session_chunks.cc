// A chunk's way through the session: checked, decided on, copied, acknowledged.
#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/threads/sync_point.h"
#include "learner/service/training_session.h"

namespace troupe {
namespace {

wire::LearnerMessage Acknowledge(const wire::Chunk& chunk, wire::ChunkResult result) {
  wire::LearnerMessage message;
  wire::Acknowledgement* const acknowledgement = message.mutable_acknowledgement();
  acknowledgement->set_shard(chunk.shard());
  acknowledgement->set_lease_epoch(chunk.lease_epoch());
  acknowledgement->set_sequence(chunk.sequence());
  acknowledgement->set_result(result);
  return message;
}

std::vector<EpisodeSummary> EpisodesOf(const wire::Chunk& chunk) {
  std::vector<EpisodeSummary> episodes;
  for (const wire::FinishedEpisode& episode : chunk.episodes()) {
    episodes.push_back({{episode.group_returns().begin(), episode.group_returns().end()},
                        episode.length(),
                        {episode.statistics().begin(), episode.statistics().end()}});
    if (!episode.has_saved_version()) continue;
    episodes.back().match = PlayedMatch{episode.saved_version(), episode.learning_team()};
  }
  return episodes;
}

}  // namespace

absl::StatusOr<TrainingSession::Handled> TrainingSession::HandleChunk(const std::shared_ptr<WorkerStream>& stream,
                                                                      const std::shared_ptr<ParkedStream>& parked,
                                                                      const ReceivedMessage& received,
                                                                      const std::string& worker_id) {
  const wire::Chunk& chunk = received.chunk.chunk;
  Run* const run = run_.load(std::memory_order_acquire);
  if (run == nullptr) {
    return RefuseChunk(stream.get(), worker_id, absl::InvalidArgumentError("chunk: came before any lease was granted"));
  }
  if (mode_ == ASYNCHRONOUS) {
    // Known to wait: its values are looked at once there is a place for it, which goes to who has waited before.
    const SyncPoint point("chunk.queue");
    absl::MutexLock lock(&mutex_);
    if (!IsCurrent(stream.get(), worker_id)) return StreamReplaced();
    Worker& worker = workers_.at(worker_id);
    const bool others_wait = resuming_ || !parked_.empty();
    const bool waited = worker.parked_since < SteadyTime::InfiniteFuture();
    if (leases_.is_open() && ((others_wait && !waited) || !run->assembler.filling_update().has_value())) {
      Park(parked, worker);
      return Handled::kParked;
    }
  }
  const SteadyTime start = SteadyTime::Now();
  absl::StatusOr<ReceivedChunkView> view = CheckChunk(run->environment, run->shape, received.chunk);
  if (!view.ok()) return RefuseChunk(stream.get(), worker_id, view.status());

  const std::vector<float> largest_rewards = LargestRewards(*view);
  std::vector<EpisodeSummary> episodes = EpisodesOf(chunk);

  absl::StatusOr<std::optional<Decision>> decision = std::nullopt;
  {
    const SyncPoint point("chunk.decide");
    absl::MutexLock lock(&mutex_);
    if (!IsCurrent(stream.get(), worker_id)) return StreamReplaced();
    decision = Decide(*run, chunk, worker_id);
    Worker& worker = workers_.at(worker_id);
    if (decision.ok() && !decision->has_value()) {
      Park(parked, worker);
      return Handled::kParked;
    }
    if (decision.ok()) {
      const SteadyTime since = std::min(std::exchange(worker.parked_since, SteadyTime::InfiniteFuture()), start);
      metrics_.queue_seconds.Observe(absl::ToDoubleSeconds(start - since));
      const wire::ChunkResult result = (*decision)->verdict.result;
      if (result == wire::ADMITTED) {
        worker.chunks_admitted += 1;
        watch_.Came((*decision)->verdict.update, worker_id, worker.host, start);
        WatchRewards(*run, largest_rewards, chunk.shard(), worker_id);
      }
      if (result == wire::ADMITTED || result == wire::STALE) leases_.Advance(chunk.shard(), clock_(), worker_id);
      if (result == wire::DUPLICATE) leases_.Repeat(chunk.shard(), worker_id, chunk.sequence());
      Settle();
    }
  }
  if (!decision.ok()) return RefuseChunk(stream.get(), worker_id, decision.status());
  const SteadyTime decided = SteadyTime::Now();
  metrics_.admission_seconds.Observe(absl::ToDoubleSeconds(decided - start));

  const AdmissionVerdict& verdict = (*decision)->verdict;
  metrics_.CountChunk(verdict.result);
  if (verdict.result == wire::ADMITTED) {
    const SyncPoint point("chunk.fill");
    run->assembler.Fill(*(*decision)->slot, *view, chunk, std::move(episodes));
    metrics_.assembly_seconds.Observe(absl::ToDoubleSeconds(SteadyTime::Now() - decided));
    CountAdmitted(*run, received, *view, verdict.policy_lag);
  }
  const SyncPoint point("chunk.acknowledge");
  stream->Send(Acknowledge(chunk, verdict.result));
  return Handled::kDone;
}

void TrainingSession::Park(const std::shared_ptr<ParkedStream>& parked, Worker& worker) {
  worker.parked_since = std::min(worker.parked_since, SteadyTime::Now());
  parked_.push_back(parked);
  metrics_.chunks_waiting.Set(static_cast<double>(parked_.size()));
}

absl::StatusOr<std::optional<TrainingSession::Decision>> TrainingSession::Decide(Run& run, const wire::Chunk& chunk,
                                                                                 const std::string& worker_id) {
  const bool ordered = mode_ != ASYNCHRONOUS;
  std::optional<uint64_t> filling;
  if (!ordered) {
    filling = run.assembler.filling_update();
    admission_.next_batch = filling.value_or(admission_.newest_version + BatchAssembler::kBatches);
  }
  Decision decision;
  ASSIGN_OR_RETURN(decision.verdict, DecideAdmission(admission_, leases_, worker_id, chunk));
  const wire::ChunkResult result = decision.verdict.result;
  if (result != wire::ADMITTED && result != wire::STALE) return decision;
  if (!ordered && !filling.has_value()) return std::nullopt;
  if (result == wire::STALE) return decision;
  decision.slot = ordered ? run.assembler.Reserve(decision.verdict.update, chunk.shard() - own_shards_.first)
                          : run.assembler.ReserveNext();
  if (!decision.slot.has_value()) return std::nullopt;
  return decision;
}

void TrainingSession::CountAdmitted(const Run& run, const ReceivedMessage& received, const ReceivedChunkView& view,
                                    uint64_t policy_lag) {
  metrics_.policy_lag.Observe(static_cast<double>(policy_lag));
  metrics_.env_steps.Increment(static_cast<double>(view.terminated.size()));
  uint64_t agent_steps = 0;
  for (const auto& group : view.groups) {
    const auto acting = group.alive.first(group.rewards.size());
    agent_steps += std::accumulate(acting.begin(), acting.end(), uint64_t{0});
  }
  metrics_.agent_steps.Increment(static_cast<double>(agent_steps));
  metrics_.environment_seconds.Increment(received.chunk.chunk.environment_seconds());
  metrics_.inference_seconds.Increment(received.chunk.chunk.inference_seconds());
  metrics_.chunk_bytes.Increment(static_cast<double>(received.num_bytes));
  metrics_.batches_ready.Set(run.assembler.batches_ready());
}

void TrainingSession::WatchRewards(const Run& run, absl::Span<const float> largest, uint32_t shard,
                                   const std::string& worker_id) {
  const std::optional<OutlierWatch::Outlier> outlier = outliers_.Look(largest);
  if (!outlier.has_value()) return;
  metrics_.outlier_chunks.Increment();
  Log("outliers", absl::StrCat("warning: ", worker_id, " (", workers_.at(worker_id).host, "), shard ", shard,
                               ": groups[", outlier->group, "].rewards (", run.environment.groups[outlier->group].name,
                               ") has ", outlier->came, " in magnitude, where the largest of the run was ",
                               outlier->seen, "; it is trained on. Is it a glitch of the simulator?"));
}

absl::Status TrainingSession::RefuseChunk(const WorkerStream* stream, const std::string& worker_id,
                                          absl::Status status) {
  metrics_.CountInvalidChunk();
  metrics_.CountRejected("malformed_chunk");
  const SyncPoint point("chunk.refuse");
  absl::MutexLock lock(&mutex_);
  if (!IsCurrent(stream, worker_id)) return StreamReplaced();
  Log("malformed chunks", absl::StrCat(worker_id, " sent a malformed chunk: ", status.message()));
  peers_.SentMalformedChunk(workers_.at(worker_id).peer, clock_());
  RemoveWorker(worker_id, status, stream);
  Settle();
  return status;
}

}  // namespace troupe
