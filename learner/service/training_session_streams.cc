// The part of the session that deals with the workers' streams and with time passing.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/threads/sync_point.h"
#include "common/threads/timed_wait.h"
#include "learner/service/rank_directory.h"
#include "learner/service/training_session.h"

namespace troupe {
namespace {

wire::LearnerMessage GrantOrRevoke(const LeaseChange& change, uint64_t oldest_version) {
  wire::LearnerMessage message;
  if (change.kind == LeaseChange::Kind::kRevoke) {
    message.mutable_lease_revoke()->set_shard(change.lease.shard);
    message.mutable_lease_revoke()->set_lease_epoch(change.lease.epoch);
    return message;
  }
  wire::LeaseGrant* const grant = message.mutable_lease_grant();
  grant->set_shard(change.lease.shard);
  grant->set_lease_epoch(change.lease.epoch);
  grant->set_first_update(change.lease.first_update);
  grant->set_oldest_version(oldest_version);
  return message;
}

}  // namespace

absl::Status TrainingSession::StreamOpened(const std::shared_ptr<WorkerStream>& stream, const std::string& peer) {
  const SyncPoint point("stream.open");
  absl::MutexLock lock(&mutex_);
  const auto of_peer = std::ranges::count_if(nameless_, [&](const auto& nameless) { return nameless.peer == peer; });
  if (of_peer >= options_.max_workers_per_peer || nameless_.size() >= static_cast<size_t>(options_.max_workers)) {
    return Refuse("too_many_streams",
                  absl::ResourceExhaustedError(
                      absl::StrCat("streams: ", nameless_.size(), " have not said hello, the most there may be")));
  }
  nameless_.push_back({stream, peer, clock_() + lease_timeout_});
  return absl::OkStatus();
}

void TrainingSession::ForgetNameless(const WorkerStream* stream) {
  std::erase_if(nameless_, [stream](const NamelessStream& nameless) { return nameless.stream.get() == stream; });
}

absl::StatusOr<TrainingSession::Handled> TrainingSession::HandleMessage(const std::shared_ptr<WorkerStream>& stream,
                                                                        const std::shared_ptr<ParkedStream>& parked,
                                                                        const ReceivedMessage& received,
                                                                        std::string* worker_id) {
  const wire::WorkerMessage& message = received.message;
  if (message.has_hello()) {
    if (worker_id->empty()) return HandleHello(stream, message.hello(), worker_id);
    return Refuse("protocol", absl::InvalidArgumentError("message: came a second hello, expected one per stream"));
  }
  if (worker_id->empty()) {
    return Refuse("protocol", absl::InvalidArgumentError(absl::StrCat("message: came case ", received.message_case(),
                                                                      ", expected hello first")));
  }
  {
    const SyncPoint point("stream.hear");
    absl::MutexLock lock(&mutex_);
    if (!IsCurrent(stream.get(), *worker_id)) return StreamReplaced();
    leases_.Heard(*worker_id, clock_());
  }
  if (received.has_chunk) return HandleChunk(stream, parked, received, *worker_id);
  switch (message.message_case()) {
    case wire::WorkerMessage::kEvaluationResult:
      RETURN_IF_ERROR(HandleEvaluationResult(message.evaluation_result(), *worker_id));
      return Handled::kDone;
    case wire::WorkerMessage::kLeaseFailure:
      HandleLeaseFailure(message.lease_failure(), *worker_id);
      return Handled::kDone;
    case wire::WorkerMessage::kHeartbeat:
      return Handled::kDone;
    default:
      return Refuse("protocol", absl::InvalidArgumentError("message: came none, expected one of WorkerMessage's"));
  }
}

MessageLimits TrainingSession::LimitsOf(const std::string& worker_id) const {
  if (worker_id.empty()) return {.control_bytes = kMaxNamelessBytes};
  const Run* const run = run_.load(std::memory_order_acquire);
  return run == nullptr ? MessageLimits() : run->limits;
}

void TrainingSession::WatchWrites(const std::shared_ptr<WritingStream>& stream) {
  absl::MutexLock lock(&mutex_);
  writes_.Add(stream);
}

absl::Status TrainingSession::Unreadable(const WorkerStream* stream, const std::string& worker_id,
                                         const ReceivedMessage& received, absl::Status status) {
  if (!received.has_chunk && received.num_bytes > LimitsOf(worker_id).control_bytes) {
    return Refuse("message_size", std::move(status));
  }
  if (worker_id.empty()) return Refuse("protocol", std::move(status));
  return RefuseChunk(stream, worker_id, std::move(status));
}

absl::StatusOr<TrainingSession::Handled> TrainingSession::HandleHello(const std::shared_ptr<WorkerStream>& stream,
                                                                      const wire::Hello& hello,
                                                                      std::string* worker_id) {
  const SyncPoint point("stream.hello");
  absl::MutexLock lock(&mutex_);
  ForgetNameless(stream.get());
  // Who comes after a run's end is told to go; who comes to a learner that stops would be told nothing any more.
  if (draining_ && !run_ended_) {
    return Refuse("draining", absl::UnavailableError(absl::StrCat("draining: ", drain_reason_)));
  }
  const auto found = workers_.find(hello.worker_id());
  if (found == workers_.end()) {
    return Refuse("unknown_worker",
                  absl::NotFoundError(absl::StrCat("hello.worker_id: came \"",
                                                   hello.worker_id().substr(0, kMaxNameBytes), "\", register again")));
  }
  Worker& worker = found->second;
  *worker_id = hello.worker_id();
  if (worker.stream != nullptr) {
    worker.stream->Close(StreamReplaced());
    if (evaluations_ != nullptr) evaluations_->RemoveWorker(*worker_id);
  }
  worker.stream = stream;
  worker.parked_since = SteadyTime::InfiniteFuture();
  leases_.Connect(*worker_id, clock_());
  choice_.Connect(*worker_id, clock_());
  if (evaluations_ != nullptr) evaluations_->AddWorker(*worker_id);
  if (run_ended_) TellOfTheEnd(*stream);
  Settle();
  return Handled::kDone;
}

absl::Status TrainingSession::HandleEvaluationResult(const wire::EvaluationResult& result,
                                                     const std::string& worker_id) {
  absl::Status status;
  {
    const SyncPoint point("evaluation.result");
    absl::MutexLock lock(&mutex_);
    if (evaluations_ == nullptr) return absl::OkStatus();
    if (!result.error().empty()) {
      Log("failed evaluations",
          absl::StrCat(worker_id, " could not evaluate: ", ShownText(result.error(), kMaxReasonBytes)));
    }
    status = evaluations_->Receive(worker_id, result);
    if (!status.ok()) metrics_.CountRejected("malformed_evaluation");
    Settle();
  }
  CallFinished();
  return status;
}

void TrainingSession::HandleLeaseFailure(const wire::LeaseFailure& failure, const std::string& worker_id) {
  const SyncPoint point("lease.fail");
  absl::MutexLock lock(&mutex_);
  if (!leases_.FailLease(worker_id, failure.shard(), failure.lease_epoch(), clock_())) return;
  metrics_.CountRejected("lease_failure");
  const std::string reason = ShownText(failure.error(), kMaxReasonBytes);
  Log("lease failures", absl::StrCat(worker_id, " gave shard ", failure.shard(), " up: ", reason));
  // In the deterministic modes every batch needs every shard; first come, first trained needs some.
  const auto hopeless = leases_.FindHopeless(/*only_if_all=*/mode_ == ASYNCHRONOUS);
  if (hopeless.has_value() && health_.ok()) {
    health_ = absl::UnavailableError(
        absl::StrCat("no worker can collect shard ", hopeless->shard, ": ", hopeless->failures,
                     " failures in a row, on ", hopeless->workers, hopeless->workers == 1 ? " worker" : " workers",
                     ", the last of shard ", failure.shard(), " on ", worker_id, ": ", reason));
  }
  Settle();
}

void TrainingSession::StreamClosed(const WorkerStream* stream, const std::string& worker_id, bool left) {
  const SyncPoint point("stream.close");
  absl::MutexLock lock(&mutex_);
  ForgetNameless(stream);
  if (!IsCurrent(stream, worker_id)) return;
  if (left) {
    Log("workers that left", absl::StrCat(worker_id, " left"));
    RemoveWorker(worker_id, absl::OkStatus(), stream);
  } else {
    Log("disconnected workers", absl::StrCat(worker_id, " is disconnected, its leases stay for ",
                                             absl::FormatDuration(leases_.reconnect_patience())));
    workers_.at(worker_id).stream = nullptr;
    leases_.Disconnect(worker_id, clock_());
    choice_.Disconnect(worker_id);
    if (evaluations_ != nullptr) evaluations_->RemoveWorker(worker_id);
  }
  Settle();
}

void TrainingSession::RemoveWorker(const std::string& worker_id, const absl::Status& status,
                                   const WorkerStream* ending) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  if (found->second.stream != nullptr && found->second.stream.get() != ending) found->second.stream->Close(status);
  workers_.erase(found);
  watch_.Remove(worker_id);
  choice_.Remove(worker_id);
  leases_.RemoveWorker(worker_id, clock_());
  if (evaluations_ != nullptr) evaluations_->RemoveWorker(worker_id);
  CountWorkers();
  publisher_.Drop(worker_id, status.ok() ? status : absl::NotFoundError("worker_id: no longer known, register again"));
}

