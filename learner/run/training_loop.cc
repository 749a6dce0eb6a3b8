#include "learner/run/training_loop.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "learner/ingest/shard_range.h"
#include "learner/run/rank_agreement.h"
#include "learner/run/sha256.h"

namespace troupe {
namespace {

constexpr absl::Duration kBatchPatience = absl::Milliseconds(250);
constexpr absl::Duration kStarvedAfter = absl::Seconds(30);
constexpr absl::Duration kFinalEvaluationPatience = absl::Minutes(10);

// Environment steps of one update, all ranks together.
uint64_t StepsPerUpdate(const CollectionSettings& collection) {
  return uint64_t{collection.num_shards()} * collection.copies_per_shard() * collection.rollout_length();
}

}  // namespace

TrainingLoop::TrainingLoop(TrainingParts parts, const Checkpoint& start)
    : parts_(std::move(parts)),
      state_{start.run_id, start.experiment, start.environment, start.counters, start.ingest, {}, {}},
      earlier_wall_seconds_(start.counters.wall_seconds),
      began_(parts_.now()),
      evaluations_(parts_.server, start),
      checkpointed_env_steps_(start.counters.env_steps),
      accounted_(began_),
      last_batch_(began_) {}

double TrainingLoop::SecondsSinceStart() const { return absl::ToDoubleSeconds(parts_.now() - began_); }

absl::StatusOr<TrainingResult> TrainingLoop::Run() {
  parts_.algorithm->PrefetchFrom(
      [server = parts_.server](absl::Duration timeout) { return server->PeekBatch(timeout); });
  const absl::Status status = Train();
  parts_.algorithm->PrefetchFrom(nullptr);
  const bool finished = status.ok() && state_.counters.env_steps >= state_.experiment.total_env_steps();
  if (finished) FinishEvaluations();
  TakeEvaluations(absl::ZeroDuration());
  WriteCheckpoint();
  const absl::Status kept = parts_.checkpoints == nullptr ? absl::OkStatus() : parts_.checkpoints->Flush();
  parts_.reporter->OnEnd();
  RETURN_IF_ERROR(status);
  return TrainingResult{finished, state_.counters, WeightsSha256(TakeSnapshot()->policy), TakeSnapshot(), kept};
}

absl::Status TrainingLoop::Train() {
  const uint64_t checkpoint_interval = state_.experiment.checkpoint().interval_env_steps();
  while (state_.counters.env_steps < state_.experiment.total_env_steps()) {
    const bool stop = parts_.stop_requested();
    absl::Status health = stop ? absl::OkStatus() : parts_.health();
    if (!stop && health.ok()) {
      TakeEvaluations(absl::ZeroDuration());
      if (evaluations_.IsDue(state_.counters.env_steps) && evaluations_.num_pending() < LearnerServer::kMaxEvaluations) {
        RequestEvaluation();
      }
      health = AwaitBatch();
    }
    ASSIGN_OR_RETURN(const Verdict verdict, Agree(batch_.has_value(), stop, health, parts_.ranks.get()));
    if (verdict == Verdict::kStop) return absl::OkStatus();
    if (verdict == Verdict::kGoOn) RETURN_IF_ERROR(TrainOnce());
    Tick();
    const bool due = state_.counters.env_steps - checkpointed_env_steps_ >= checkpoint_interval;
    if (verdict == Verdict::kGoOn && due) WriteCheckpoint();
  }
  return absl::OkStatus();
}

absl::Status TrainingLoop::AwaitBatch() {
  if (batch_.has_value()) return absl::OkStatus();
  Account(TrainingState::kOther, parts_.now());
  absl::StatusOr<AssembledBatch> batch = parts_.server->NextBatch(kBatchPatience);
  Account(TrainingState::kWaiting, parts_.now());
  if (absl::IsDeadlineExceeded(batch.status())) return absl::OkStatus();
  RETURN_IF_ERROR(batch.status());
  batch_ = *batch;
  return absl::OkStatus();
}

absl::Status TrainingLoop::TrainOnce() {
  const AssembledBatch batch = *std::exchange(batch_, std::nullopt);
  Collective* const ranks = parts_.ranks.get();
  const Snapshot before = ranks->size() > 1 && parts_.checkpoints != nullptr ? TakeSnapshot() : nullptr;
  RunCounters& counters = state_.counters;
  const absl::Time update_began = parts_.now();
  // For the other ranks, if anything.
  Account(TrainingState::kWaiting, update_began);
  absl::StatusOr<UpdateStatistics> statistics = parts_.algorithm->Update(
      *batch.batch, {counters.update, counters.env_steps, state_.experiment.total_env_steps()});
  if (!statistics.ok() && ranks->size() > 1) {
    // The other ranks cannot know that this one stopped half-way, so none of them can go on.
    if (before != nullptr) RETURN_IF_ERROR(parts_.algorithm->LoadState(before->algorithm_state));
    return statistics.status();
  }
  const absl::Time publish_began = parts_.now();
  Account(TrainingState::kUpdate, publish_began);
  snapshot_ = nullptr;
  ++counters.update;
  counters.env_steps += StepsPerUpdate(state_.experiment.collection());
  parts_.server->Publish(std::make_shared<const PolicyWeights>(parts_.algorithm->ExportPolicy(counters.update)));
  const absl::Time published = parts_.now();
  Account(TrainingState::kPublish, published);
  parts_.server->ReleaseBatch(batch);
  RankReport report{{}, parts_.server->TakeFinishedEpisodes()};
  if (ranks->size() > 1) {
    const std::vector<uint32_t> epochs = parts_.server->ingest_state().lease_epochs;
    const ShardRange own = ShardRange::OfRank(static_cast<int>(epochs.size()), ranks->rank(), ranks->size());
    report.lease_epochs.assign(epochs.begin() + own.first, epochs.begin() + own.first + own.count);
    report = JoinReports(std::move(report), ranks);
    if (report.lease_epochs.size() == epochs.size()) lease_epochs_ = report.lease_epochs;
  }

  last_batch_ = published;
  counters.wall_seconds = earlier_wall_seconds_ + SecondsSinceStart();
  const absl::Status health = CountFailure(statistics.status());
  UpdateRecord record;
  record.update = counters.update;
  record.env_steps = counters.env_steps;
  record.time = published;
  record.wall_seconds = counters.wall_seconds;
  record.policy_lag = batch.mean_policy_lag;
  if (statistics.ok()) record.statistics = std::move(statistics->values);
  if (!statistics.ok()) record.error = std::string(statistics.status().message());
  record.stage_seconds = {{"wait", batch.seconds_waited},
                          {"update", absl::ToDoubleSeconds(publish_began - update_began)},
                          {"publish", absl::ToDoubleSeconds(published - publish_began)},
                          {"snapshot", std::exchange(snapshot_seconds_, 0.0)}};
  parts_.reporter->OnUpdate(std::move(record), report.episodes);
  parts_.server->ReportProgress(counters.env_steps, parts_.reporter->env_steps_per_second());
  return health;
}

absl::Status TrainingLoop::CountFailure(const absl::Status& status) {
  if (status.ok()) {
    failed_updates_ = 0;
    return absl::OkStatus();
  }
  ++failed_updates_;
  parts_.console->Warning(
      absl::StrCat("update ", state_.counters.update, " left the weights as they were: ", status.message()));
  if (failed_updates_ < kMaxFailedUpdates) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat(failed_updates_, " updates in a row failed, the last with: ", status.message()));
}

