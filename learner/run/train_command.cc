#include "learner/run/train_command.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/config/curriculum_settings.h"
#include "common/config/experiment_loader.h"
#include "common/config/setting_advice.h"
#include "common/files/atomic_file.h"
#include "common/metrics/metrics.h"
#include "common/processes/file_limit.h"
#include "common/processes/piped_process.h"
#include "common/security/addresses.h"
#include "common/security/credential_files.h"
#include "common/specs/algorithm_card.h"
#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/warm_start.h"
#include "learner/arithmetic/gpu/device.h"
#include "learner/checkpoint/checkpoint_store.h"
#include "learner/checkpoint/checkpoint_writer.h"
#include "learner/ingest/shard_range.h"
#include "learner/local_workers/worker_supervisor.h"
#include "learner/ranks/collective.h"
#include "learner/ranks/rank_group.h"
#include "learner/reporting/banner.h"
#include "learner/reporting/batch_log.h"
#include "learner/reporting/console.h"
#include "learner/reporting/progress.h"
#include "learner/reporting/run_metrics.h"
#include "learner/reporting/run_reporter.h"
#include "learner/reporting/training_metrics.h"
#include "learner/run/curriculum.h"
#include "learner/run/environment_fit.h"
#include "learner/run/final_evaluation.h"
#include "learner/run/initial_actors.h"
#include "learner/run/part_options.h"
#include "learner/run/rank_addresses.h"
#include "learner/run/rank_agreement.h"
#include "learner/run/rank_rejoin.h"
#include "learner/run/run_folder.h"
#include "learner/run/run_results.h"
#include "learner/run/run_start.h"
#include "learner/run/training_loop.h"
#include "learner/self_play/self_play.h"
#include "learner/service/learner_server.h"
#include "learner/service/rank_directory.h"

namespace troupe {
namespace {

constexpr absl::Duration kDrainGrace = absl::Seconds(10);
constexpr char kFinishedHelp[] = "1 once all that was to be done for the run is done.";
constexpr absl::Duration kFirstWaitingReminder = absl::Seconds(5);
constexpr absl::Duration kWaitingReminder = absl::Seconds(30);

// Of a port that this process listened on until a moment ago.
constexpr absl::Duration kPortPatience = absl::Seconds(10);

std::string NameOf(const TrainOptions& options) {
  return options.ranks.has_value() && options.ranks->rank > 0 ? absl::StrCat("rank ", options.ranks->rank) : "";
}

// The parts of one run, in the order they come to life.
class TrainingRun {
 public:
  TrainingRun(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown)
      : options_(options),
        experiment_(experiment),
        shutdown_(*shutdown),
        directory_(NewDirectory(options, experiment)) {}

  absl::Status Run();

  // What Run returned with.
  TimeTogether Describe(absl::Status status);
  // Where this run listened, so that the next one of this process is found at the same place.
  void KeepPlaces(TrainOptions* options) const;

 private:
  absl::Status Listen();
  absl::Status TrainAndEvaluate();
  absl::Status JoinRanks();
  absl::Status OpenFolder();
  absl::Status ClaimFolder();
  absl::Status Begin();
  absl::Status OpenRun();
  void StartLocalWorkers();
  absl::Status AwaitEnvironment();
  absl::Status PrepareLearning();
  absl::Status TakeInitialActors(const std::vector<PolicySpec>& policies);
  absl::StatusOr<TrainingResult> Train();
  absl::Status FinishRun(const TrainingResult& result);
  absl::Status ShowComplete();
  absl::Status EvaluateFinally();
  void End(const std::string& reason, bool run_ended);

  void Say(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) console_.Line(line);
  }
  bool stopping() const { return shutdown_.requested(); }
  // Whether workers run, and can do what they are for.
  absl::Status worker_health() const {
    if (workers_ != nullptr) RETURN_IF_ERROR(workers_->health());
    return server_->health();
  }
  std::string run_path() const { return RunFolderOf(options_, experiment_); }
  int expected_workers() const { return ExpectedWorkers(options_); }
  ShardRange own_shards() const { return OwnShards(options_, experiment_); }
  bool is_first() const { return ranks_->rank() == 0; }
  bool is_complete() const { return start_.counters.env_steps >= experiment_.total_env_steps(); }

