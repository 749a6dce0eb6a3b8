// Tells people how the run goes: progress line, metrics.jsonl, TensorBoard, Prometheus.
#ifndef TROUPE_LEARNER_REPORTING_RUN_REPORTER_H_
#define TROUPE_LEARNER_REPORTING_RUN_REPORTER_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/metrics/metrics.h"
#include "common/specs/environment_spec.h"
#include "learner/checkpoint/checkpoint.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/reporting/console.h"
#include "learner/reporting/progress.h"
#include "learner/reporting/run_records.h"
#include "learner/reporting/tensorboard_writer.h"
#include "learner/reporting/training_metrics.h"

namespace troupe {

// One thread, except OnCheckpoint. A file that cannot be written costs one warning and its lines, never the run.
class RunReporter {
 public:
  // `start` is where the run begins or goes on, `now` the date. `folder` empty: no files. `console` and `metrics`
  // outlive it. Errors: a file of `folder` cannot be opened.
  static absl::StatusOr<std::unique_ptr<RunReporter>> Create(const std::string& folder, const Checkpoint& start,
                                                             Console* console, Metrics* metrics, absl::Time now);

  // Fills in the record's rate, then tells it to everybody.
  void OnUpdate(UpdateRecord record, absl::Span<const EpisodeSummary> episodes);
  void OnEvaluation(const EvaluationRecord& record);
  void OnEvaluationFailure(const absl::Status& status);
  void OnStageVerdict(const StageVerdictRecord& record);
  // The curriculum's stage from here on.
  void OnStage(uint32_t stage, const std::string& name);
  // Thread-safe.
  void OnCheckpoint(const CheckpointWrite& write, absl::Time now);
  // All of the training thread's time, piece by piece.
  void OnTime(TrainingState state, absl::Duration time) { metrics_.OnTime(state, time); }
  // Now and then, also while nothing happens.
  void OnTick(SteadyTime now, int connected_workers);

  // Tells what is missing in the records.
  void OnEnd();

  double env_steps_per_second() const { return rate_.PerSecond(); }

 private:
  RunReporter(const Checkpoint& start, Console* console, Metrics* metrics, absl::Time now);
  void AppendRecord(const std::string& line);
  void AddScalars(uint64_t step, absl::Time when, const NamedScalars& scalars);

  const EnvironmentSpec environment_;
  const std::string best_by_;
  Console& console_;
  TrainingMetrics metrics_;
  std::unique_ptr<RunRecords> records_;
  std::unique_ptr<TensorboardWriter> tensorboard_;
  ProgressFigures figures_;
  RateMeter rate_;
  std::deque<double> recent_returns_;
  std::optional<uint32_t> curriculum_stage_;
  int lost_records_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_RUN_REPORTER_H_