bool TrainingSession::IsCurrent(const WorkerStream* stream, const std::string& worker_id) const {
  const auto found = workers_.find(worker_id);
  return found != workers_.end() && found->second.stream.get() == stream;
}

void TrainingSession::Settle() {
  ChooseEnvironment();
  const SteadyTime now = clock_();
  for (const LeaseChange& change : leases_.TakeChanges(now)) {
    const auto found = workers_.find(change.worker_id);
    if (found == workers_.end() || found->second.stream == nullptr) continue;
    found->second.stream->Send(GrantOrRevoke(change, admission_.oldest_version));
  }
  if (evaluations_ != nullptr) {
    for (EvaluationCoordinator::Assignment& assignment : evaluations_->TakeAssignments(now)) {
      const auto found = workers_.find(assignment.worker_id);
      if (found == workers_.end() || found->second.stream == nullptr) continue;
      wire::LearnerMessage message;
      *message.mutable_evaluation_task() = std::move(assignment.task);
      found->second.stream->Send(std::move(message));
    }
  }
  const int connected = leases_.num_connected(), leased = leases_.num_leased();
  metrics_.workers_connected.Set(connected);
  metrics_.workers_disconnected.Set(static_cast<double>(workers_.size()) - connected);
  metrics_.shards_leased.Set(leased);
  metrics_.shards_waiting.Set(static_cast<double>(own_shards_.count) - leased);
  metrics_.shards_leased_twice.Set(leases_.num_leased_twice());
}