  const TrainOptions& options_;
  const Experiment experiment_;
  ShutdownSignal& shutdown_;
  Console console_{stdout, isatty(STDOUT_FILENO) == 1, NameOf(options_)};
  Metrics metrics_;
  std::shared_ptr<Collective> ranks_ = std::make_shared<SingleRank>();
  std::shared_ptr<RankDirectory> directory_;           // of several ranks
  std::shared_ptr<InterruptibleRanks> interruptible_;  // the same ranks, for the algorithm
  std::unique_ptr<RunFolder> folder_;                  // rank 0's
  std::string own_folder_;                             // for this rank's logs
  Checkpoint start_;                                   // where the run begins or goes on
  bool resumed_ = false;
  std::optional<uint64_t> began_with_;              // the update, once it is known
  bool finished_ = false;                           // all that was to be done for the run is done
  std::vector<SettingChange> environment_changes_;  // that the environment has not allowed yet
  std::string worker_program_;
  std::string local_token_;  // not empty: local workers need it
  int metrics_port_ = 0;
  ChosenDevice device_;
  std::unique_ptr<LearnerServer> server_;
  std::unique_ptr<WorkerSupervisor> workers_;
  std::optional<EnvironmentSpec> environment_;
  std::unique_ptr<Algorithm> algorithm_;
};

// From here to the end of the process health and metrics are answered, however long loading a checkpoint, waiting for
// other ranks or the last evaluation take.
absl::Status TrainingRun::Listen() {
  RETURN_IF_ERROR(
      CheckFileLimit(RaiseFileLimit(), std::max(expected_workers(), options_.max_workers), options_.local_workers));
  metrics_.Gauge("troupe_run_finished", kFinishedHelp);
  LearnerServerOptions server_options = ServerOptionsOf(options_, experiment_);
  if (options_.local_workers > 0) server_options.local_token = local_token_ = RandomToken();
  server_options.check_environment = [this](const EnvironmentSpec& environment) {
    return FitEnvironment(experiment_, environment, own_shards(), options_.local_workers).status();
  };
  server_options.directory = directory_;
  server_options.log = [this](const std::string& line) { console_.Line(line); };
  // Ports that this process gave back a moment ago may not be free yet.
  const absl::Duration patience = options_.rejoins > 0 ? kPortPatience : absl::ZeroDuration();
  RETURN_IF_ERROR(RetryWhileUnavailable(patience, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(server_, LearnerServer::Start(server_options, &metrics_));
    return absl::OkStatus();
  }));
  if (options_.metrics_address.empty()) return absl::OkStatus();
  return RetryWhileUnavailable(patience, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(metrics_port_, metrics_.Serve(options_.metrics_address));
    return absl::OkStatus();
  });
}

absl::Status TrainingRun::JoinRanks() {
  if (!options_.ranks.has_value()) return absl::OkStatus();
  RankGroupOptions group = GroupOptionsOf(options_);
  group.stop_requested = [this] { return stopping(); };
  group.log = [this](const std::string& line) { console_.Line(line); };
  ASSIGN_OR_RETURN(ranks_, JoinRankGroup(group));
  RETURN_IF_ERROR(AgreeAllIsWell(CheckSameExperiment(experiment_, ranks_.get()), ranks_.get()));
  const std::string own = server_ == nullptr ? "" : AddressForWorkers(options_, server_->port());
  return ShareAddresses(own, ranks_.get(), directory_.get());
}

