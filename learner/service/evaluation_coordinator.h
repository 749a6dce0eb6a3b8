// Splits evaluations into tasks of a few episodes, hands them to workers and collects the episodes by seed.
//
// A task names the version to play: its worker was sent those weights anyway. Tried again, it brings them, for a worker
// may have let go of them by then.
//
// A worker has one task at a time. A task whose worker is gone, reports an error or does not answer within task_timeout
// goes to another; after kMaxTries the evaluation fails. What comes out does not depend on who ran which episode.
//
// Time is passed in; what is to be sent and called is handed back. Not thread-safe.
#ifndef TROUPE_LEARNER_SERVICE_EVALUATION_COORDINATOR_H_
#define TROUPE_LEARNER_SERVICE_EVALUATION_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "learner/service/learner_server.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Of a worker's words about what went wrong, no more is told on.
inline constexpr size_t kMaxReasonBytes = 1024;

class EvaluationCoordinator {
 public:
  using Done = std::function<void(absl::StatusOr<EvaluationOutcome>)>;

  static constexpr uint32_t kMaxEpisodesPerTask = 4;
  static constexpr int kMaxTries = 5;

  struct Assignment {
    std::string worker_id;
    wire::EvaluationTask task;
  };

  // The environment's number of groups and statistics: every episode reports so many numbers.
  EvaluationCoordinator(int num_groups, int num_statistics, absl::Duration task_timeout = absl::Minutes(10));

  // RESOURCE_EXHAUSTED: LearnerServer::kMaxEvaluations are under way. INVALID_ARGUMENT: no episodes or no weights.
  absl::Status Start(const EvaluationRequest& request, Done done);

  void AddWorker(const std::string& worker_id) { workers_.insert(worker_id); }
  void RemoveWorker(const std::string& worker_id);

  // A result of a task that is no longer this worker's is ignored. INVALID_ARGUMENT naming the field: not what was
  // asked for; the task is given to another.
  absl::Status Receive(const std::string& worker_id, const wire::EvaluationResult& result);

  // Fails everything under way with `status`.
  void CancelAll(const absl::Status& status);

  // Tasks to send now.
  std::vector<Assignment> TakeAssignments(SteadyTime now);
  // Calls to make now, outside of any lock.
  std::vector<std::function<void()>> TakeFinished();

 private:
  struct Evaluation {
    std::shared_ptr<const wire::Weights> weights;
    bool sample_actions = false;
    uint64_t first_seed = 0;
    std::vector<EpisodeSummary> episodes;
    uint32_t missing = 0;
    Done done;
    std::optional<uint32_t> curriculum_stage;
  };
  struct Task {
    uint64_t evaluation_id = 0;
    uint64_t first_seed = 0;
    uint32_t episodes = 0;
    int tries = 0;
    std::string worker_id;  // empty: waiting
    std::string last_worker_id;
    SteadyTime deadline = SteadyTime::InfiniteFuture();
  };

  absl::Status Validate(const Task& task, const wire::EvaluationResult& result) const;
  void GiveBack(uint64_t task_id, const std::string& reason);
  void Finish(uint64_t evaluation_id, absl::StatusOr<EvaluationOutcome> outcome);
  const std::string* FreeWorker(const std::string& avoided) const;

  const int num_groups_;
  const int num_statistics_;
  const absl::Duration task_timeout_;
  uint64_t last_id_ = 0;
  std::set<std::string> workers_;
  std::set<std::string> busy_;
  std::map<uint64_t, Evaluation> evaluations_;
  std::map<uint64_t, Task> tasks_;
  std::vector<std::function<void()>> finished_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_EVALUATION_COORDINATOR_H_
