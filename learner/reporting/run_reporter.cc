#include "learner/reporting/run_reporter.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr size_t kRecentEpisodes = 100;

void AppendEpisodes(const std::string& prefix, const EpisodeMeans& means, NamedScalars* scalars) {
  if (means.count == 0) return;
  scalars->emplace_back(prefix + "/episode_return", means.episode_return);
  scalars->emplace_back(prefix + "/episode_length", means.episode_length);
  if (means.group_returns.size() > 1) {
    for (const auto& [group, value] : means.group_returns)
      scalars->emplace_back(prefix + "/episode_return/" + group, value);
  }
  for (const auto& [name, value] : means.statistics) scalars->emplace_back(prefix + "/" + name, value);
}

}  // namespace

RunReporter::RunReporter(const Checkpoint& start, Console* console, Metrics* metrics, absl::Time now)
    : environment_(start.environment),
      best_by_(start.experiment.evaluation().best_by()),
      console_(*console),
      metrics_(metrics, start.counters.env_steps, now, start.divergence.learning_rate_scale) {
  figures_.env_steps = start.counters.env_steps;
  figures_.total_env_steps = start.experiment.total_env_steps();
  rate_.Add(absl::Seconds(start.counters.wall_seconds), start.counters.env_steps);
}

absl::StatusOr<std::unique_ptr<RunReporter>> RunReporter::Create(const std::string& folder, const Checkpoint& start,
                                                                 Console* console, Metrics* metrics, absl::Time now) {
  std::unique_ptr<RunReporter> reporter(new RunReporter(start, console, metrics, now));
  if (folder.empty()) return reporter;
  const RunCounters& counters = start.counters;
  ASSIGN_OR_RETURN(reporter->records_, RunRecords::Open(folder, counters.update, counters.evaluated_env_steps));
  if (const int dropped = reporter->records_->num_dropped(); dropped > 0) {
    console->Line(absl::StrCat(dropped, dropped == 1 ? " line" : " lines",
                               " of metrics.jsonl that no checkpoint has seen moved to metrics.dropped.jsonl"));
  }
  ASSIGN_OR_RETURN(reporter->tensorboard_, TensorboardWriter::Create(folder, counters.env_steps + 1, now));
  return reporter;
}

void RunReporter::OnUpdate(UpdateRecord record, absl::Span<const EpisodeSummary> episodes) {
  rate_.Add(absl::Seconds(record.wall_seconds), record.env_steps);
  record.env_steps_per_second = rate_.PerSecond();
  record.episodes = MeansOf(environment_, episodes);
  for (const EpisodeSummary& episode : episodes) {
    if (episode.group_returns.size() != environment_.groups.size()) continue;
    recent_returns_.push_back(ReturnOf(environment_, episode));
    if (recent_returns_.size() > kRecentEpisodes) recent_returns_.pop_front();
  }
  figures_.env_steps = record.env_steps;
  figures_.policy_lag = record.policy_lag;
  if (!recent_returns_.empty()) {
    figures_.episode_return =
        std::accumulate(recent_returns_.begin(), recent_returns_.end(), 0.0) / recent_returns_.size();
  }
  metrics_.OnUpdate(record);
  AppendRecord(FormatRecord(record));
  NamedScalars scalars;
  for (const auto& [name, value] : record.statistics) scalars.emplace_back("update/" + name, value);
  for (const auto& [stage, seconds] : record.stage_seconds) scalars.emplace_back("seconds/" + stage, seconds);
  scalars.emplace_back("run/env_steps_per_second", record.env_steps_per_second);
  scalars.emplace_back("run/policy_lag", record.policy_lag);
  if (curriculum_stage_.has_value()) scalars.emplace_back("run/curriculum_stage", *curriculum_stage_);
  AppendEpisodes("training", record.episodes, &scalars);
  AddScalars(record.env_steps, record.time, scalars);
}

void RunReporter::OnEvaluation(const EvaluationRecord& record) {
  const double value = record.episodes.Find(best_by_).value_or(0);
  figures_.evaluation = {best_by_, value};
  metrics_.OnEvaluation(record);
  AppendRecord(FormatRecord(record));
  NamedScalars scalars;
  AppendEpisodes("evaluation", record.episodes, &scalars);
  AddScalars(record.env_steps, record.time, scalars);
  console_.Line(absl::StrFormat("evaluation after %s steps: %s %.4g over %d episodes%s", FormatCount(record.env_steps),
                                best_by_, value, record.episodes.count, record.best ? ", the best so far" : ""));
}

void RunReporter::OnEvaluationFailure(const absl::Status& status) {
  metrics_.OnEvaluationFailure();
  console_.Warning(absl::StrCat("evaluation failed: ", status.message()));
}

void RunReporter::OnStageVerdict(const StageVerdictRecord& record) {
  AppendRecord(FormatRecord(record));
  AddScalars(record.env_steps, record.time, {{"curriculum/" + record.statistic, record.value}});
  console_.Line(absl::StrFormat("curriculum: %s after update %d: %s %.4g over %d episodes%s", record.stage,
                                record.judged_update, record.statistic, record.value, record.episodes.count,
                                record.met ? absl::StrCat(", met ", record.met_in_a_row, " in a row") : ", not met"));
}

void RunReporter::OnStage(uint32_t stage, const std::string& name) {
  figures_.curriculum_stage = name;
  curriculum_stage_ = stage;
  metrics_.OnStage(stage);
}

void RunReporter::OnCheckpoint(const CheckpointWrite& write, absl::Time now) {
  metrics_.OnCheckpoint(write, now);
  if (write.status.ok()) return;
  console_.Warning(absl::StrCat(write.best ? "best checkpoint" : "checkpoint", " of update ", write.update,
                                " not written, the one before stays: ", write.status.message()));
}

void RunReporter::OnTick(SteadyTime now, int connected_workers) {
  figures_.workers = connected_workers;
  figures_.env_steps_per_second = rate_.PerSecond();
  console_.Progress(FormatProgress(figures_), now);
}

void RunReporter::AppendRecord(const std::string& line) {
  if (records_ == nullptr) return;
  const absl::Status status = records_->Append(line);
  if (!status.ok() && lost_records_++ == 0) console_.Warning(absl::StrCat("lines are lost: ", status.message()));
}

void RunReporter::OnEnd() {
  if (lost_records_ > 0) console_.Warning(absl::StrCat("metrics.jsonl lacks ", lost_records_, " lines of this start"));
}

void RunReporter::AddScalars(uint64_t step, absl::Time when, const NamedScalars& scalars) {
  if (tensorboard_ == nullptr) return;
  const absl::Status status = tensorboard_->AddScalars(step, when, scalars);
  if (status.ok()) return;
  console_.Warning(absl::StrCat("no more TensorBoard events from here: ", status.message()));
  tensorboard_.reset();
}

}  // namespace troupe
