// One connection to the learner, from opening both streams to the end of either.
#ifndef TROUPE_ACTOR_WORKER_STREAM_SESSION_H_
#define TROUPE_ACTOR_WORKER_STREAM_SESSION_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "actor_worker/rollout/worker_run.h"
#include "actor_worker/stream/still_here.h"
#include "actor_worker/stream/trajectory_stream.h"
#include "actor_worker/stream/weights_subscription.h"
#include "common/clock/steady_time.h"
#include "grpcpp/channel.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

struct SessionEnd {
  enum Reason {
    kDrained,        // the learner said so
    kStopped,        // stop_requested; the chunks under way were sent if the learner took them in time
    kBroken,         // come back with the same worker id
    kUnknownWorker,  // register anew
    kHangs,          // no rollout thread is left
  };
  Reason reason = kBroken;
  absl::Status status;        // for kBroken and kUnknownWorker
  bool heard = false;         // any message came
  bool acknowledged = false;  // a chunk was
  bool left = false;          // the learner knows that the worker does not come back
};

// Used once, by one thread.
class Session {
 public:
  // Everything outlives the session; `control` is of another connection than `channel`. Without a shard for
  // `idle_notice` that is said, once.
  Session(const std::shared_ptr<grpc::Channel>& channel, wire::TrainingService::Stub* control,
          const std::string& worker_id, WorkerRun* run, WakeUp* events, WorkerMetrics* metrics,
          absl::Duration idle_notice);

  // Blocks until the session is over. Heartbeats go out whenever a third of lease_timeout passed in silence, beside the
  // stream where a message on it takes as long; the watchdog over the rollout threads runs here too. A stop waits up to
  // `flush_timeout` for the chunks under way to be taken.
  SessionEnd Serve(const std::function<bool()>& stop_requested, absl::Duration flush_timeout);

 private:
  void Received(wire::LearnerMessage& message);
  // The first event that ends the session, or nothing.
  bool Over(SessionEnd* end);
  void Beat();
  void NoticeIdleness(int leases);
  // True: the learner has ended the stream.
  bool LeaveDrained();
  bool LeaveStopped(absl::Duration flush_timeout);
  SessionEnd Classify(const absl::Status& status, bool of_trajectories);

  WorkerRun* const run_;
  WakeUp* const events_;
  WorkerMetrics* const metrics_;
  const absl::Duration heartbeat_;
  const absl::Duration idle_notice_;
  SteadyTime idle_since_ = SteadyTime::Now();  // infinite future once said
  std::atomic<bool> drained_ = false;
  std::atomic<bool> heard_ = false;
  std::atomic<bool> acknowledged_ = false;
  SteadyTime weights_ended_ = SteadyTime::InfiniteFuture();
  const WorkerRun::Feeding feeding_;  // ends after both streams
  StillHere still_here_;
  const std::unique_ptr<wire::TrainingService::Stub> stub_;
  TrajectoryStream trajectories_;
  WeightsSubscription weights_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_SESSION_H_
