#include "learner/run/train_command.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/config/experiment_loader.h"
#include "common/files/atomic_file.h"
#include "common/metrics/metrics.h"
#include "common/security/credential_files.h"
#include "common/status_macros.h"
#include "common/wire/spec_codec.h"
#include "learner/algorithms/algorithm.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/networks/device.h"
#include "learner/run/banner.h"
#include "learner/run/console.h"
#include "learner/run/final_evaluation.h"
#include "learner/run/piped_process.h"
#include "learner/run/progress.h"
#include "learner/run/run_folder.h"
#include "learner/run/run_metrics.h"
#include "learner/run/run_reporter.h"
#include "learner/run/training_loop.h"
#include "learner/run/worker_supervisor.h"
#include "learner/service/learner_server.h"

namespace troupe {
namespace {

constexpr absl::Duration kDrainGrace = absl::Seconds(10);
constexpr absl::Duration kWaitingReminder = absl::Seconds(30);

// The parts of one run, in the order they come to life.
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown)
      : options_(options), experiment_(experiment), shutdown_(*shutdown) {}

  absl::Status Run();

 private:
  absl::Status OpenFolder();
  absl::Status StartServing();
  absl::Status AwaitEnvironment();
  absl::Status PrepareLearning();
  absl::StatusOr<TrainingResult> Train();
  absl::Status FinishRun(const TrainingResult& result);
  absl::Status KeepFinalActors();
  absl::Status EvaluateFinally();
  void End(const std::string& reason, bool run_ended);

  bool stopping() const { return shutdown_.requested(); }
  absl::Status worker_health() const { return workers_ == nullptr ? absl::OkStatus() : workers_->health(); }
  bool is_complete() const { return start_.counters.env_steps >= experiment_.total_env_steps(); }

  const TrainOptions& options_;
  const Experiment experiment_;
  ShutdownSignal& shutdown_;
  Console console_{stdout, isatty(STDOUT_FILENO) == 1};
  Metrics metrics_;
  std::unique_ptr<RunFolder> folder_;
  Checkpoint start_;  // where the run begins or goes on
  bool resumed_ = false;
  std::string worker_program_;
  ChosenDevice device_;
  std::unique_ptr<LearnerServer> server_;
  std::unique_ptr<WorkerSupervisor> workers_;
  std::optional<EnvironmentSpec> environment_;
  std::unique_ptr<Algorithm> algorithm_;
};

absl::Status TrainingRun::OpenFolder() {
  const std::string path = options_.run_folder.empty() ? "runs/" + experiment_.name() : options_.run_folder;
  ASSIGN_OR_RETURN(folder_, RunFolder::Open(path, experiment_, options_.fresh));
  if (absl::Status status = console_.OpenLog(folder_->File("log.txt")); !status.ok()) {
    console_.Warning(std::string(status.message()));
  }
  CheckpointStore store(folder_->File("checkpoints"), experiment_.checkpoint().keep());
  std::vector<std::string> refused;
  absl::StatusOr<std::optional<Checkpoint>> newest = store.LoadNewest(folder_->run_id(), &refused);
  for (const std::string& line : refused) console_.Warning(line);
  RETURN_IF_ERROR(newest.status());
  resumed_ = newest->has_value();
  if (resumed_) start_ = **std::move(newest);
  start_.run_id = folder_->run_id();
  start_.experiment = experiment_;
  return absl::OkStatus();
}