TrainingLoop::Snapshot TrainingLoop::TakeSnapshot() {
  if (snapshot_ != nullptr) return snapshot_;
  const absl::Time began = parts_.now();
  auto snapshot = std::make_shared<Checkpoint>(state_);
  snapshot->ingest = parts_.server->ingest_state();
  if (!lease_epochs_.empty()) snapshot->ingest.lease_epochs = lease_epochs_;
  snapshot->algorithm_state = parts_.algorithm->SaveState();
  snapshot->policy = parts_.algorithm->ExportPolicy(state_.counters.update);
  snapshot_ = std::move(snapshot);
  snapshot_seconds_ += absl::ToDoubleSeconds(parts_.now() - began);
  return snapshot_;
}

void TrainingLoop::WriteCheckpoint() {
  checkpointed_env_steps_ = state_.counters.env_steps;
  if (parts_.checkpoints == nullptr) return;
  parts_.checkpoints->Write(TakeSnapshot());
}

void TrainingLoop::RequestEvaluation() {
  const absl::Status status = evaluations_.Request(TakeSnapshot());
  if (!status.ok()) parts_.reporter->OnEvaluationFailure(status);
}

void TrainingLoop::TakeEvaluations(absl::Duration timeout) {
  RunCounters& counters = state_.counters;
  for (const FinishedEvaluation& evaluation : evaluations_.Take(timeout)) {
    if (!evaluation.means.ok()) {
      parts_.reporter->OnEvaluationFailure(evaluation.means.status());
      continue;
    }
    const RunCounters& evaluated = evaluation.snapshot->counters;
    counters.evaluated_env_steps = std::max(counters.evaluated_env_steps, evaluated.env_steps);
    const std::optional<BestEvaluation> better = evaluations_.BetterThan(counters.best, *evaluation.means, evaluated);
    if (better.has_value()) {
      counters.best = better;
      auto kept = std::make_shared<Checkpoint>(*evaluation.snapshot);
      kept->counters.best = counters.best;
      kept->counters.evaluated_env_steps = counters.evaluated_env_steps;
      parts_.checkpoints->WriteBest(std::move(kept));
    }
    snapshot_ = nullptr;
    parts_.reporter->OnEvaluation({evaluated.update, evaluated.env_steps, parts_.now(), *evaluation.means, better.has_value()});
  }
}

