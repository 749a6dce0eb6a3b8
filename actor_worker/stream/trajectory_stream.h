// The stream on which a worker is told what to do and sends what it has done.
//
//   worker → learner    Hello (Chunk | LeaseFailure | EvaluationResult | Heartbeat)* half-close
//   learner → worker    (LeaseGrant | LeaseRevoke | Acknowledgement | EvaluationTask)* Drain? status
//
// One object is one call. What is to be sent stands in the LeaseBook and survives the call; the next one begins with
// everything that was not acknowledged.
#ifndef TROUPE_ACTOR_WORKER_STREAM_TRAJECTORY_STREAM_H_
#define TROUPE_ACTOR_WORKER_STREAM_TRAJECTORY_STREAM_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "actor_worker/rollout/lease_book.h"
#include "common/clock/steady_time.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Thread-safe. At most one message is being written at any time; its tensors are sent from where they are.
class TrajectoryStream final : private grpc::ClientBidiReactor<grpc::ByteBuffer, wire::LearnerMessage> {
 public:
  struct Events {
    // A message came; the handler may take its contents. Called from a gRPC thread, one message at a time; must be
    // short.
    std::function<void(wire::LearnerMessage&)> received;
    // The call has ended. Called from a gRPC thread under the stream's lock, so it may not call the stream.
    std::function<void()> ended;
  };
  // Begins at once, with Hello and then everything `book` wants sent. `book` outlives the stream.
  TrajectoryStream(std::shared_ptr<grpc::ChannelInterface> channel, const std::string& worker_id, LeaseBook* book,
                   Events events);
  // Cancels and waits for the end.
  ~TrajectoryStream() override;

  // Sends what `book` has, if nothing is being written; otherwise that happens by itself.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_);
  // Sends a heartbeat if nothing else was for `silence`. False: it cannot, for as long a message has been on its way.
  bool HeartbeatAfter(absl::Duration silence) ABSL_LOCKS_EXCLUDED(mutex_);
  // Half-closes once `book` has nothing left to send. The learner answers by ending the call.
  void Close() ABSL_LOCKS_EXCLUDED(mutex_);

  // True once the call has ended; waits for that up to `timeout`.
  bool WaitDone(absl::Duration timeout) const ABSL_LOCKS_EXCLUDED(mutex_);
  bool done() const { return WaitDone(absl::ZeroDuration()); }
  // Why it ended.
  absl::Status status() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(std::shared_ptr<const wire::WorkerMessage> message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::TemplatedGenericStub<grpc::ByteBuffer, wire::LearnerMessage> stub_;
  LeaseBook* const book_;
  const Events events_;
  grpc::ClientContext context_;
  wire::LearnerMessage received_;  // read reaction only

  mutable absl::Mutex mutex_;
  grpc::ByteBuffer in_flight_ ABSL_GUARDED_BY(mutex_);  // keeps its message
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  SteadyTime last_write_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;      // Close was asked for
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;  // and has been done
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;       // nothing can be written any more
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_STREAM_TRAJECTORY_STREAM_H_