absl::Status TrainingRun::StartServing() {
  ASSIGN_OR_RETURN(device_, ChooseDevice(experiment_.compute()));
  LearnerServerOptions server_options;
  server_options.listen_address = options_.listen_address;
  server_options.security = options_.security;
  std::vector<std::string> worker_command = {worker_program_};
  if (options_.local_workers > 0 && options_.security.any()) {
    // Whatever others need, the learner's own children come in plain text over loopback with a token of this run.
    server_options.local_token = RandomToken();
    RETURN_IF_ERROR(WriteSecretFile(folder_->File("workers/token"), server_options.local_token));
    worker_command.push_back(absl::StrCat("--token_file=", folder_->File("workers/token")));
  }
  server_options.experiment = experiment_;
  server_options.run_id = folder_->run_id();
  server_options.expected_workers =
      options_.expected_workers > 0 ? options_.expected_workers : std::max(1, options_.local_workers);
  server_options.max_workers_per_peer = std::max(server_options.max_workers_per_peer, server_options.expected_workers);
  server_options.log = [this](const std::string& line) { console_.Line(line); };
  const std::string host = options_.listen_address.substr(0, options_.listen_address.rfind(':'));
  ASSIGN_OR_RETURN(server_, LearnerServer::Start(server_options, &metrics_));
  RunPlaces places{folder_->path(),     folder_->run_id(),      absl::StrCat(host, ":", server_->port()), "",
                   device_.description, options_.local_workers, server_options.expected_workers};
  ShowRun(experiment_, folder_->path(), folder_->run_id(), server_options.expected_workers, &metrics_);
  if (!options_.metrics_address.empty()) {
    ASSIGN_OR_RETURN(const int port, metrics_.Serve(options_.metrics_address));
    places.metrics_url = absl::StrCat(
        "http://", options_.metrics_address.substr(0, options_.metrics_address.rfind(':')), ":", port, "/metrics");
  }
  console_.Line(FormatRun(experiment_, places));
  if (resumed_) console_.Line(FormatResume(start_.counters));
  if (options_.local_workers == 0) return absl::OkStatus();
  WorkerSupervisorOptions supervisor_options;
  worker_command.push_back(absl::StrCat("--learner=127.0.0.1:", server_->local_port()));
  supervisor_options.command = worker_command;
  supervisor_options.num_workers = options_.local_workers;
  supervisor_options.log_folder = folder_->File("workers");
  workers_ = std::make_unique<WorkerSupervisor>(supervisor_options, &console_, &metrics_);
  return absl::OkStatus();
}

