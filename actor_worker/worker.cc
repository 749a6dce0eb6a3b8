#include "actor_worker/worker.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "actor_worker/rollout/machine_access.h"
#include "actor_worker/rollout/shard_memory.h"
#include "actor_worker/stream/backoff.h"
#include "actor_worker/stream/learner_place.h"
#include "actor_worker/stream/registration.h"
#include "actor_worker/stream/session.h"
#include "common/base/log.h"
#include "common/base/status_macros.h"
#include "common/clock/awake_clock.h"
#include "common/clock/steady_time.h"
#include "common/security/http_proxy.h"
#include "common/threads/sync_point.h"
#include "google/protobuf/util/message_differencer.h"

namespace troupe {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);
constexpr absl::Duration kLeaveTimeout = absl::Seconds(2);
// A session this long, or one with an acknowledged chunk, was a success: the next break is tried again at once.
constexpr absl::Duration kGoodSession = absl::Seconds(5);
// Longer than an attempt and the pause after it take.
constexpr absl::Duration kLongestLook = absl::Minutes(1);
constexpr size_t kControlMessageBytes = 4 << 20;

class Worker {
 public:
  Worker(const WorkerOptions& options, Metrics* metrics)
      : options_(options),
        place_(options.learner_address, options.credentials),
        metrics_(metrics),
        identity_(DescribeThisWorker(options.max_shards)),
        search_(options.first_retry, options.longest_search, absl::Uniform<uint64_t>(absl::BitGen())),
        backoff_(options.first_retry, options.longest_retry, absl::Uniform<uint64_t>(absl::BitGen())),
        awake_(std::min(kLongestLook, options.give_up_after / 2)) {}

  int Run() {
    const int status = Loop();
    if (!worker_id_.empty() && status != kWorkerGaveUp) LeaveLate();
    return EndRun(status) ? status : kWorkerHangs;
  }

 private:
  // What an attempt came to: an exit status, or why to try again.
  struct Attempt {
    std::optional<int> exit;
    absl::Status status;
  };

  int Loop() {
    while (!options_.stop_requested()) {
      awake_.Watch();
      const Attempt attempt = TryOnce();
      if (attempt.exit.has_value()) return *attempt.exit;
      Complain(attempt.status);
      awake_.Watch();
      if (awake_.Now() - last_contact_ > options_.give_up_after) {
        LogLine(
            absl::StrCat("giving up: no learner at ", route(), " for ", absl::FormatDuration(options_.give_up_after)));
        return kWorkerGaveUp;
      }
      Sleep(unreachable_ ? search_.Next() : backoff_.Next());
    }
    return kWorkerDone;
  }

  void Contacted() {
    awake_.Watch();
    last_contact_ = awake_.Now();
  }

  std::shared_ptr<grpc::Channel> NewChannel(size_t max_message_bytes, ChannelUse use) const {
    return OpenChannel(place_.address(), *options_.credentials, max_message_bytes, use);
  }

  // A new channel for every attempt at a learner that was not there: gRPC's pauses between a channel's attempts go by
  // the wall clock (they are timed waits of Abseil's), so after that was set back one would not try again for as long.
  void OpenControl() {
    if (control_ != nullptr && !unreachable_) return;
    control_ = wire::TrainingService::NewStub(NewChannel(kControlMessageBytes, ChannelUse::kCalls));
  }

