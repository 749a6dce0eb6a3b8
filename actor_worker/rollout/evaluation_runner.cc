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
  const uint64_t task_id = task.task_id();
  std::optional<wire::EvaluationResult> answer;
  {
    absl::MutexLock lock(&mutex_);
    if (under_way_.contains(task_id)) return;
    for (const wire::EvaluationResult& result : last_results_) {
      if (result.task_id() == task_id) answer = result;
    }
    Task queued{.message = std::move(task), .generation = generation_};
    if (!answer.has_value() && tasks_.TryPush(queued)) {
      under_way_.insert(task_id);
      return;
    }
  }
  if (!answer.has_value()) {
    answer = Refusal(task_id, absl::StrCat("this worker has ", kMaxWaiting, " tasks waiting already"));
  }
  shared_.leases->AddEvaluationResult(*std::move(answer));
  shared_.collected->Notify();
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

absl::StatusOr<wire::EvaluationResult> EvaluationRunner::PlayEpisodes(const Task& task) {
  const RolloutPlan& plan = *shared_.plan;
  ASSIGN_OR_RETURN(const PolicySnapshot weights, DecodeWeights(plan.policies, task.message.weights()));
  Player player;
  player.name = "agents";
  player.policy = {.policies = &plan.policies, .weights = &weights, .sample_actions = task.message.sample_actions()};
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
