#include "actor_worker/rollout/evaluation_runner.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/wire/spec_codec.h"

namespace troupe {
namespace {

constexpr int kNiceness = 10;

wire::EvaluationResult Refusal(uint64_t task_id, const std::string& error) {
  wire::EvaluationResult result;
  result.set_task_id(task_id);
  result.set_error(ShownText(error));
  return result;
}

}  // namespace

EvaluationRunner::EvaluationRunner(const RolloutShared& shared)
    : shared_(shared), tasks_(kMaxWaiting), thread_("evaluation", [this] { Run(); }) {}

EvaluationRunner::~EvaluationRunner() {
  Stop();
  thread_.Join();
}

void EvaluationRunner::Add(wire::EvaluationTask task) {
  // The learner gives the tasks of a worker that goes to others, once its stream has ended; one that refused them until
  // then would be asked again at once.
  if (stopping_) return;
  const uint64_t task_id = task.task_id(), version = task.weights().policy_version();
  std::optional<wire::EvaluationResult> answer;
  {
    absl::MutexLock lock(&mutex_);
    if (under_way_.contains(task_id)) return;
    for (const wire::EvaluationResult& result : last_results_) {
      if (result.task_id() == task_id) answer = result;
    }
    Task queued{.message = std::move(task), .generation = generation_};
    if (!answer.has_value() && tasks_.TryPush(queued)) {
      NamedWeights& named = under_way_[task_id];
      named.version = version;
      named.weights = shared_.policies->Find(version);
      return;
    }
  }
  if (!answer.has_value()) {
    answer = Refusal(task_id, absl::StrCat("this worker has ", kMaxWaiting, " tasks waiting already"));
  }
  shared_.leases->AddEvaluationResult(*std::move(answer));
  shared_.collected->Notify();
}

void EvaluationRunner::WeightsChanged() {
  absl::MutexLock lock(&mutex_);
  for (auto& [task_id, named] : under_way_) {
    if (named.weights == nullptr) named.weights = shared_.policies->Find(named.version);
  }
}

void EvaluationRunner::Forget() {
  absl::MutexLock lock(&mutex_);
  ++generation_;
  under_way_.clear();
  last_results_.clear();
}

void EvaluationRunner::Answer(wire::EvaluationResult result, uint64_t generation) {
  absl::MutexLock lock(&mutex_);
  if (generation != generation_) return;
  under_way_.erase(result.task_id());
  if (result.error().empty()) {
    last_results_.push_back(result);
    if (last_results_.size() > kMaxWaiting) last_results_.pop_front();
  }
  shared_.metrics->evaluation_episodes.Increment(result.episodes_size());
  shared_.leases->AddEvaluationResult(std::move(result));
  shared_.collected->Notify();
}

void EvaluationRunner::Stop() {
  stopping_ = true;
  tasks_.Close();
}

void EvaluationRunner::Run() {
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kNiceness);
  while (std::optional<Task> task = tasks_.Pop()) {
    if (stopping_) break;
    if (task->generation != generation_) continue;
    wire::EvaluationResult result = Play(*task);
    if (!stopping_) Answer(std::move(result), task->generation);
  }
  ended_ = true;
}

wire::EvaluationResult EvaluationRunner::Play(const Task& task) {
  const uint64_t task_id = task.message.task_id();
  try {
    absl::StatusOr<wire::EvaluationResult> result = PlayEpisodes(task);
    return result.ok() ? *std::move(result) : Refusal(task_id, result.status().ToString());
  } catch (const std::exception& error) {
    return Refusal(task_id, absl::StrCat("exception: ", error.what()));
  }
}

absl::StatusOr<std::shared_ptr<const PolicySnapshot>> EvaluationRunner::WeightsOf(const Task& task) {
  if (!task.message.weights().tensors().empty()) {
    ASSIGN_OR_RETURN(PolicySnapshot own, DecodeWeights(shared_.plan->policies, task.message.weights()));
    return std::make_shared<const PolicySnapshot>(std::move(own));
  }
  const uint64_t version = task.message.weights().policy_version();
  const SteadyTime deadline = SteadyTime::Now() + kWeightsPatience;
  while (!stopping_ && task.generation == generation_) {
    const uint64_t seen = shared_.work->count();
    {
      absl::MutexLock lock(&mutex_);
      const auto named = under_way_.find(task.message.task_id());
      if (named != under_way_.end() && named->second.weights != nullptr) return named->second.weights;
    }
    const auto newest = shared_.policies->Newest();
    if (newest != nullptr && newest->policy_version > version) {
      return absl::NotFoundError(absl::StrCat("weights.policy_version: came ", version, ", this worker has ",
                                              newest->policy_version, " by now"));
    }
    if (SteadyTime::Now() >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat("weights.policy_version: came ", version,
                                                      ", which did not come within ",
                                                      absl::FormatDuration(kWeightsPatience)));
    }
    shared_.work->WaitPast(seen, absl::Milliseconds(200));
  }
  return absl::CancelledError("the task is over");
}

absl::StatusOr<wire::EvaluationResult> EvaluationRunner::PlayEpisodes(const Task& task) {
  const RolloutPlan& plan = *shared_.plan;
  ASSIGN_OR_RETURN(const std::shared_ptr<const PolicySnapshot> weights, WeightsOf(task));
  Player player;
  player.name = "agents";
  player.policy = {
      .policies = &plan.policies, .weights = weights.get(), .sample_actions = task.message.sample_actions()};
  EpisodePlan episodes;
  episodes.environment = plan.environment;
  episodes.settings = plan.settings;
  if (task.message.has_curriculum_stage()) {
    const std::shared_ptr<const SettingsMap> stage = plan.stages.Find(task.message.curriculum_stage());
    if (stage == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("curriculum_stage: came ", task.message.curriculum_stage(), ", which is not there"));
    }
    episodes.settings = *stage;
  }
  episodes.first_seed = task.message.first_seed();
  episodes.episodes = static_cast<int>(task.message.episodes());
  episodes.cancelled = [this, &task] { return stopping_ || task.generation != generation_; };
  ASSIGN_OR_RETURN(const std::vector<EpisodeResult> played, RunEpisodes(episodes, player));

  wire::EvaluationResult result;
  result.set_task_id(task.message.task_id());
  for (const EpisodeResult& episode : played) {
    wire::EvaluationEpisode& told = *result.add_episodes();
    told.set_seed(episode.seed);
    told.set_length(episode.length);
    for (const double value : episode.group_returns) told.add_group_returns(static_cast<float>(value));
    for (const double value : episode.statistics) told.add_statistics(static_cast<float>(value));
  }
  return result;
}

}  // namespace troupe
