// The unary calls of the session and the checks of who may take part.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/threads/sync_point.h"
#include "common/wire/protocol_version.h"
#include "common/wire/spec_codec.h"
#include "learner/service/rank_directory.h"
#include "learner/service/training_session.h"

namespace troupe {

absl::StatusOr<std::string> TrainingSession::OpenRunId() const {
  absl::MutexLock lock(&mutex_);
  if (!run_id_.empty()) return run_id_;
  return absl::UnavailableError(draining_ ? absl::StrCat("draining: ", drain_reason_) : "the learner is starting");
}

absl::Status TrainingSession::DescribeRun(const wire::DescribeRunRequest& request,
                                          wire::DescribeRunResponse* response) {
  if (request.protocol_version() != kProtocolVersion) {
    return Refuse("protocol_version",
                  absl::FailedPreconditionError(absl::StrCat("protocol_version: came ", request.protocol_version(),
                                                             ", expected ", kProtocolVersion)));
  }
  ASSIGN_OR_RETURN(*response->mutable_run_id(), OpenRunId());
  *response->mutable_experiment() = options_.experiment;
  absl::MutexLock lock(&mutex_);
  if (run_ended_) response->mutable_drain()->set_reason(drain_reason_);
  return absl::OkStatus();
}

absl::Status TrainingSession::CheckRegistration(const wire::RegisterRequest& request, const std::string& run_id) {
  if (request.protocol_version() != kProtocolVersion) {
    return Refuse("protocol_version",
                  absl::FailedPreconditionError(absl::StrCat("protocol_version: came ", request.protocol_version(),
                                                             ", expected ", kProtocolVersion)));
  }
  if (request.run_id() != run_id) {
    return Refuse("run_id",
                  absl::FailedPreconditionError(absl::StrCat(
                      "run_id: came \"", request.run_id().substr(0, kMaxNameBytes), "\", expected \"", run_id, "\"")));
  }
  if (request.host().size() > kMaxNameBytes || request.build().size() > kMaxNameBytes) {
    return Refuse("name_length", absl::InvalidArgumentError(
                                     absl::StrCat(request.host().size() > kMaxNameBytes ? "host" : "build", ": came ",
                                                  std::max(request.host().size(), request.build().size()),
                                                  " bytes, expected at most ", kMaxNameBytes)));
  }
  if (request.max_shards() < 1 || request.max_shards() > kMaxShardsPerWorker) {
    return Refuse("max_shards", absl::InvalidArgumentError(absl::StrCat("max_shards: came ", request.max_shards(),
                                                                        ", expected [1, ", kMaxShardsPerWorker, "]")));
  }
  return absl::OkStatus();
}

absl::Status TrainingSession::CheckRoom(const std::string& peer) {
  const bool shared = IsLoopbackPeer(peer) || std::ranges::any_of(workers_, [&](const auto& entry) {
                        return entry.second.peer == peer && entry.second.chunks_admitted > 0;
                      });
  if (const absl::Status status = peers_.MayRegister(peer, shared, clock_()); !status.ok()) {
    return Refuse("malformed_peer", status);
  }
  if (workers_.size() >= static_cast<size_t>(options_.max_workers)) {
    return Refuse("too_many_workers", absl::ResourceExhaustedError(absl::StrCat(
                                          "workers: ", workers_.size(), " are registered, the most there may be")));
  }
  const auto of_peer = std::ranges::count_if(workers_, [&](const auto& entry) { return entry.second.peer == peer; });
  if (of_peer >= options_.max_workers_per_peer) {
    return Refuse("too_many_workers_of_peer",
                  absl::ResourceExhaustedError(
                      absl::StrCat("workers: ", of_peer, " are registered from this address, the most there may be")));
  }
  return absl::OkStatus();
}

absl::Status TrainingSession::CheckEnvironment(const EnvironmentSpec& spec, bool local) {
  {
    absl::MutexLock lock(&mutex_);
    if (choice_.chosen().has_value() || !options_.check_environment) return absl::OkStatus();
  }
  absl::Status status = options_.check_environment(spec);
  if (status.ok()) return status;
  absl::MutexLock lock(&mutex_);
  if (local) own_environment_ = status;
  // Whatever it lacks, this worker cannot take part in this run.
  return absl::FailedPreconditionError(absl::StrCat("environment_spec: ", status.message()));
}

absl::Status TrainingSession::RefuseEnvironment(const wire::RegisterRequest& request, const absl::Status& status) {
  Log("refused environments",
      absl::StrCat("warning: a worker from ", request.host(), " is refused: ", status.message()));
  return Refuse("environment_spec", status);
}

void TrainingSession::ChooseEnvironment() {
  for (const std::string& worker_id : choice_.Choose(clock_())) RemoveMisfit(worker_id);
}

void TrainingSession::RemoveMisfit(const std::string& worker_id) {
  RemoveWorker(worker_id, absl::NotFoundError("environment_spec: the run has another, register again"), nullptr);
}

absl::Status TrainingSession::Register(const wire::RegisterRequest& request, const std::string& peer, bool local,
                                       wire::RegisterResponse* response) {
  ASSIGN_OR_RETURN(const std::string run_id, OpenRunId());
  RETURN_IF_ERROR(CheckRegistration(request, run_id));
  absl::StatusOr<EnvironmentSpec> spec = DecodeEnvironmentSpec(request.environment_spec());
  if (!spec.ok()) {
    return Refuse("environment_spec",
                  absl::Status(spec.status().code(), absl::StrCat("environment_spec: ", spec.status().message())));
  }
  const absl::Status possible = CheckEnvironment(*spec, local);
  const SyncPoint point("worker.register");
  absl::MutexLock lock(&mutex_);
  if (draining_) return Refuse("draining", absl::UnavailableError(absl::StrCat("draining: ", drain_reason_)));
  if (!possible.ok()) return RefuseEnvironment(request, possible);
  const bool may_move = !local && request.has_redirects() && options_.directory != nullptr;
  if (may_move) {
    const int max_shards = static_cast<int>(request.max_shards());
    // By the clock that the ranks' agreement goes by.
    response->set_serve_at(options_.directory->Place(max_shards, request.redirects(), SteadyTime::Now()));
    if (!response->serve_at().empty()) {
      Log("workers sent on", absl::StrCat("a worker from ", request.host(), " is sent on to ", response->serve_at()));
      return absl::OkStatus();
    }
  }
  RETURN_IF_ERROR(CheckRoom(peer));
  for (const std::string& absent : choice_.InTheWay()) {
    RemoveWorker(absent, absl::NotFoundError("another environment was announced meanwhile, register again"), nullptr);
  }
  const std::string worker_id = absl::StrCat("worker-", ++workers_registered_, "-", id_nonce_);
  if (const absl::Status status = choice_.Announce(worker_id, *spec, local); !status.ok()) {
    return RefuseEnvironment(request, status);
  }
  Worker& worker = workers_[worker_id];
  worker.host = request.host();
  worker.peer = peer;
  worker.number = workers_registered_;
  worker.may_move = may_move;
  leases_.AddWorker(worker_id, static_cast<int>(request.max_shards()), clock_());
  if (options_.directory != nullptr) {
    worker.capacity = options_.directory->CapacityOf(static_cast<int>(request.max_shards()));
    if (may_move && request.redirects() > 0) ++workers_arrived_;
    CountWorkers();
  }
  Log("registrations",
      absl::StrCat(worker_id, " registered from ", request.host(), ", takes up to ", request.max_shards(), " shards"));
  response->set_worker_id(worker_id);
  return absl::OkStatus();
}

void TrainingSession::CountWorkers() {
  if (options_.directory == nullptr) return;
  RankLoad load{.arrivals = static_cast<double>(workers_arrived_)};
  int smallest = 0;
  for (const auto& [worker_id, worker] : workers_) {
    load.capacity += worker.capacity;
    if (worker.may_move && (smallest == 0 || worker.capacity < smallest)) smallest = worker.capacity;
  }
  options_.directory->SetOwn(load, smallest);
}

void TrainingSession::GiveWorkerBack() {
  const std::string* newest = nullptr;
  for (const auto& [worker_id, worker] : workers_) {
    if (!worker.may_move || worker.stream == nullptr) continue;
    if (newest == nullptr || worker.number > workers_.at(*newest).number) newest = &worker_id;
  }
  if (newest == nullptr) return;
  const std::string worker_id = *newest;
  Log("workers given back", absl::StrCat(worker_id, " is given back: another learner of the run has fewer workers"));
  RemoveWorker(worker_id, absl::NotFoundError("another learner of the run has fewer workers, register again"), nullptr);
}

absl::Status TrainingSession::Leave(const std::string& worker_id) {
  const SyncPoint point("worker.leave");
  absl::MutexLock lock(&mutex_);
  if (!workers_.contains(worker_id)) return absl::OkStatus();
  Log("workers that left", absl::StrCat(worker_id, " left"));
  RemoveWorker(worker_id, absl::OkStatus(), nullptr);
  Settle();
  return absl::OkStatus();
}

absl::Status TrainingSession::StillHere(const std::string& worker_id) {
  const SyncPoint point("worker.still_here");
  absl::MutexLock lock(&mutex_);
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return UnknownWorker(worker_id);
  if (found->second.stream != nullptr) leases_.Heard(worker_id, clock_());
  return absl::OkStatus();
}

absl::Status TrainingSession::UnknownWorker(const std::string& worker_id) {
  return Refuse("unknown_worker", absl::NotFoundError(absl::StrCat(
                                      "worker_id: came \"", worker_id.substr(0, kMaxNameBytes), "\", register again")));
}

absl::Status TrainingSession::Subscribe(const std::string& worker_id,
                                        const std::shared_ptr<WeightsSubscriber>& subscriber) {
  const SyncPoint point("weights.subscribe");
  absl::MutexLock lock(&mutex_);
  if (!workers_.contains(worker_id)) return UnknownWorker(worker_id);
  publisher_.Subscribe(worker_id, subscriber);
  return absl::OkStatus();
}

void TrainingSession::GetStatus(wire::GetStatusResponse* response) const {
  response->set_run_name(options_.experiment.name());
  response->set_total_env_steps(options_.experiment.total_env_steps());
  response->set_policy_version(publisher_.newest_version().value_or(0));
  for (const WorkerSummary& summary : workers()) {
    wire::WorkerStatus* const worker = response->add_workers();
    worker->set_worker_id(summary.worker_id);
    worker->set_host(summary.host);
    worker->set_connected(summary.connected);
    worker->mutable_shards()->Assign(summary.shards.begin(), summary.shards.end());
    worker->set_chunks_admitted(summary.chunks_admitted);
  }
  for (const auto& [result, count] : metrics_.ChunksByResult()) (*response->mutable_chunks_by_result())[result] = count;
  absl::MutexLock lock(&mutex_);
  response->set_run_id(run_id_);
  response->set_env_steps(env_steps_);
  response->set_env_steps_per_second(env_steps_per_second_);
}

}  // namespace troupe
