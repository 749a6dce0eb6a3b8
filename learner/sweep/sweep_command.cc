#include "learner/sweep/sweep_command.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/processes/piped_process.h"
#include "learner/reporting/console.h"
#include "learner/reporting/progress.h"
#include "learner/sweep/recorded_run.h"
#include "learner/sweep/run_pool.h"
#include "learner/sweep/sweep_files.h"
#include "learner/sweep/sweep_summary.h"
#include "learner/sweep/sweep_table.h"

namespace troupe {
namespace {

class Sweep {
 public:
  Sweep(const SweepOptions& options, ShutdownSignal* shutdown) : options_(options), shutdown_(*shutdown) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(runs_, PlanSweep(options_));
    ASSIGN_OR_RETURN(learner_program_, SiblingProgram("learner"));
    RETURN_IF_ERROR(LookAround());
    const absl::Status checked = CheckWithWorker();
    if (!checked.ok()) return absl::IsCancelled(checked) ? absl::OkStatus() : checked;
    const absl::Status trained = TrainAll();
    RETURN_IF_ERROR(Close());
    if (absl::IsCancelled(trained)) {
      console_.Line("stopped by request; the same command goes on from there");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(trained);
    if (num_failed_ == 0) return absl::OkStatus();
    return absl::AbortedError(absl::StrCat(num_failed_, " of ", runs_.size(),
                                           " runs failed, as told above; the same command tries them again"));
  }

 private:
  std::string FolderOf(size_t run) const { return absl::StrCat(options_.run_folder, "/", runs_[run].name); }
  bool stopping() const { return shutdown_.requested(); }

  // What is there already.
  absl::Status LookAround() {
    size_t num_finished = 0, num_half_done = 0;
    for (size_t i = 0; i < runs_.size(); ++i) {
      ASSIGN_OR_RETURN(const RunState state, FindRunState(FolderOf(i), runs_[i].experiment));
      finished_.push_back(state == RunState::kFinished);
      if (state == RunState::kFinished) {
        ++num_finished;
        RETURN_IF_ERROR(CheckScore(i));
      }
      if (state == RunState::kHalfDone) ++num_half_done;
      if (state != RunState::kFinished) to_do_.push_back(i);
    }
    console_.Line(absl::StrCat("sweep of ", runs_.size(), runs_.size() == 1 ? " run" : " runs", ", ", options_.parallel,
                               " at a time, in ", options_.run_folder, ": ", num_finished, " finished already, ",
                               num_half_done, " half-done"));
    return absl::OkStatus();
  }

  absl::StatusOr<double> Score(size_t run, RecordedRun* records) const {
    ASSIGN_OR_RETURN(*records, ReadRecordedRun(FolderOf(run)));
    return ScoreOf(*records, options_.statistic, options_.last_evaluations);
  }

  // Of a run that is finished already. One without evaluations is no result, and can become none.
  absl::Status CheckScore(size_t run) {
    RecordedRun records;
    const absl::Status status = Score(run, &records).status();
    if (absl::IsNotFound(status)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--statistic=", options_.statistic, ": ", runs_[run].name, ": ", status.message()));
    }
    if (!absl::IsFailedPrecondition(status)) return status;
    finished_[run] = false;
    ++num_failed_;
    console_.Warning(
        absl::StrCat(runs_[run].name, ": ", status.message(), "; move ", FolderOf(run), " away to train it again"));
    return absl::OkStatus();
  }

  // Each experiment as each row has it is shown to a worker once, before hours are spent on the others.
  absl::Status CheckWithWorker() {
    ASSIGN_OR_RETURN(const std::string worker_program, SiblingProgram("actor_worker"));
    RETURN_IF_ERROR(MakeFolder(options_.run_folder));
    const std::string file = options_.run_folder + "/checked.textproto";
    absl::Status status;
    for (const size_t i : to_do_) {
      if (runs_[i].seed != options_.seeds[0]) continue;
      // The worker knows which statistics there are.
      Experiment experiment = runs_[i].experiment;
      experiment.mutable_evaluation()->set_best_by(options_.statistic);
      RETURN_IF_ERROR(WriteFileAtomically(file, {FormatExperiment(experiment)}));
      status =
          Ask({worker_program, "evaluate", "--check_only", "--baselines=none", absl::StrCat("--experiment=", file)},
              absl::StrCat(runs_[i].name, " with --statistic=", options_.statistic, " as evaluation.best_by: "));
      if (!status.ok()) break;
    }
    RETURN_IF_ERROR(RemoveFile(file));
    return status;
  }

