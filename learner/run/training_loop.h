// The learner's one training thread:
//
//   NextBatch ─► Update ─► Publish ─► ReleaseBatch ─► records, evaluation, checkpoint ─► NextBatch …
//
// A request to stop ends an update after the minibatch under way; what it did is taken back, and the run goes on from
// the update before.
//
// Publishing comes first after the update: workers wait for it, people and files do not. An algorithm whose device
// still works may look at the next batch meanwhile (Algorithm::PrefetchFrom).
//
// With several ranks each runs this loop in step with the others: before an update they agree that all have their part
// of the batch and nobody wants to stop; afterwards they tell each other what their workers did. Rank 0 writes
// checkpoints, evaluates and reports.
#ifndef TROUPE_LEARNER_RUN_TRAINING_LOOP_H_
#define TROUPE_LEARNER_RUN_TRAINING_LOOP_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/host_tensor.h"
#include "common/clock/awake_clock.h"
#include "common/clock/steady_time.h"
#include "learner/algorithms/algorithm.h"
#include "learner/batch/training_batch.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/ranks/collective.h"
#include "learner/ranks/interruptible_ranks.h"
#include "learner/reporting/console.h"
#include "learner/reporting/run_reporter.h"
#include "learner/run/curriculum.h"
#include "learner/run/divergence_guard.h"
#include "learner/run/evaluation_tracker.h"
#include "learner/self_play/self_play.h"
#include "learner/service/learner_server.h"
#include "learner/service/rank_directory.h"

namespace troupe {

// What the loop works with; everything outlives it.
struct TrainingParts {
  LearnerServer* server = nullptr;  // Begin was called
  Algorithm* algorithm = nullptr;
  CheckpointWriter* checkpoints = nullptr;  // null on ranks other than 0, which write none
  RunReporter* reporter = nullptr;
  Console* console = nullptr;
  std::shared_ptr<Collective> ranks = std::make_shared<SingleRank>();
  std::shared_ptr<RankDirectory> directory;  // that the ranks' agreement keeps up to date; null: there is none
  // What the algorithm was given of the ranks, where a request to stop may end an update; null: updates are waited for.
  std::shared_ptr<InterruptibleRanks> interruptible{};
  std::string folder;  // this rank's, where batches that were not finite are kept; empty: nowhere
  // Asked between updates: true ends the run as an interruption that can be gone on from.
  std::function<bool()> stop_requested = [] { return false; };
  // Asked between updates: an error ends the run with it (workers that cannot be kept alive).
  std::function<absl::Status()> health = [] { return absl::OkStatus(); };
  std::function<SteadyTime()> now = SteadyTime::Now;
  // Shown every batch that was trained on, with the number of its update; empty: nobody looks.
  std::function<void(uint64_t update, const TrainingBatch& batch)> on_batch{};
};

struct TrainingResult {
  bool finished = false;  // total_env_steps reached; otherwise stopped by request
  RunCounters counters;
  std::string weights_sha256;              // WeightsSha256 of the last policy
  std::shared_ptr<const Checkpoint> last;  // what training came to
  absl::Status kept;                       // as of CheckpointWriter::Flush: whether that is on disk
};

class TrainingLoop {
 public:
  // Updates that fail one after the other before the run ends.
  static constexpr int kMaxFailedUpdates = 10;

  // `start`: run id, experiment, environment, counters to begin with. Its tensors are not used.
  TrainingLoop(TrainingParts parts, const Checkpoint& start);

  // Trains until total_env_steps, a stop request or an error; in every case what was learned is in a checkpoint on disk
  // when this returns, as far as the disk takes it: TrainingResult::kept. Leaves draining the server to the caller.
  // Errors: those of `health`; INTERNAL after kMaxFailedUpdates and as of DivergenceGuard::Judge; CANCELLED when the
  // server was drained by others; UNAVAILABLE or ABORTED when another rank is gone or ended the run: an update cut
  // short by that is taken back.
  absl::StatusOr<TrainingResult> Run();

 private:
  using Snapshot = std::shared_ptr<const Checkpoint>;

  absl::Status Train();
  absl::Status AwaitBatch();  // for a while; sets batch_ once there is one
  absl::Status TrainOnce();   // on batch_
  // What an update begins with, where it may have to be taken back.
  std::optional<std::vector<HostTensor>> KeepForTakingBack();
  // An update that was cut short, by `status`.
  absl::Status TakeBack(const std::optional<std::vector<HostTensor>>& before, const absl::Status& status);
  UpdateProgress Progress() const;
  // The policy as it is, with the curriculum's stage.
  PolicySnapshot ExportPolicy() const;
  // Under way at once, besides the curriculum's own.
  int most_evaluations() const { return LearnerServer::kMaxEvaluations - (curriculum_.is_on() ? 1 : 0); }
  // What the run's new version brings for the curriculum, before it is published.
  void AdvanceCurriculum();
  // The run's new version as it goes to the workers: with the roster that it implies, after a batch of these episodes.
  std::shared_ptr<const PolicySnapshot> NextPolicy(const std::vector<EpisodeSummary>& own_episodes);
  // Whether there is a batch, and what the curriculum goes by after it: waits for that a while.
  absl::StatusOr<bool> ReadyToTrain();
  absl::Status CountFailure(const absl::Status& status);
  // Keeps the batch and tells of it.
  void OnDivergence(const AssembledBatch& batch, const absl::Status& status, DivergenceRecord* record);
  void RequestEvaluation();
  void TakeEvaluations(absl::Duration timeout);
  // At the end of training.
  void FinishEvaluations();
  // Until fewer than `count` are under way. False: the run is to end, or they are given up, which is told.
  bool AwaitEvaluations(int count);
  bool GiveUpEvaluations(const std::string& why);
  // At multiples of checkpoint.interval_env_steps.
  void PassCheckpoint();
  void WriteCheckpoint();
  // `is_offered`: its algorithm's state may be the good one from here on.
  Snapshot TakeSnapshot(bool is_offered = false);
  int Tick();  // the number of connected workers
  // Gives the time since the last call to `state`.
  void Account(TrainingState state, SteadyTime now);
  void WarnWhenStarved(int connected);
  double SecondsSinceStart() const;

  const TrainingParts parts_;
  Checkpoint state_;  // without tensors
  const double earlier_wall_seconds_;
  const SteadyTime began_;
  EvaluationTracker evaluations_;
  Curriculum curriculum_;
  SelfPlay self_play_;
  DivergenceGuard guard_;
  bool awaits_verdict_ = false;
  std::optional<AssembledBatch> batch_;  // waits for the other ranks' parts
  std::vector<uint32_t> lease_epochs_;   // of all ranks, once they told; then the newest
  Snapshot snapshot_;                    // of the current update, once somebody asked for it
  uint64_t passed_env_steps_;            // by PassCheckpoint
  double snapshot_seconds_ = 0;
  bool interrupted_ = false;  // an update, by a request to stop
  double last_update_seconds_ = 0;
  double kept_seconds_ = 0;  // that KeepForTakingBack took, altogether
  int failed_updates_ = 0;
  SteadyTime accounted_;
  AwakeClock awake_;       // a pause of this process's own is nobody's silence
  SteadyTime last_batch_;  // by awake_, as the next
  SteadyTime last_warning_ = SteadyTime::InfinitePast();
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_TRAINING_LOOP_H_
