#include "learner/service/evaluation_coordinator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"
#include "common/wire/spec_codec.h"

namespace troupe {

EvaluationCoordinator::EvaluationCoordinator(int num_groups, int num_statistics, absl::Duration task_timeout)
    : num_groups_(num_groups), num_statistics_(num_statistics), task_timeout_(task_timeout) {}

absl::Status EvaluationCoordinator::Start(const EvaluationRequest& request, Done done) {
  if (evaluations_.size() >= LearnerServer::kMaxEvaluations) {
    return absl::ResourceExhaustedError(
        absl::StrCat(LearnerServer::kMaxEvaluations, " evaluations are under way, expected fewer"));
  }
  if (request.episodes == 0 || request.weights == nullptr) {
    return absl::InvalidArgumentError("evaluation: expected at least one episode and weights");
  }
  auto weights = std::make_shared<wire::Weights>();
  EncodeWeights(*request.weights, weights.get());
  const uint64_t evaluation_id = ++last_id_;
  evaluations_[evaluation_id] = {std::move(weights),      request.sample_actions,
                                 request.first_seed,      std::vector<EpisodeSummary>(request.episodes),
                                 request.episodes,        std::move(done),
                                 request.curriculum_stage};
  const uint32_t workers = std::max<uint32_t>(1, workers_.size());
  const uint32_t per_task = std::clamp<uint32_t>((request.episodes + workers - 1) / workers, 1, kMaxEpisodesPerTask);
  for (uint32_t first = 0; first < request.episodes; first += per_task) {
    Task& task = tasks_[++last_id_];
    task.evaluation_id = evaluation_id;
    task.first_seed = request.first_seed + first;
    task.episodes = std::min(per_task, request.episodes - first);
  }
  return absl::OkStatus();
}

void EvaluationCoordinator::RemoveWorker(const std::string& worker_id) {
  workers_.erase(worker_id);
  busy_.erase(worker_id);
  std::vector<uint64_t> lost;
  for (const auto& [task_id, task] : tasks_) {
    if (task.worker_id == worker_id) lost.push_back(task_id);
  }
  for (const uint64_t task_id : lost) GiveBack(task_id, "the worker's stream ended");
}

absl::Status EvaluationCoordinator::Receive(const std::string& worker_id, const wire::EvaluationResult& result) {
  const auto found = tasks_.find(result.task_id());
  if (found == tasks_.end() || found->second.worker_id != worker_id) return absl::OkStatus();
  const Task& task = found->second;
  busy_.erase(worker_id);
  if (!result.error().empty()) {
    GiveBack(result.task_id(), ShownText(result.error(), kMaxReasonBytes));
    return absl::OkStatus();
  }
  if (absl::Status status = Validate(task, result); !status.ok()) {
    GiveBack(result.task_id(), std::string(status.message()));
    return status;
  }
  Evaluation& evaluation = evaluations_.at(task.evaluation_id);
  for (int i = 0; i < result.episodes_size(); ++i) {
    const wire::EvaluationEpisode& episode = result.episodes(i);
    evaluation.episodes[episode.seed() - evaluation.first_seed] = {
        {episode.group_returns().begin(), episode.group_returns().end()},
        episode.length(),
        {episode.statistics().begin(), episode.statistics().end()}};
  }
  evaluation.missing -= task.episodes;
  const uint64_t evaluation_id = task.evaluation_id;
  tasks_.erase(found);
  if (evaluation.missing == 0) {
    const uint64_t version = evaluation.weights->policy_version();
    Finish(evaluation_id, EvaluationOutcome{version, std::move(evaluation.episodes)});
  }
  return absl::OkStatus();
}

absl::Status EvaluationCoordinator::Validate(const Task& task, const wire::EvaluationResult& result) const {
  if (result.episodes_size() != static_cast<int>(task.episodes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("evaluation_result.episodes: came ", result.episodes_size(), ", expected ", task.episodes));
  }
  for (int i = 0; i < result.episodes_size(); ++i) {
    const wire::EvaluationEpisode& episode = result.episodes(i);
    const std::string field = absl::StrCat("evaluation_result.episodes[", i, "]");
    if (episode.seed() != task.first_seed + i) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".seed: came ", episode.seed(), ", expected ", task.first_seed + i));
    }
    if (episode.group_returns_size() != num_groups_) {
      return absl::InvalidArgumentError(absl::StrCat(field, ".group_returns: came ", episode.group_returns_size(),
                                                     " numbers, expected ", num_groups_));
    }
    if (episode.statistics_size() != num_statistics_) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".statistics: came ", episode.statistics_size(), " numbers, expected ", num_statistics_));
    }
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::ranges::all_of(episode.group_returns(), finite)) {
      return absl::InvalidArgumentError(absl::StrCat(field, ".group_returns: came a number that is not finite"));
    }
    if (!std::ranges::all_of(episode.statistics(), finite)) {
      return absl::InvalidArgumentError(absl::StrCat(field, ".statistics: came a number that is not finite"));
    }
  }
  return absl::OkStatus();
}