  absl::Status Ask(const std::vector<std::string>& command, const std::string& about) {
    ASSIGN_OR_RETURN(const auto child, PipedProcess::Start(command));
    std::string output;
    RETURN_IF_ERROR(child->ReadToEnd([this] { return stopping(); }, &output));
    if (child->Wait() == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat(about, absl::StripPrefix(absl::StripAsciiWhitespace(output), "actor_worker: ")));
  }

  absl::StatusOr<PooledRun> Prepare(size_t run) {
    const std::string folder = FolderOf(run), experiment = folder + ".textproto";
    RETURN_IF_ERROR(MakeFolder(std::filesystem::path(folder).parent_path()));
    RETURN_IF_ERROR(WriteFileAtomically(experiment, {FormatExperiment(runs_[run].experiment)}));
    return PooledRun{
        {learner_program_, "train", absl::StrCat("--experiment=", experiment), absl::StrCat("--run_dir=", folder),
         absl::StrCat("--local_workers=", options_.local_workers), "--metrics=", "--no_final_evaluation"},
        folder + ".log"};
  }

  absl::Status TrainAll() {
    std::vector<PooledRun> pooled;
    for (const size_t run : to_do_) {
      ASSIGN_OR_RETURN(PooledRun prepared, Prepare(run));
      pooled.push_back(std::move(prepared));
    }
    RunPoolLimits limits;
    limits.parallel = options_.parallel;
    if (options_.run_minutes > 0) limits.run = absl::Minutes(options_.run_minutes);
    RunPoolEvents events;
    events.started = [&](size_t i) {
      console_.Line(absl::StrCat(runs_[to_do_[i]].name, ": begun, ", i + 1, " of ", to_do_.size()));
    };
    events.ended = [&](size_t i, const absl::Status& status) { OnEnd(to_do_[i], status); };
    events.progress = [&](const auto& last_lines) {
      for (const auto& [i, line] : last_lines) {
        if (!line.empty()) console_.Progress(absl::StrCat(runs_[to_do_[i]].name, ": ", line), SteadyTime::Now());
      }
    };
    return RunAll(pooled, limits, events, [this] { return stopping(); });
  }

  void OnEnd(size_t run, const absl::Status& status) {
    const std::string& name = runs_[run].name;
    if (const absl::Status told = status.ok() ? TellFinished(run) : status; !told.ok()) {
      if (stopping()) return console_.Line(absl::StrCat(name, ": stopped"));
      ++num_failed_;
      console_.Warning(absl::StrCat(name, ": ", told.message()));
    }
  }

  absl::Status TellFinished(size_t run) {
    ASSIGN_OR_RETURN(const RunState state, FindRunState(FolderOf(run), runs_[run].experiment));
    if (state != RunState::kFinished) {
      return absl::AbortedError(absl::StrCat("ended before its end (", FolderOf(run), ".log)"));
    }
    RecordedRun records;
    ASSIGN_OR_RETURN(const double score, Score(run, &records));
    finished_[run] = true;
    console_.Line(absl::StrCat(runs_[run].name, ": done in ", FormatDuration(records.wall_seconds), ", ",
                               options_.statistic, " ", absl::StrFormat("%.4g", score)));
    return absl::OkStatus();
  }

  // What there is to show.
  absl::Status Close() {
    ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, SummariseSweep(options_, runs_, finished_));
    const std::string table = FormatSweepTable(options_, tasks);
    console_.Line(absl::StrCat("\n", absl::StripSuffix(table, "\n")));
    const std::vector<uint64_t> shared = SharedSeeds(options_, tasks);
    if (shared.size() < options_.seeds.size()) {
      console_.Warning(absl::StrCat("results.json and scores.json hold ", shared.size(), " of ", options_.seeds.size(),
                                    " seeds: those that all rows have finished"));
    }
    const auto file = [&](const char* name) { return absl::StrCat(options_.run_folder, "/", name); };
    RETURN_IF_ERROR(WriteFileAtomically(file("table.txt"), {table}));
    RETURN_IF_ERROR(WriteFileAtomically(file("results.json"), {FormatMarlEvalResults(options_, tasks)}));
    return WriteFileAtomically(file("scores.json"), {FormatScores(options_, tasks)});
  }

  const SweepOptions& options_;
  ShutdownSignal& shutdown_;
  Console console_{stdout, isatty(STDOUT_FILENO) == 1};
  std::string learner_program_;
  std::vector<PlannedRun> runs_;
  std::vector<bool> finished_;  // of runs_
  std::vector<size_t> to_do_;   // of runs_
  int num_failed_ = 0;
};

}  // namespace

absl::Status RunSweep(const SweepOptions& options, ShutdownSignal* shutdown) { return Sweep(options, shutdown).Run(); }

}  // namespace troupe