absl::Status TrainingRun::AwaitEnvironment() {
  absl::Time reminded = absl::Now();
  while (!stopping()) {
    RETURN_IF_ERROR(worker_health());
    absl::StatusOr<EnvironmentSpec> environment = server_->WaitForEnvironment(absl::Milliseconds(250));
    if (environment.ok()) {
      environment_ = *std::move(environment);
      return absl::OkStatus();
    }
    if (!absl::IsDeadlineExceeded(environment.status())) return environment.status();
    if (absl::Now() - reminded < kWaitingReminder) continue;
    reminded = absl::Now();
    console_.Line(absl::StrCat("waiting for the first worker at port ", server_->port()));
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::PrepareLearning() {
  if (resumed_ && !(*environment_ == start_.environment)) {
    return absl::FailedPreconditionError(absl::StrCat("the environment is not the one this run began with: ",
                                                      DescribeDifference(start_.environment, *environment_)));
  }
  start_.environment = *environment_;
  RETURN_IF_ERROR(CheckBestBy(*environment_, experiment_.evaluation().best_by()));
  ASSIGN_OR_RETURN(const std::vector<PolicySpec> policies, MakePolicySpecs(experiment_, *environment_));
  console_.Line(FormatTask(experiment_, *environment_, policies));
  ASSIGN_OR_RETURN(algorithm_, CreateAlgorithm({experiment_, *environment_, policies, device_.name}));
  console_.Line(FormatArithmetic(algorithm_->arithmetic()));
  if (resumed_) RETURN_IF_ERROR(algorithm_->LoadState(start_.algorithm_state));
  auto weights = std::make_shared<const PolicyWeights>(algorithm_->ExportPolicy(start_.counters.update));
  return server_->Begin(*environment_, policies, std::move(weights), start_.ingest);
}

absl::StatusOr<TrainingResult> TrainingRun::Train() {
  ASSIGN_OR_RETURN(const auto reporter,
                   RunReporter::Create(folder_->path(), start_, &console_, &metrics_, absl::Now()));
  CheckpointWriter writer(CheckpointStore(folder_->File("checkpoints"), experiment_.checkpoint().keep()),
                          folder_->File("actors"),
                          [&reporter](const CheckpointWrite& write) { reporter->OnCheckpoint(write, absl::Now()); });
  TrainingParts parts;
  parts.server = server_.get();
  parts.algorithm = algorithm_.get();
  parts.checkpoints = &writer;
  parts.reporter = reporter.get();
  parts.console = &console_;
  parts.stop_requested = [this] { return stopping(); };
  parts.health = [this] { return worker_health(); };
  return TrainingLoop(std::move(parts), start_).Run();
}

void TrainingRun::End(const std::string& reason, bool run_ended) {
  if (server_ != nullptr) server_->Drain(reason, run_ended, kDrainGrace);
  // Workers leave by themselves only when the run has ended.
  if (workers_ != nullptr) workers_->Stop(run_ended ? kDrainGrace : absl::ZeroDuration());
}

absl::Status TrainingRun::FinishRun(const TrainingResult& result) {
  console_.Line(absl::StrCat("trained on ", WithThousands(result.counters.env_steps), " environment steps in ",
                             WithThousands(result.counters.update), " updates, ",
                             FormatDuration(result.counters.wall_seconds)));
  console_.Line(absl::StrCat("weights sha256 ", result.weights_sha256));
  return KeepFinalActors();
}

absl::Status TrainingRun::KeepFinalActors() {
  ASSIGN_OR_RETURN(const std::string actors, ReadWholeFile(folder_->File("actors/last.safetensors")));
  return WriteFileAtomically(folder_->File("actors/final.safetensors"), {actors});
}

absl::Status TrainingRun::EvaluateFinally() {
  console_.Line(absl::StrCat("final evaluation of the policy as training left it, ",
                             experiment_.evaluation().final_episodes(), " episodes each:"));
  return RunToConsole(EvaluateCommand(worker_program_, experiment_.evaluation(),
                                      folder_->File("actors/final.safetensors"), folder_->File("evaluation.json")),
                      folder_->File("evaluation.txt"), &console_, [this] { return stopping(); });
}

absl::Status TrainingRun::Run() {
  if (options_.local_workers > 0 || options_.final_evaluation) {
    ASSIGN_OR_RETURN(worker_program_, SiblingProgram("actor_worker"));
  }
  RETURN_IF_ERROR(OpenFolder());
  if (is_complete()) {
    console_.Line(absl::StrCat(folder_->path(), " is complete: ", WithThousands(start_.counters.env_steps), " of ",
                               WithThousands(experiment_.total_env_steps()),
                               " environment steps; a larger total_env_steps goes on from there"));
    if (!std::filesystem::exists(folder_->File("actors/final.safetensors"))) RETURN_IF_ERROR(KeepFinalActors());
  } else {
    absl::Status status = StartServing();
    if (status.ok()) status = AwaitEnvironment();
    if (status.ok() && environment_.has_value()) status = PrepareLearning();
    if (!status.ok() || !environment_.has_value()) {
      End("the run does not begin", /*run_ended=*/false);
      return status;
    }
    const absl::StatusOr<TrainingResult> result = Train();
    const bool run_ended = result.ok() && result->finished;
    End(run_ended ? "the run has ended" : "the learner stops", run_ended);
    RETURN_IF_ERROR(result.status());
    if (!result->finished) {
      console_.Line(absl::StrCat("stopped by request after ", WithThousands(result->counters.env_steps),
                                 " environment steps; the same command goes on from there"));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(FinishRun(*result));
  }
  if (!options_.final_evaluation || (is_complete() && std::filesystem::exists(folder_->File("evaluation.txt")))) {
    return absl::OkStatus();
  }
  const absl::Status evaluated = EvaluateFinally();
  return absl::IsCancelled(evaluated) ? absl::OkStatus() : evaluated;
}

}  // namespace

absl::StatusOr<Experiment> ReadTrainExperiment(const TrainOptions& options) {
  if (options.experiment_path.empty()) {
    return absl::InvalidArgumentError(
        "--experiment=FILE is needed, for example deploy/experiments/grid_world.textproto");
  }
  if (options.local_workers < 0 || options.local_workers > 1024) {
    return absl::InvalidArgumentError(absl::StrCat("--local_workers=", options.local_workers, ": expected 0 to 1024"));
  }
  if (options.expected_workers < 0 || options.expected_workers > 1024) {
    return absl::InvalidArgumentError(
        absl::StrCat("--expected_workers=", options.expected_workers, ": expected 0 to 1024"));
  }
  RETURN_IF_ERROR(CheckServerSecurity(options.security, options.listen_address));
  return LoadExperiment(options.experiment_path, options.overrides);
}

absl::Status RunTraining(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown) {
  return TrainingRun(options, experiment, shutdown).Run();
}

}  // namespace troupe
