#include "actor_worker/stream/session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/threads/sync_point.h"

namespace troupe {
namespace {

// Bounds the time between looks at the watchdog, the heartbeat and the stop.
constexpr absl::Duration kTick = absl::Milliseconds(100);
// When weights stop coming, the reason (Drain, or the end of the other stream) is on its way.
constexpr absl::Duration kReasonPatience = absl::Seconds(1);
constexpr absl::Duration kCloseTimeout = absl::Seconds(2);

int BeginStream(WorkerRun* run, WorkerMetrics* metrics) {
  const SyncPoint point("worker.begin_stream");
  const int again = run->leases().BeginStream();
  metrics->resends.Increment(again);
  return again;
}

}  // namespace

Session::Session(const std::shared_ptr<grpc::Channel>& channel, wire::TrainingService::Stub* control,
                 const std::string& worker_id, WorkerRun* run, WakeUp* events, WorkerMetrics* metrics,
                 absl::Duration idle_notice)
    : run_(run),
      events_(events),
      metrics_(metrics),
      heartbeat_(absl::Seconds(run->plan().experiment.collection().lease_timeout_seconds()) / 3),
      idle_notice_(idle_notice),
      feeding_(run),
      still_here_(control, worker_id, heartbeat_),
      stub_(wire::TrainingService::NewStub(channel)),
      trajectories_(channel, worker_id, (BeginStream(run, metrics), &run->leases()),
                    {.received = [this](wire::LearnerMessage& message) { Received(message); },
                     .ended = [events] { events->Notify(); }}),
      weights_(*stub_, worker_id, run->plan().policies, static_cast<int>(run->plan().spec.teams().size()),
               &run->policies(), [run, events] {
                 run->WeightsChanged();
                 events->Notify();
               }) {}

void Session::Received(wire::LearnerMessage& message) {
  heard_ = true;
  if (message.has_acknowledgement()) acknowledged_ = true;
  if (message.has_drain()) {
    LogLine(absl::StrCat("drained: ", message.drain().reason()));
    drained_ = true;
  }
  run_->Receive(message);
  events_->Notify();
}

void Session::Beat() {
  if (!trajectories_.HeartbeatAfter(heartbeat_)) still_here_.Say();
  const int leases = run_->leases().num_leases();
  NoticeIdleness(leases);
  metrics_->leases.Set(leases);
  metrics_->unacknowledged_chunks.Set(run_->leases().num_unacknowledged());
}

void Session::NoticeIdleness(int leases) {
  const SteadyTime now = SteadyTime::Now();
  if (leases > 0 && idle_since_ < SteadyTime::InfiniteFuture()) idle_since_ = now;
  if (now - idle_since_ < idle_notice_) return;
  idle_since_ = SteadyTime::InfiniteFuture();
  const uint32_t shards = run_->plan().experiment.collection().num_shards();
  LogLine(absl::StrCat("nothing to collect for ", absl::FormatDuration(idle_notice_),
                       ": the learner has no shard for this worker. The run has ", shards,
                       shards == 1 ? " shard" : " shards",
                       " (collection.num_shards), each is one worker's, and further workers only play evaluations"));
}

SessionEnd Session::Serve(const std::function<bool()>& stop_requested, absl::Duration flush_timeout) {
  SessionEnd end;
  while (true) {
    const uint64_t seen = events_->count();
    if (drained_) {
      end.left = LeaveDrained();
      end.reason = SessionEnd::kDrained;
      break;
    }
    if (stop_requested()) {
      end.left = LeaveStopped(flush_timeout);
      end.reason = SessionEnd::kStopped;
      break;
    }
    if (Over(&end)) break;
    if (!run_->CheckThreads()) {
      trajectories_.Close();
      end.left = trajectories_.WaitDone(kCloseTimeout);
      end.reason = SessionEnd::kHangs;
      break;
    }
    Beat();
    events_->WaitPast(seen, kTick);
  }
  end.heard = heard_;
  end.acknowledged = acknowledged_;
  return end;
}

bool Session::Over(SessionEnd* end) {
  if (trajectories_.done()) {
    // Drain may have come between the look at the flag and the end.
    if (drained_) return false;
    *end = Classify(trajectories_.status(), true);
    return true;
  }
  if (!weights_.done()) return false;
  if (weights_ended_ == SteadyTime::InfiniteFuture()) weights_ended_ = SteadyTime::Now();
  if (SteadyTime::Now() - weights_ended_ < kReasonPatience) return false;
  *end = Classify(weights_.status(), false);
  return true;
}

SessionEnd Session::Classify(const absl::Status& status, bool of_trajectories) {
  SessionEnd end{.status = status};
  if (absl::IsNotFound(status)) {
    end.reason = SessionEnd::kUnknownWorker;
  } else if (status.ok()) {
    end.status = absl::UnavailableError("the learner closed the stream");
  } else if (absl::IsInvalidArgument(status) && of_trajectories) {
    const std::string dropped = run_->leases().FailOldestSent(absl::StrCat("refused: ", status.message()));
    if (!dropped.empty()) LogLine(absl::StrCat("gave up ", dropped, ": ", status.message()));
  }
  return end;
}

bool Session::LeaveDrained() {
  {
    const SyncPoint point("worker.abandon");
    run_->Abandon();
  }
  trajectories_.Close();
  return trajectories_.WaitDone(kCloseTimeout);
}

bool Session::LeaveStopped(absl::Duration flush_timeout) {
  {
    const SyncPoint point("worker.finish_chunks");
    run_->FinishChunks();
  }
  const SteadyTime deadline = SteadyTime::Now() + flush_timeout;
  while (!run_->leases().Idle() && !trajectories_.done() && !drained_ && SteadyTime::Now() < deadline) {
    const uint64_t seen = events_->count();
    Beat();
    if (!run_->leases().Idle()) events_->WaitPast(seen, kTick);
  }
  trajectories_.Close();
  return trajectories_.WaitDone(kCloseTimeout);
}

}  // namespace troupe
