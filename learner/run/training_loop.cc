#include "learner/run/training_loop.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/config/curriculum_settings.h"
#include "common/files/sha256.h"
#include "common/threads/sync_point.h"
#include "learner/ingest/shard_range.h"
#include "learner/reporting/progress.h"
#include "learner/run/rank_agreement.h"

namespace troupe {
namespace {

constexpr absl::Duration kBatchPatience = absl::Milliseconds(250);
constexpr absl::Duration kStarvedAfter = absl::Seconds(30);
// Between two ticks while batches are waited for.
constexpr absl::Duration kLongestLook = absl::Seconds(5);
// At the end of training: with the next evaluation's result, and with workers that are to come back for it.
constexpr absl::Duration kEvaluationPatience = absl::Minutes(10);
constexpr absl::Duration kNoWorkerPatience = absl::Minutes(1);
constexpr absl::Duration kWaitingTold = absl::Seconds(10);

// From which on an update is long; what may be spent of a run's time on being able to take short ones back.
constexpr double kLongUpdateSeconds = 1;
constexpr double kKeptShare = 0.01;

constexpr char kKeptBatches[] = "diverged";

// Environment steps of one update, all ranks together.
uint64_t StepsPerUpdate(const CollectionSettings& collection) {
  return uint64_t{collection.num_shards()} * collection.copies_per_shard() * collection.rollout_length();
}

}  // namespace

TrainingLoop::TrainingLoop(TrainingParts parts, const Checkpoint& start)
    : parts_(std::move(parts)),
      state_{.run_id = start.run_id,
             .experiment = start.experiment,
             .environment = start.environment,
             .counters = start.counters,
             .ingest = start.ingest,
             .warm_start = start.warm_start},
      earlier_wall_seconds_(start.counters.wall_seconds),
      began_(parts_.now()),
      evaluations_(parts_.server, start),
      curriculum_(parts_.server, start, /*decides=*/parts_.ranks->rank() == 0),
      self_play_(start),
      guard_(start, parts_.algorithm, parts_.folder.empty() ? "" : absl::StrCat(parts_.folder, "/", kKeptBatches)),
      passed_env_steps_(start.counters.env_steps),
      accounted_(began_),
      awake_(kLongestLook) {}

double TrainingLoop::SecondsSinceStart() const { return absl::ToDoubleSeconds(parts_.now() - began_); }

absl::StatusOr<TrainingResult> TrainingLoop::Run() {
  parts_.algorithm->PrefetchFrom(
      [server = parts_.server](absl::Duration timeout) { return server->PeekBatch(timeout); });
  const absl::Status status = Train();
  parts_.algorithm->PrefetchFrom(nullptr);
  const bool finished = status.ok() && state_.counters.env_steps >= state_.experiment.total_env_steps();
  if (finished) {
    parts_.server->EndCollection();
    FinishEvaluations();
  }
  TakeEvaluations(absl::ZeroDuration());
  WriteCheckpoint();
  const absl::Status kept = parts_.checkpoints == nullptr ? absl::OkStatus() : parts_.checkpoints->Flush();
  parts_.reporter->OnEnd();
  RETURN_IF_ERROR(status);
  return TrainingResult{finished, state_.counters, WeightsSha256(TakeSnapshot()->policy), TakeSnapshot(), kept};
}

absl::Status TrainingLoop::Train() {
  while (state_.counters.env_steps < state_.experiment.total_env_steps()) {
    bool stop;
    {
      const SyncPoint point("update.look");
      stop = parts_.stop_requested();
    }
    absl::Status health = stop ? absl::OkStatus() : parts_.health();
    if (!stop && health.ok()) {
      TakeEvaluations(absl::ZeroDuration());
      if (evaluations_.IsDue(state_.counters.env_steps) && evaluations_.num_pending() < most_evaluations()) {
        RequestEvaluation();
      }
      health = AwaitBatch();
    }
    absl::StatusOr<bool> ready = false;
    if (!stop && health.ok()) {
      ready = ReadyToTrain();
      health = ready.status();
    }
    ASSIGN_OR_RETURN(const Verdict verdict,
                     Agree(ready.ok() && *ready, stop, health, parts_.ranks.get(), parts_.directory.get()));
    if (verdict == Verdict::kStop) return absl::OkStatus();
    if (verdict == Verdict::kGoOn) RETURN_IF_ERROR(TrainOnce());
    if (interrupted_) return absl::OkStatus();
    Tick();
    if (verdict == Verdict::kGoOn) PassCheckpoint();
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

absl::StatusOr<bool> TrainingLoop::ReadyToTrain() {
  if (!batch_.has_value() || !curriculum_.is_on()) return batch_.has_value();
  Account(TrainingState::kOther, parts_.now());
  const absl::StatusOr<bool> known = curriculum_.IsKnown(state_.counters.update + 1, kBatchPatience);
  Account(TrainingState::kWaiting, parts_.now());
  awaits_verdict_ = known.ok() && !*known;
  return known;
}

PolicySnapshot TrainingLoop::ExportPolicy() const {
  PolicySnapshot policy = parts_.algorithm->ExportPolicy(Progress());
  AddStage(curriculum_.state(), &policy);
  return policy;
}

void TrainingLoop::AdvanceCurriculum() {
  if (!curriculum_.is_on()) return;
  const RunCounters& counters = state_.counters;
  Curriculum::Step step = curriculum_.Advance(counters.update, counters.env_steps, parts_.ranks.get());
  const CurriculumSettings& settings = state_.experiment.curriculum();
  if (step.verdict.has_value()) {
    step.verdict->time = absl::Now();
    parts_.reporter->OnStageVerdict(*step.verdict);
  }
  const std::string now = StageName(settings, step.stage);
  parts_.reporter->OnStage(step.stage, now);
  if (!step.promoted) return;
  const std::string before = StageName(settings, step.stage - 1);
  parts_.console->Line(absl::StrCat("curriculum: ", before, " ended after update ", counters.update, " (",
                                    FormatCount(counters.env_steps), " steps); episodes begin in ", now, " from here"));
}

std::shared_ptr<const PolicySnapshot> TrainingLoop::NextPolicy(const std::vector<EpisodeSummary>& own_episodes) {
  auto policy = std::make_shared<PolicySnapshot>(ExportPolicy());
  if (self_play_.is_on()) {
    self_play_.Advance(*policy, own_episodes, parts_.ranks.get());
    policy->roster = self_play_.roster();
  }
  return policy;
}

UpdateProgress TrainingLoop::Progress() const {
  return {state_.counters.update, state_.counters.env_steps, state_.experiment.total_env_steps(),
          guard_.learning_rate_scale()};
}

absl::Status TrainingLoop::TrainOnce() {
  const SyncPoint point("update.train");
  const AssembledBatch batch = *std::exchange(batch_, std::nullopt);
  Collective* const ranks = parts_.ranks.get();
  const std::optional<std::vector<HostTensor>> before = KeepForTakingBack();
  RunCounters& counters = state_.counters;
  const SteadyTime update_began = parts_.now();
  // For the other ranks, if anything.
  Account(TrainingState::kWaiting, update_began);
  // On every rank alike: of several, the first always keeps what it may have to take back.
  InterruptibleRanks* const interruptible = parts_.interruptible.get();
  if (interruptible != nullptr && (ranks->size() > 1 || before.has_value())) interruptible->Allow();
  absl::StatusOr<UpdateStatistics> statistics = parts_.algorithm->Update(*batch.batch, Progress());
  if (interruptible != nullptr) interruptible->Forbid();
  const bool interrupted =
      interruptible != nullptr && interruptible->interrupted() && absl::IsCancelled(statistics.status());
  // Of several ranks the others cannot know that this one stopped half-way, so none of them can go on.
  if (interrupted || (!statistics.ok() && ranks->size() > 1)) return TakeBack(before, statistics.status());
  const SteadyTime publish_began = parts_.now();
  Account(TrainingState::kUpdate, publish_began);
  last_update_seconds_ = absl::ToDoubleSeconds(publish_began - update_began);
  snapshot_ = nullptr;
  ++counters.update;
  counters.env_steps += StepsPerUpdate(state_.experiment.collection());
  std::optional<DivergenceGuard::Verdict> divergence;
  if (statistics.ok()) divergence = guard_.Judge(*statistics, counters.update);
  AdvanceCurriculum();
  RankReport report{{}, parts_.server->TakeFinishedEpisodes()};
  const std::shared_ptr<const PolicySnapshot> policy = NextPolicy(report.episodes);
  parts_.server->Publish(policy);
  const SteadyTime published = parts_.now();
  Account(TrainingState::kPublish, published);
  if (parts_.on_batch) parts_.on_batch(counters.update, *batch.batch);
  if (divergence.has_value()) OnDivergence(batch, divergence->status, &divergence->record);
  parts_.server->ReleaseBatch(batch);
  curriculum_.Judge(policy);
  if (ranks->size() > 1) {
    const std::vector<uint32_t> epochs = parts_.server->ingest_state().lease_epochs;
    const ShardRange own = ShardRange::OfRank(static_cast<int>(epochs.size()), ranks->rank(), ranks->size());
    report.lease_epochs.assign(epochs.begin() + own.first, epochs.begin() + own.first + own.count);
    report = JoinReports(std::move(report), ranks);
    if (report.lease_epochs.size() == epochs.size()) lease_epochs_ = report.lease_epochs;
  }

  awake_.Watch(published);
  last_batch_ = awake_.Now();
  counters.wall_seconds = earlier_wall_seconds_ + SecondsSinceStart();
  absl::Status health = CountFailure(statistics.status());
  if (divergence.has_value()) health.Update(divergence->status);
  UpdateRecord record;
  record.update = counters.update;
  record.env_steps = counters.env_steps;
  record.time = absl::Now();
  record.wall_seconds = counters.wall_seconds;
  record.policy_lag = batch.mean_policy_lag;
  if (statistics.ok()) record.statistics = std::move(statistics->values);
  std::ranges::copy(self_play_.figures(), std::back_inserter(record.statistics));
  if (curriculum_.is_on()) {
    record.curriculum_stage = StageName(state_.experiment.curriculum(), curriculum_.state()->stage);
  }
  if (divergence.has_value()) record.divergence = std::move(divergence->record);
  if (!statistics.ok()) record.error = std::string(statistics.status().message());
  record.stage_seconds = {{"wait", batch.seconds_waited},
                          {"update", absl::ToDoubleSeconds(publish_began - update_began)},
                          {"publish", absl::ToDoubleSeconds(published - publish_began)},
                          {"snapshot", std::exchange(snapshot_seconds_, 0.0)}};
  parts_.reporter->OnUpdate(std::move(record), report.episodes);
  parts_.server->ReportProgress(counters.env_steps, parts_.reporter->env_steps_per_second());
  return health;
}

std::optional<std::vector<HostTensor>> TrainingLoop::KeepForTakingBack() {
  const bool several = parts_.ranks->size() > 1;
  if (several ? parts_.checkpoints == nullptr : parts_.interruptible == nullptr) return std::nullopt;
  // Of short updates only as often as it costs next to nothing: they are over in a moment.
  if (!several && last_update_seconds_ < kLongUpdateSeconds && kept_seconds_ > kKeptShare * SecondsSinceStart()) {
    return std::nullopt;
  }
  const SteadyTime began = parts_.now();
  std::vector<HostTensor> state = parts_.algorithm->SaveState();
  kept_seconds_ += absl::ToDoubleSeconds(parts_.now() - began);
  return state;
}

absl::Status TrainingLoop::TakeBack(const std::optional<std::vector<HostTensor>>& before, const absl::Status& status) {
  if (before.has_value()) RETURN_IF_ERROR(parts_.algorithm->LoadState(*before));
  Account(TrainingState::kUpdate, parts_.now());
  if (!absl::IsCancelled(status)) return status;
  interrupted_ = true;
  parts_.console->Line(absl::StrCat("update ", state_.counters.update + 1,
                                    " was under way and is taken back; it is done again when the run goes on"));
  return absl::OkStatus();
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

void TrainingLoop::OnDivergence(const AssembledBatch& batch, const absl::Status& status, DivergenceRecord* record) {
  const RunCounters& counters = state_.counters;
  const absl::StatusOr<std::string> kept = guard_.KeepBatch(*batch.batch, counters.update, counters.env_steps, *record);
  if (!kept.ok()) parts_.console->Warning(absl::StrCat("its batch cannot be kept: ", kept.status().message()));
  if (kept.ok() && !kept->empty()) record->batch = absl::StrCat(kKeptBatches, "/", *kept);
  // Where nothing is done about it not every one is told.
  if (std::has_single_bit(record->in_a_row) || record->back_to_update.has_value()) {
    parts_.console->Warning(absl::StrCat(
        "update ", counters.update, " left out minibatches because a loss or gradient was not finite, the ",
        record->in_a_row, ". such update in a row",
        record->batch.empty() ? "" : absl::StrCat("; its batch is ", parts_.folder, "/", record->batch)));
  }
  if (!status.ok() || !record->back_to_update.has_value()) return;
  parts_.console->Warning(
      absl::StrCat("the networks go back to where they were after update ", *record->back_to_update,
                   ", and learning rates are ", absl::StrFormat("%.4g", record->learning_rate_scale),
                   " times those of the experiment from here on (rollback ", record->rollbacks, " of ",
                   state_.experiment.divergence().max_rollbacks(), "; docs/runbook.md, TroupeNotFinite)"));
}

TrainingLoop::Snapshot TrainingLoop::TakeSnapshot(bool is_offered) {
  if (snapshot_ != nullptr) return snapshot_;
  const SteadyTime began = parts_.now();
  auto snapshot = std::make_shared<Checkpoint>(state_);
  snapshot->ingest = parts_.server->ingest_state();
  if (!lease_epochs_.empty()) snapshot->ingest.lease_epochs = lease_epochs_;
  snapshot->algorithm_state = parts_.algorithm->SaveState();
  snapshot->policy = ExportPolicy();
  snapshot->curriculum = curriculum_.state();
  snapshot->self_play = self_play_.state();
  if (is_offered) guard_.Offer(state_.counters.update, {snapshot, &snapshot->algorithm_state});
  snapshot->divergence = guard_.state(state_.counters.update);
  snapshot_ = std::move(snapshot);
  snapshot_seconds_ += absl::ToDoubleSeconds(parts_.now() - began);
  return snapshot_;
}

void TrainingLoop::PassCheckpoint() {
  const SyncPoint point("update.checkpoint");
  const uint64_t interval = state_.experiment.checkpoint().interval_env_steps();
  if (state_.counters.env_steps / interval == passed_env_steps_ / interval) return;
  passed_env_steps_ = state_.counters.env_steps;
  snapshot_ = nullptr;
  TakeSnapshot(/*is_offered=*/true);
  WriteCheckpoint();
}

void TrainingLoop::WriteCheckpoint() {
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
    parts_.reporter->OnEvaluation(
        {evaluated.update, evaluated.env_steps, absl::Now(), *evaluation.means, better.has_value()});
  }
}

void TrainingLoop::FinishEvaluations() {
  if (!evaluations_.is_enabled()) return;
  if (!AwaitEvaluations(most_evaluations())) return;
  if (!evaluations_.WasRequested(state_.counters.env_steps)) RequestEvaluation();
  AwaitEvaluations(1);
}

bool TrainingLoop::AwaitEvaluations(int count) {
  awake_.Watch(parts_.now());
  const SteadyTime began = awake_.Now();
  SteadyTime arrived = began, connected = began;
  bool told = false;
  for (int pending; (pending = evaluations_.num_pending()) >= count;) {
    if (parts_.stop_requested() || !parts_.health().ok()) return false;
    TakeEvaluations(kBatchPatience);
    const int workers = Tick();
    const SteadyTime now = awake_.Now();
    // Each result that comes renews the patience with the others; without a worker none can come.
    if (evaluations_.num_pending() < pending) arrived = now;
    if (workers > 0) connected = now;
    if (now - connected >= kNoWorkerPatience) return GiveUpEvaluations("no worker is connected any more");
    if (now - arrived >= kEvaluationPatience) {
      return GiveUpEvaluations(absl::StrCat("none came back for ", absl::FormatDuration(kEvaluationPatience)));
    }
    if (!told && now - began >= kWaitingTold) {
      parts_.console->Line(absl::StrCat("training is done; waiting for ", evaluations_.num_pending(),
                                        evaluations_.num_pending() == 1 ? " evaluation, " : " evaluations, ", workers,
                                        workers == 1 ? " worker is connected" : " workers are connected"));
      told = true;
    }
  }
  return true;
}

bool TrainingLoop::GiveUpEvaluations(const std::string& why) {
  const int lost = evaluations_.num_pending();
  for (int i = 0; i < lost; ++i) {
    parts_.reporter->OnEvaluationFailure(absl::DeadlineExceededError(absl::StrCat("not waited for any longer: ", why)));
  }
  return false;
}

int TrainingLoop::Tick() {
  const SteadyTime now = parts_.now();
  const int connected = parts_.server->num_connected();
  parts_.reporter->OnTick(now, connected);
  awake_.Watch(now);
  WarnWhenStarved(connected);
  return connected;
}

void TrainingLoop::Account(TrainingState state, SteadyTime now) {
  parts_.reporter->OnTime(state, now - accounted_);
  accounted_ = now;
}

void TrainingLoop::WarnWhenStarved(int connected) {
  const SteadyTime now = awake_.Now();
  const bool done = state_.counters.env_steps >= state_.experiment.total_env_steps();
  if (done || now - last_batch_ < kStarvedAfter || now - last_warning_ < kStarvedAfter) return;
  last_warning_ = now;
  parts_.console->Warning(absl::StrCat(awaits_verdict_ ? "no verdict of the curriculum for " : "no batch for ",
                                       absl::ToInt64Seconds(now - last_batch_), " s; ", connected,
                                       connected == 1 ? " worker is" : " workers are", " connected"));
}

}  // namespace troupe