absl::Status TrainingRun::OpenFolder() {
  const std::string path = run_path();
  start_.experiment = experiment_;
  own_folder_ = is_first() ? path : absl::StrCat(path, "/rank-", ranks_->rank());
  if (!is_first()) {
    RETURN_IF_ERROR(MakeFolder(own_folder_ + "/workers"));
    return console_.OpenLog(own_folder_ + "/log.txt");
  }
  ASSIGN_OR_RETURN(folder_, RunFolder::Open(path));
  if (absl::Status status = console_.OpenLog(folder_->File("log.txt")); !status.ok()) {
    console_.Warning(std::string(status.message()));
  }
  std::vector<std::string> lines;
  absl::StatusOr<RunStart> start = FindRunStart(*folder_, experiment_, options_.fresh, &lines);
  Say(lines);
  RETURN_IF_ERROR(start.status());
  resumed_ = start->resumed;
  start_ = std::move(start->checkpoint);
  environment_changes_ = std::move(start->changes.environment);
  return resumed_ ? absl::OkStatus() : CheckInitialActors(experiment_);
}

absl::Status TrainingRun::ClaimFolder() {
  RETURN_IF_ERROR(folder_->Claim(start_.run_id, experiment_));
  std::vector<std::string> lines;
  absl::Status status = SetFinalResultsAside(*folder_, nullptr, &lines);
  if (status.ok() && resumed_) status = TakeUpBest(*folder_, &start_, &lines);
  Say(lines);
  return status;
}

absl::Status TrainingRun::OpenRun() {
  const int local_rank = options_.ranks.has_value() ? options_.ranks->local_rank : 0;
  ASSIGN_OR_RETURN(device_, ChooseDevice(experiment_.compute(), local_rank));
  if (!local_token_.empty()) RETURN_IF_ERROR(WriteSecretFile(own_folder_ + "/workers/token", local_token_));
  server_->Open(start_.run_id, resumed_ ? std::optional(start_.environment) : std::nullopt);
  CheckpointEnvSteps(&metrics_).Set(static_cast<double>(start_.counters.env_steps));
  ShowRun(experiment_, run_path(), start_.run_id, expected_workers(), &metrics_);
  RunPlaces places{own_folder_,
                   start_.run_id,
                   AddressOf(options_.listen_address, server_->port()),
                   "",
                   device_.description,
                   options_.local_workers,
                   expected_workers()};
  if (metrics_port_ != 0) {
    places.metrics_url = absl::StrCat("http://", AddressOf(options_.metrics_address, metrics_port_), "/metrics");
  }
  if (is_first()) console_.Line(FormatRun(experiment_, places));
  if (ranks_->size() > 1) {
    console_.Line(absl::StrCat(is_first() ? "rank 0: " : "", FormatRank(ranks_->size(), own_shards(), places)));
  }
  if (resumed_ && is_first()) console_.Line(FormatResume(start_.counters));
  if (resumed_ && is_first() && !start_.warm_start.empty()) {
    console_.Line(absl::StrCat("began with the actors of ", start_.warm_start));
  }
  if (is_first() && !options_.no_final_evaluation_here.empty()) {
    console_.Warning(absl::StrCat("the table against the baselines at the end cannot be played on this machine: ",
                                  options_.no_final_evaluation_here));
  }
  if (is_first()) {
    for (const std::string& line : AdviceOn(experiment_, expected_workers())) console_.Warning(line);
  }
  if (options_.local_workers > 0) StartLocalWorkers();
  return absl::OkStatus();
}

void TrainingRun::StartLocalWorkers() {
  WorkerSupervisorOptions supervisor_options;
  supervisor_options.command = {worker_program_, absl::StrCat("--learner=", server_->local_address()),
                                "--allow_machine_settings",
                                absl::StrCat("--token_file=", own_folder_, "/workers/token")};
  supervisor_options.num_workers = options_.local_workers;
  supervisor_options.log_folder = own_folder_ + "/workers";
  workers_ = std::make_unique<WorkerSupervisor>(supervisor_options, &console_, &metrics_);
}