  Attempt TryOnce() {
    OpenControl();
    absl::StatusOr<wire::DescribeRunResponse> description = DescribeRun(*control_, kCallTimeout);
    if (!description.ok()) {
      if (absl::IsFailedPrecondition(description.status())) return DoesNotFit(description.status());
      unreachable_ = !absl::IsUnauthenticated(description.status());
      if (place_.Silent(SteadyTime::Now())) ComeBack();
      return {.status = description.status()};
    }
    place_.Heard();
    search_.Reset();
    if (std::exchange(unreachable_, false)) backoff_.Reset();
    Contacted();
    last_complaint_.clear();
    if (description->has_drain()) {
      LogLine(absl::StrCat("drained: ", description->drain().reason()));
      return {.exit = kWorkerDone};
    }
    if (const absl::Status status = PrepareRun(*description); !status.ok()) return DoesNotFit(status);
    if (worker_id_.empty()) {
      absl::StatusOr<Registration> registered = RegisterWorker(*control_, identity_, description_.run_id(),
                                                               run_->plan().spec, place_.redirects(), kCallTimeout);
      if (!registered.ok()) return RegistrationRefused(registered.status());
      if (!registered->serve_at.empty()) return SentOn(registered->serve_at);
      place_.Arrived();
      worker_id_ = std::move(registered->worker_id);
      metrics_.ShowRun(description_.run_id(), description_.experiment());
      LogLine(absl::StrCat("worker ", worker_id_, " of run ", description_.run_id(), " at ", route()));
    }
    return Serve();
  }

  // To another learner of the run, which is asked at once.
  Attempt SentOn(const std::string& address) {
    if (const absl::Status status = place_.Follow(address); !status.ok()) {
      control_ = nullptr;
      return {.status = status};
    }
    LogLine(absl::StrCat("sent on to the learner at ", route()));
    control_ = nullptr;
    return TryOnce();
  }

  // To the address that was given; what was collected for the learner elsewhere is forgotten.
  void ComeBack() {
    LogLine(absl::StrCat("back to the learner at ", route()));
    control_ = nullptr;
    worker_id_.clear();
    if (run_ != nullptr) run_->Forget();
  }

  // Another run (a learner that was started anew) makes the refusal out of date; the same run makes it final.
  Attempt RegistrationRefused(const absl::Status& refusal) {
    if (!absl::IsFailedPrecondition(refusal)) {
      if (place_.Leave(/*failed=*/true)) ComeBack();
      return {.status = refusal};
    }
    const absl::StatusOr<wire::DescribeRunResponse> again = DescribeRun(*control_, kCallTimeout);
    if (again.ok() && again->run_id() == description_.run_id()) return DoesNotFit(refusal);
    return {.status = refusal};
  }

  Attempt DoesNotFit(const absl::Status& status) {
    LogLine(absl::StrCat("this worker does not fit the run: ", status.message()));
    return {.exit = kWorkerDoesNotFit};
  }

  absl::Status PrepareRun(const wire::DescribeRunResponse& description) {
    if (run_ != nullptr && google::protobuf::util::MessageDifferencer::Equals(description, description_)) {
      return absl::OkStatus();
    }
    if (run_ != nullptr) LogLine(absl::StrCat("another run: ", description.run_id()));
    if (!EndRun(kWorkerHangs)) return absl::InternalError("a rollout thread of the last run hangs");
    worker_id_.clear();
    if (!options_.allow_machine_settings) RETURN_IF_ERROR(CheckMachineSettings(description.experiment()));
    absl::StatusOr<RolloutPlan> plan = MakeRolloutPlan(description.experiment(), options_.find_environment);
    if (!plan.ok()) return plan.status();
    if (const absl::Status status = ChooseMaxShards(*plan); !status.ok()) return status;
    description_ = description;
    max_message_bytes_ = MaxWeightsBytes(plan->policies);
    run_ = std::make_unique<WorkerRun>(*std::move(plan), options_.rollout_threads, options_.max_shards, &events_,
                                       &metrics_);
    return absl::OkStatus();
  }

  // As many as asked for and as fit the memory.
  absl::Status ChooseMaxShards(const RolloutPlan& plan) {
    const CollectionSettings& collection = plan.experiment.collection();
    const std::optional<MemoryUse> use = ReadMemoryUse();
    ASSIGN_OR_RETURN(identity_.max_shards,
                     ShardsThatFit(collection, plan.spec, plan.chunk_shape(), use, options_.max_shards));
    if (identity_.max_shards < std::min<int>(options_.max_shards, collection.num_shards())) {
      LogLine(
          absl::StrCat("takes at most ", identity_.max_shards, " of the run's ", collection.num_shards(),
                       " shards: ", "no more of their chunks fit the memory (TroupeMemoryFull in docs/runbook.md)"));
    }
    return absl::OkStatus();
  }