void TrainingSession::WatchWorkers(SteadyTime now) {
  const int idle = leases_.num_idle();
  metrics_.workers_without_shard.Set(idle);
  for (const std::string& line : watch_.Look({leases_.num_connected(), idle, own_shards_.count}, now))
    Log("slow and idle workers", line);
  metrics_.slowest_worker_ratio.Set(watch_.slowest_ratio());
}

void TrainingSession::CallFinished() {
  const SyncPoint point("evaluation.tell");
  std::vector<std::function<void()>> finished;
  {
    absl::MutexLock lock(&mutex_);
    if (evaluations_ != nullptr) finished = evaluations_->TakeFinished();
  }
  for (const auto& call : finished) call();
}

bool TrainingSession::WaitForMaintenance() {
  constexpr absl::Duration kLongestPeriod = absl::Milliseconds(200);
  absl::MutexLock lock(&mutex_);
  AwaitFor(mutex_, absl::Condition(this, &TrainingSession::HasWork), std::min(lease_timeout_ / 8, kLongestPeriod));
  return !stopping_;
}

void TrainingSession::StopMaintenance() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
}

void TrainingSession::Maintain() {
  std::vector<std::weak_ptr<ParkedStream>> parked;
  std::vector<std::shared_ptr<WritingStream>> stuck;
  {
    const SyncPoint point("maintain.look");
    absl::MutexLock lock(&mutex_);
    const SteadyTime now = clock_();
    for (const auto& [worker_id, worker] : workers_) {
      if (worker.stream != nullptr && worker.parked_since < SteadyTime::InfiniteFuture()) leases_.Heard(worker_id, now);
    }
    for (const std::string& worker_id : leases_.Expire(now)) {
      const bool was_cut = workers_.contains(worker_id) && workers_.at(worker_id).stream == nullptr;
      const std::string why = absl::StrCat(
          "nothing heard for ", absl::FormatDuration(was_cut ? leases_.reconnect_patience() : lease_timeout_));
      Log("lost workers", absl::StrCat(worker_id, " is lost: ", why));
      RemoveWorker(worker_id, absl::NotFoundError(absl::StrCat(why, ", register again")), nullptr);
    }
    if (options_.directory != nullptr && options_.directory->TakeRelease()) GiveWorkerBack();
    stuck = writes_.TakeStuck(now);
    for (const NamelessStream& nameless : nameless_) {
      if (nameless.deadline <= now)
        nameless.stream->Close(absl::DeadlineExceededError("message: expected hello, none came"));
    }
    if (std::exchange(resume_parked_, false)) parked.swap(parked_);
    resuming_ = !parked.empty();
    metrics_.chunks_waiting.Set(static_cast<double>(parked_.size()));
    Settle();
    WatchWorkers(now);
    for (const std::string& line : limiter_.TellLeftOut(now)) Say(line);
  }
  CallFinished();
  for (const auto& stream : stuck) {
    metrics_.CountRejected("does_not_read");
    stream->Cut();
  }
  if (parked.empty()) return;
  {
    const SyncPoint point("maintain.resume");
    for (const auto& waiting : parked) {
      if (const auto stream = waiting.lock()) stream->Resume();
    }
  }
  const SyncPoint point("maintain.resumed");
  absl::MutexLock lock(&mutex_);
  resuming_ = false;
  // Who came meanwhile waits behind these, though there may be places left.
  const bool first_come = mode_ == ASYNCHRONOUS && owned_run_ != nullptr;
  if (first_come && owned_run_->assembler.filling_update().has_value()) resume_parked_ = !parked_.empty();
}

}  // namespace troupe