absl::Status TrainingRun::AwaitEnvironment() {
  SteadyTime remind = SteadyTime::Now() + kFirstWaitingReminder;
  std::optional<EnvironmentSpec> found;
  while (true) {
    const bool stop = stopping();
    absl::Status health = stop ? absl::OkStatus() : worker_health();
    if (!stop && health.ok() && !found.has_value()) {
      absl::StatusOr<EnvironmentSpec> environment = server_->WaitForEnvironment(absl::Milliseconds(250));
      if (environment.ok()) found = *std::move(environment);
      if (!environment.ok() && !absl::IsDeadlineExceeded(environment.status())) health = environment.status();
    }
    ASSIGN_OR_RETURN(const Verdict verdict, Agree(found.has_value(), stop, health, ranks_.get(), directory_.get()));
    if (verdict == Verdict::kStop) return absl::OkStatus();
    if (verdict == Verdict::kGoOn) {
      environment_ = std::move(found);
      return absl::OkStatus();
    }
    if (found.has_value() || SteadyTime::Now() < remind) continue;
    remind = SteadyTime::Now() + kWaitingReminder;
    console_.Line(absl::StrCat(
        "waiting for the first worker at ", AddressOf(options_.listen_address, server_->port()),
        workers_ == nullptr ? "" : "; the learner's own says: ", workers_ == nullptr ? "" : workers_->last_words()));
  }
}

absl::Status TrainingRun::PrepareLearning() {
  if (ranks_->size() > 1) {
    const absl::Status same = CheckSameEnvironment(*environment_, ranks_.get());
    RETURN_IF_ERROR(AgreeAllIsWell(same, ranks_.get()));
  }
  // A changed setting says more than what it makes of the environment.
  RETURN_IF_ERROR(CheckEnvironmentChanges(environment_changes_, *environment_));
  start_.environment = *environment_;
  ASSIGN_OR_RETURN(const EnvironmentFit fit,
                   FitEnvironment(experiment_, *environment_, own_shards(), options_.local_workers));
  const std::vector<PolicySpec>& policies = fit.policies;
  if (is_first()) console_.Line(FormatTask(experiment_, *environment_, policies));
  if (is_first()) console_.Line(FormatMemory(SumOf(fit.memory), fit.memory_use));
  AlgorithmContext context{start_.experiment, *environment_, policies};
  context.ranks = interruptible_ = std::make_shared<InterruptibleRanks>(ranks_, [this] { return stopping(); });
  context.run_folder = own_folder_;
  context.tell = [this](const std::string& line) { console_.Line(line); };
  context.arithmetic.device = device_.name;
  context.arithmetic.warn = [this](const std::string& line) { console_.Warning(line); };
  ASSIGN_OR_RETURN(algorithm_, CreateAlgorithm(context));
  if (is_first()) console_.Line(FormatArithmetic(algorithm_->arithmetic()));
  RETURN_IF_ERROR(AgreeAllIsWell(CheckSameArithmetic(algorithm_->bits(), ranks_.get()), ranks_.get()));
  if (resumed_) {
    RETURN_IF_ERROR(algorithm_->LoadState(start_.algorithm_state));
  } else {
    start_.curriculum = FirstStage(start_.experiment);
    start_.self_play = FirstPool(start_.experiment);
    RETURN_IF_ERROR(TakeInitialActors(policies));
  }
  if (is_first() && start_.curriculum.has_value()) {
    console_.Line(FormatCurriculum(start_.experiment.curriculum(), start_.curriculum->stage));
  }
  if (is_first() && start_.self_play.has_value()) {
    console_.Line(FormatSelfPlay(experiment_.self_play(), policies, start_.self_play->pool.size()));
  }
  if (is_first()) RETURN_IF_ERROR(ClaimFolder());
  PolicySnapshot policy =
      algorithm_->ExportPolicy({start_.counters.update, start_.counters.env_steps, experiment_.total_env_steps()});
  AddStage(start_.curriculum, &policy);
  policy.roster = SelfPlay(start_).roster();
  return server_->Begin(*environment_, policies, std::make_shared<const PolicySnapshot>(std::move(policy)),
                        start_.ingest);
}