void TrainingLoop::FinishEvaluations() {
  if (!evaluations_.is_enabled()) return;
  const absl::Time deadline = parts_.now() + kFinalEvaluationPatience;
  const auto wait_until_fewer_than = [&](int count) {
    while (evaluations_.num_pending() >= count && parts_.now() < deadline && !parts_.stop_requested() &&
           parts_.health().ok()) {
      TakeEvaluations(kBatchPatience);
      Tick();
    }
  };
  wait_until_fewer_than(LearnerServer::kMaxEvaluations);
  if (!evaluations_.WasRequested(state_.counters.env_steps)) RequestEvaluation();
  wait_until_fewer_than(1);
}

void TrainingLoop::Tick() {
  const absl::Time now = parts_.now();
  const std::vector<WorkerSummary> workers = parts_.server->workers();
  const int connected =
      std::count_if(workers.begin(), workers.end(), [](const WorkerSummary& w) { return w.connected; });
  parts_.reporter->OnTick(now, connected);
  WarnWhenStarved(now, connected);
}

void TrainingLoop::Account(TrainingState state, absl::Time now) {
  parts_.reporter->OnTime(state, now - accounted_);
  accounted_ = now;
}

void TrainingLoop::WarnWhenStarved(absl::Time now, int connected) {
  const bool done = state_.counters.env_steps >= state_.experiment.total_env_steps();
  if (done || now - last_batch_ < kStarvedAfter || now - last_warning_ < kStarvedAfter) return;
  last_warning_ = now;
  parts_.console->Warning(absl::StrCat("no batch for ", absl::ToInt64Seconds(now - last_batch_), " s; ", connected,
                                       connected == 1 ? " worker is" : " workers are", " connected"));
}

}  // namespace troupe
