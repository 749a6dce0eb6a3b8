#include "actor_worker/rollout/worker_run.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/config/experiment_loader.h"
#include "common/config/lease_settings.h"
#include "common/specs/algorithm_card.h"
#include "common/specs/self_play_check.h"

namespace troupe {
namespace {

// Names, shapes and field tags of one tensor on the wire.
constexpr size_t kTensorOverheadBytes = 512;
constexpr size_t kMessageOverheadBytes = 64 << 10;
// Of a roster's entry, but for its weights.
constexpr size_t kOpponentBytes = 32;

LeaseBook::Options BookOptions(const RolloutPlan& plan, int rollout_threads, int max_shards) {
  const CollectionSettings& collection = plan.experiment.collection();
  return {.mode = collection.mode(),
          .unacknowledged_window = static_cast<int>(collection.unacknowledged_window()),
          .rollout_threads = rollout_threads,
          .max_leases = max_shards};
}

// Chunks that can be under way at once, should this worker hold every shard of the run.
size_t MostChunks(const RolloutPlan& plan, int rollout_threads) {
  const CollectionSettings& collection = plan.experiment.collection();
  return static_cast<size_t>(collection.num_shards()) * collection.unacknowledged_window() + rollout_threads;
}

}  // namespace

absl::StatusOr<RolloutPlan> MakeRolloutPlan(Experiment experiment, const EnvironmentFinder& find_environment) {
  FillDefaults(&experiment);
  RETURN_IF_ERROR(ValidateExperiment(experiment));
  RolloutPlan plan;
  ASSIGN_OR_RETURN(plan.environment, find_environment(experiment.environment().name()));
  plan.settings = SettingsMap(experiment.environment().settings().begin(), experiment.environment().settings().end());
  ASSIGN_OR_RETURN(const std::unique_ptr<Environment> environment, plan.environment->create(plan.settings));
  plan.spec = environment->spec();
  plan.spec.machine_settings = plan.environment->machine_settings;
  ASSIGN_OR_RETURN(plan.policies, MakePolicySpecs(experiment, plan.spec));
  RETURN_IF_ERROR(CheckAlgorithm(experiment, plan.spec, plan.policies));
  RETURN_IF_ERROR(CheckSelfPlay(experiment, plan.spec));
  ASSIGN_OR_RETURN(plan.stages, CurriculumStages::Create(experiment, *plan.environment, plan.spec));
  plan.experiment = std::move(experiment);
  return plan;
}

size_t MaxWeightsBytes(const std::vector<PolicySpec>& policies) {
  // There are as many groups as teams, at least.
  size_t bytes = kMessageOverheadBytes + kMaxOpponents * (kOpponentBytes + policies.size() * sizeof(double));
  for (const PolicySpec& policy : policies) {
    for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
      size_t values = 1;
      for (const int64_t size : parameter.shape) values *= static_cast<size_t>(size);
      bytes += values * sizeof(float) + kTensorOverheadBytes + policy.group.size() + parameter.name.size();
    }
  }
  return bytes;
}

WorkerRun::WorkerRun(RolloutPlan plan, int rollout_threads, int max_shards, WakeUp* collected, WorkerMetrics* metrics)
    : plan_(std::move(plan)),
      lease_timeout_seconds_(plan_.experiment.collection().lease_timeout_seconds()),
      metrics_(metrics),
      leases_(BookOptions(plan_, rollout_threads, max_shards)),
      policies_(VersionsKept(plan_.experiment.collection())),
      chunks_(MostChunks(plan_, rollout_threads)),
      shared_({.plan = &plan_,
               .leases = &leases_,
               .policies = &policies_,
               .chunks = &chunks_,
               .work = &work_,
               .collected = collected,
               .metrics = metrics}),
      evaluations_(shared_) {
  for (int i = 0; i < rollout_threads; ++i) {
    threads_.push_back(std::make_unique<Thread>());
    Thread* thread = threads_.back().get();
    thread->loop = std::make_unique<RolloutLoop>(i, shared_);
    thread->thread = NamedThread(absl::StrCat("rollout-", i), [this, thread] {
      thread->loop->Run();
      thread->ended = true;
      shared_.collected->Notify();
    });
  }
}

WorkerRun::~WorkerRun() {
  Abandon();
  for (const auto& thread : threads_) thread->thread.Join();
}

void WorkerRun::Receive(wire::LearnerMessage& message) {
  switch (message.message_case()) {
    case wire::LearnerMessage::kLeaseGrant:
      leases_.Grant(message.lease_grant());
      break;
    case wire::LearnerMessage::kLeaseRevoke:
      leases_.Revoke(message.lease_revoke());
      break;
    case wire::LearnerMessage::kAcknowledgement:
      if (const auto age = leases_.Acknowledge(message.acknowledgement()); age.has_value()) {
        metrics_->acknowledge_seconds.Observe(absl::ToDoubleSeconds(*age));
      }
      break;
    case wire::LearnerMessage::kEvaluationTask:
      evaluations_.Add(std::move(*message.mutable_evaluation_task()));
      break;
    case wire::LearnerMessage::kDrain:
    case wire::LearnerMessage::MESSAGE_NOT_SET:
      break;
  }
  work_.Notify();
}

void WorkerRun::WeightsChanged() {
  if (const auto newest = policies_.Newest(); newest != nullptr) {
    metrics_->policy_version.Set(static_cast<double>(newest->policy_version));
  }
  evaluations_.WeightsChanged();
  work_.Notify();
}

void WorkerRun::Forget() {
  if (sessions_ > 0) {
    LogLine("a run was to be forgotten while a session feeds it");
    std::abort();
  }
  evaluations_.Forget();
  leases_.Clear();
  policies_.Clear();
}

void WorkerRun::FinishChunks() {
  leases_.StopWork();
  evaluations_.Stop();
  for (const auto& thread : threads_) thread->loop->Stop();
}

void WorkerRun::Abandon() {
  FinishChunks();
  leases_.Clear();
}

bool WorkerRun::WaitEnded(absl::Duration timeout) {
  const SteadyTime deadline = SteadyTime::Now() + timeout;
  auto all_ended = [this] {
    return evaluations_.ended() &&
           std::all_of(threads_.begin(), threads_.end(), [](const auto& t) { return t->ended.load(); });
  };
  while (!all_ended()) {
    if (SteadyTime::Now() >= deadline) return false;
    const uint64_t seen = shared_.collected->count();
    if (!all_ended()) shared_.collected->WaitPast(seen, absl::Milliseconds(20));
  }
  return true;
}

bool WorkerRun::CheckThreads() {
  bool any_left = true;
  for (int i = 0; i < threads_.size(); ++i) {
    Thread& thread = *threads_[i];
    RolloutProgress& progress = thread.loop->progress();
    progress.Watch(SteadyTime::Now());
    const double silent = progress.SilentSeconds();
    if (thread.hangs || silent <= progress.LimitSeconds(lease_timeout_seconds_)) continue;
    thread.hangs = true;
    const std::string error = absl::StrCat("the environment hangs: no step for ", static_cast<int>(silent), " s");
    LogLine(absl::StrCat("rollout thread ", i, " is given up: ", error));
    metrics_->lease_failures.Increment();
    any_left = leases_.RetireThread(i, error);
    shared_.collected->Notify();
  }
  return any_left;
}

}  // namespace troupe
