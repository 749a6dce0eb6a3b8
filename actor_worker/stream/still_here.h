// Tells the learner that this worker lives while its stream cannot: behind a slow link one chunk may be on its way for
// longer than a silent worker keeps its leases.
#ifndef TROUPE_ACTOR_WORKER_STREAM_STILL_HERE_H_
#define TROUPE_ACTOR_WORKER_STREAM_STILL_HERE_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "grpcpp/client_context.h"
#include "proto/training_service.grpc.pb.h"

namespace troupe {

// One call at a time. What comes of it does not matter: a learner that does not know the worker says so on its stream,
// and one that is older than the call is as it was. Not thread-safe.
class StillHere {
 public:
  // `control` outlives it, and is of another connection than the streams, which what is on its way holds up. A call
  // begins `period` after the one before at the earliest, and has as long to be answered.
  StillHere(wire::TrainingService::Stub* control, const std::string& worker_id, absl::Duration period);
  // Cancels and waits for the end.
  ~StillHere();

  void Say() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  wire::TrainingService::Stub* const control_;
  const absl::Duration period_;
  wire::StillHereRequest request_;
  wire::StillHereResponse response_;
  std::unique_ptr<grpc::ClientContext> context_;
  SteadyTime said_ = SteadyTime::InfinitePast();
  absl::Mutex mutex_;
  bool idle_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_STILL_HERE_H_