void EvaluationCoordinator::GiveBack(uint64_t task_id, const std::string& reason) {
  const auto found = tasks_.find(task_id);
  if (found == tasks_.end()) return;
  Task& task = found->second;
  busy_.erase(task.worker_id);
  task.last_worker_id = std::exchange(task.worker_id, "");
  task.deadline = SteadyTime::InfiniteFuture();
  if (task.tries < kMaxTries) return;
  Finish(task.evaluation_id, absl::UnavailableError(absl::StrCat("evaluation: episodes from seed ", task.first_seed,
                                                                 " failed ", task.tries, " times, last: ", reason)));
}

void EvaluationCoordinator::Finish(uint64_t evaluation_id, absl::StatusOr<EvaluationOutcome> outcome) {
  const auto evaluation = evaluations_.find(evaluation_id);
  if (evaluation == evaluations_.end()) return;
  finished_.push_back([done = std::move(evaluation->second.done), outcome = std::move(outcome)] { done(outcome); });
  evaluations_.erase(evaluation);
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    if (task->second.evaluation_id != evaluation_id) {
      ++task;
      continue;
    }
    busy_.erase(task->second.worker_id);
    task = tasks_.erase(task);
  }
}

void EvaluationCoordinator::CancelAll(const absl::Status& status) {
  while (!evaluations_.empty()) Finish(evaluations_.begin()->first, status);
}

const std::string* EvaluationCoordinator::FreeWorker(const std::string& avoided) const {
  const std::string* last_resort = nullptr;
  for (const std::string& worker_id : workers_) {
    if (busy_.contains(worker_id)) continue;
    if (worker_id != avoided) return &worker_id;
    last_resort = &worker_id;
  }
  return last_resort;
}

std::vector<EvaluationCoordinator::Assignment> EvaluationCoordinator::TakeAssignments(SteadyTime now) {
  std::vector<uint64_t> late;
  for (const auto& [task_id, task] : tasks_) {
    if (task.deadline <= now) late.push_back(task_id);
  }
  for (const uint64_t task_id : late) {
    GiveBack(task_id, absl::StrCat("no answer within ", absl::FormatDuration(task_timeout_)));
  }
  std::vector<Assignment> assignments;
  for (auto& [task_id, task] : tasks_) {
    if (!task.worker_id.empty()) continue;
    const std::string* const worker_id = FreeWorker(task.last_worker_id);
    if (worker_id == nullptr) break;
    task.worker_id = *worker_id;
    task.tries += 1;
    task.deadline = now + task_timeout_;
    busy_.insert(*worker_id);
    const Evaluation& evaluation = evaluations_.at(task.evaluation_id);
    Assignment& assignment = assignments.emplace_back();
    assignment.worker_id = *worker_id;
    assignment.task.set_task_id(task_id);
    assignment.task.mutable_weights()->set_policy_version(evaluation.weights->policy_version());
    if (task.tries > 1) *assignment.task.mutable_weights() = *evaluation.weights;
    assignment.task.set_first_seed(task.first_seed);
    assignment.task.set_episodes(task.episodes);
    assignment.task.set_sample_actions(evaluation.sample_actions);
    if (evaluation.curriculum_stage.has_value()) assignment.task.set_curriculum_stage(*evaluation.curriculum_stage);
  }
  return assignments;
}

std::vector<std::function<void()>> EvaluationCoordinator::TakeFinished() { return std::exchange(finished_, {}); }

}  // namespace troupe