absl::Status TrainingRun::TakeInitialActors(const std::vector<PolicySpec>& policies) {
  if (experiment_.initial_actors().empty() && experiment_.group_initial_actors().empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const InitialActors initial, ShareInitialActors(experiment_, *environment_, policies, ranks_.get()));
  Say(initial.lines);
  start_.warm_start = initial.summary;
  return WarmStart(initial.tensors, algorithm_.get());
}

absl::StatusOr<TrainingResult> TrainingRun::Train() {
  // Rank 0 alone evaluates and writes.
  if (!is_first()) start_.experiment.mutable_evaluation()->set_interval_env_steps(0);
  ASSIGN_OR_RETURN(const auto reporter,
                   RunReporter::Create(is_first() ? own_folder_ : "", start_, &console_, &metrics_, absl::Now()));
  std::optional<CheckpointWriter> writer;
  if (is_first()) {
    writer.emplace(CheckpointStore(folder_->File("checkpoints"), experiment_.checkpoint().keep()),
                   folder_->File("actors"),
                   [&reporter](const CheckpointWrite& write) { reporter->OnCheckpoint(write, absl::Now()); });
  }
  TrainingParts parts;
  parts.server = server_.get();
  parts.algorithm = algorithm_.get();
  parts.checkpoints = is_first() ? &*writer : nullptr;
  parts.reporter = reporter.get();
  parts.console = &console_;
  parts.ranks = ranks_;
  parts.directory = directory_;
  parts.interruptible = interruptible_;
  parts.folder = own_folder_;
  parts.stop_requested = [this] { return stopping(); };
  parts.health = [this] { return worker_health(); };
  std::unique_ptr<BatchLog> batch_log;
  if (!options_.batch_log.empty()) {
    ASSIGN_OR_RETURN(batch_log, BatchLog::Open(options_.batch_log));
    parts.on_batch = [this, &batch_log, told = false](uint64_t update, const TrainingBatch& batch) mutable {
      const absl::Status status = batch_log->Append(update, batch);
      if (!status.ok() && !std::exchange(told, true)) console_.Warning(std::string(status.message()));
    };
  }
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
  const CurriculumSettings& curriculum = experiment_.curriculum();
  if (const std::optional<CurriculumState>& state = result.last->curriculum;
      is_first() && state.has_value() && state->stage < static_cast<uint32_t>(curriculum.stages_size())) {
    console_.Warning(absl::StrCat("training ended in stage ", StageName(curriculum, state->stage),
                                  " of the curriculum and was never on the task itself"));
  }
  if (!is_first()) return absl::OkStatus();
  RETURN_IF_ERROR(result.kept);
  return KeepFinalActors(*folder_, *result.last);
}

// The run needs no more training: what it left is what is to be shown, if it is of the policy it ended with.
absl::Status TrainingRun::ShowComplete() {
  console_.Line(absl::StrCat(folder_->path(), " is complete: ", WithThousands(start_.counters.env_steps), " of ",
                             WithThousands(experiment_.total_env_steps()),
                             " environment steps; a larger total_env_steps goes on from there"));
  std::vector<std::string> lines;
  const absl::Status status = SetFinalResultsAside(*folder_, &start_.counters, &lines);
  Say(lines);
  RETURN_IF_ERROR(status);
  return KeepFinalActors(*folder_, start_);
}

absl::Status TrainingRun::EvaluateFinally() {
  if (!options_.no_final_evaluation_here.empty()) {
    console_.Line(absl::StrCat("no table against the baselines: it cannot be played on this machine; where it can: ",
                               "actor_worker evaluate --actors=", folder_->File("actors/final.safetensors")));
    return absl::OkStatus();
  }
  return PlayFinalTable(worker_program_, experiment_.evaluation(), folder_->path(), &console_,
                        [this] { return stopping(); });
}

absl::Status TrainingRun::Begin() {
  RETURN_IF_ERROR(AgreeAllIsWell(OpenRun(), ranks_.get()));
  RETURN_IF_ERROR(AwaitEnvironment());
  if (!environment_.has_value()) return absl::OkStatus();
  return AgreeAllIsWell(PrepareLearning(), ranks_.get());
}