  // When it returns the session has ended, with all that it feeds: nothing of it comes after what is forgotten then.
  SessionEnd ServeSession() {
    auto session = std::make_unique<Session>(NewChannel(max_message_bytes_, ChannelUse::kStreams), control_.get(),
                                             worker_id_, run_.get(), &events_, &metrics_, options_.idle_notice);
    const SessionEnd end = session->Serve(options_.stop_requested, options_.flush_timeout);
    const SyncPoint point("worker.session_end");
    session.reset();
    return end;
  }

  Attempt Serve() {
    if (std::exchange(connected_before_, true)) metrics_.reconnects.Increment();
    const SteadyTime began = SteadyTime::Now();
    const SessionEnd end = ServeSession();
    if (end.heard) Contacted();
    if (end.left) worker_id_.clear();
    if (end.acknowledged || SteadyTime::Now() - began > kGoodSession) backoff_.Reset();
    switch (end.reason) {
      case SessionEnd::kDrained:
      case SessionEnd::kStopped:
        return {.exit = kWorkerDone};
      case SessionEnd::kHangs:
        LogLine("every rollout thread hangs");
        return {.exit = kWorkerHangs};
      case SessionEnd::kUnknownWorker:
        worker_id_.clear();
        Forget();
        // Whom it is to serve by now is asked where it came from.
        if (place_.Leave(/*failed=*/false)) ComeBack();
        break;
      case SessionEnd::kBroken:
        break;
    }
    return {.status = end.status};
  }

  void Forget() {
    const SyncPoint point("worker.forget");
    run_->Forget();
  }

  // The stream could not say it: it is broken, or what is before it waits for the learner.
  void LeaveLate() {
    const absl::Status status = LeaveLearner(*control_, worker_id_, kLeaveTimeout);
    if (!status.ok()) LogLine(absl::StrCat("left without the learner's knowledge: ", status.ToString()));
  }

  // Cuts the run short. False: a thread of it hangs and end_process returned.
  bool EndRun(int status) {
    if (run_ == nullptr) return true;
    run_->Abandon();
    const bool ended = run_->WaitEnded(options_.end_timeout);
    if (!ended) {
      LogLine("a simulator does not return; ending without it");
      options_.end_process(status);
    }
    run_.reset();
    return ended;
  }

  void Complain(const absl::Status& status) {
    std::string text = status.ToString();
    if (text == last_complaint_) return;
    LogLine(absl::StrCat("learner at ", route(), ": ", text, "; trying again"));
    last_complaint_ = std::move(text);
  }

  void Sleep(absl::Duration duration) {
    const SteadyTime until = SteadyTime::Now() + duration;
    while (!options_.stop_requested() && SteadyTime::Now() < until) {
      absl::SleepFor(std::min(until - SteadyTime::Now(), absl::Milliseconds(50)));
      awake_.Watch();
    }
  }

  // To the learner, for people.
  std::string route() const { return DescribeRoute(place_.address()); }

  const WorkerOptions options_;
  LearnerPlace place_;
  WorkerMetrics metrics_;
  WorkerIdentity identity_;
  std::unique_ptr<wire::TrainingService::Stub> control_;
  Backoff search_, backoff_;
  WakeUp events_;
  AwakeClock awake_;         // while this process is paused nobody can be heard
  SteadyTime last_contact_;  // by awake_
  std::string last_complaint_;
  bool unreachable_ = false;  // the last attempt did not get an answer
  bool connected_before_ = false;

  wire::DescribeRunResponse description_;
  size_t max_message_bytes_ = 0;  // of the streams
  std::unique_ptr<WorkerRun> run_;
  std::string worker_id_;  // empty: to be registered
};

}  // namespace

int RunWorker(const WorkerOptions& options, Metrics* metrics) { return Worker(options, metrics).Run(); }

}  // namespace troupe