absl::Status TrainingRun::TrainAndEvaluate() {
  if (options_.local_workers > 0 || options_.final_evaluation) {
    ASSIGN_OR_RETURN(worker_program_, SiblingProgram("actor_worker"));
  }
  const absl::Status listening = Listen();
  const absl::Status joined = JoinRanks();
  if (!joined.ok()) return absl::IsCancelled(joined) ? absl::OkStatus() : joined;
  RETURN_IF_ERROR(AgreeAllIsWell(listening, ranks_.get()));
  RETURN_IF_ERROR(AgreeAllIsWell(OpenFolder(), ranks_.get()));
  RETURN_IF_ERROR(AgreeAllIsWell(ShareStart(&start_, &resumed_, ranks_.get()), ranks_.get()));
  began_with_ = start_.counters.update;
  finished_ = is_complete() && !is_first();
  if (finished_) return absl::OkStatus();
  if (is_complete()) {
    End("the run is complete", /*run_ended=*/true);
    // No worker comes to say which settings are free; the run's own environment told it.
    RETURN_IF_ERROR(CheckEnvironmentChanges(environment_changes_, start_.environment));
    RETURN_IF_ERROR(ShowComplete());
  } else {
    const absl::Status status = Begin();
    if (!status.ok() || !environment_.has_value()) {
      End("the run does not begin", /*run_ended=*/false);
      return status;
    }
    const absl::StatusOr<TrainingResult> result = Train();
    const bool run_ended = result.ok() && result->finished;
    End(run_ended ? "the run has ended" : "the learner stops", run_ended);
    RETURN_IF_ERROR(result.status());
    if (!result->finished) {
      RETURN_IF_ERROR(result->kept);
      console_.Line(absl::StrCat("stopped by request after ", WithThousands(result->counters.env_steps),
                                 " environment steps; the same command goes on from there"));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(FinishRun(*result));
  }
  finished_ = !options_.final_evaluation || !is_first() || (is_complete() && HasFinalTable(*folder_, start_.counters));
  if (finished_) return absl::OkStatus();
  const absl::Status evaluated = EvaluateFinally();
  finished_ = evaluated.ok();
  return absl::IsCancelled(evaluated) ? absl::OkStatus() : evaluated;
}

absl::Status TrainingRun::Run() {
  RETURN_IF_ERROR(TrainAndEvaluate());
  if (!finished_) return absl::OkStatus();
  // Whoever watches shall know why this process answers no more.
  metrics_.Gauge("troupe_run_finished", kFinishedHelp).Set(1);
  metrics_.AwaitScrape([this] { return stopping(); });
  return absl::OkStatus();
}

TimeTogether TrainingRun::Describe(absl::Status status) {
  const bool lost = !status.ok() && (!ranks_->status().ok() || absl::IsAborted(status));
  if (lost && options_.rank_rejoin > absl::ZeroDuration() && !stopping()) {
    console_.Warning(absl::StrCat(status.message(), "; they are waited for (--rank_rejoin)"));
  }
  return {std::move(status), ranks_->size() > 1, lost, began_with_};
}

void TrainingRun::KeepPlaces(TrainOptions* options) const {
  if (server_ != nullptr) options->listen_address = AddressOf(options->listen_address, server_->port());
  if (metrics_port_ != 0) options->metrics_address = AddressOf(options->metrics_address, metrics_port_);
}

}  // namespace

TimeTogether TrainTogether(const TrainOptions& options, const Experiment& experiment, ShutdownSignal* shutdown,
                           TrainOptions* again) {
  try {
    TrainingRun run(options, experiment, shutdown);
    TimeTogether time = run.Describe(run.Run());
    run.KeepPlaces(again);
    return time;
  } catch (const std::bad_alloc&) {
    return {.status = absl::ResourceExhaustedError(
                "memory ran out; the run goes on from its last checkpoint when started again")};
  }
}

}  // namespace troupe
