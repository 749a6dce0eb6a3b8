// A worker's trajectory stream as the session sees it, so that the session knows nothing of gRPC's reactors.
#ifndef TROUPE_LEARNER_SERVICE_WORKER_STREAM_H_
#define TROUPE_LEARNER_SERVICE_WORKER_STREAM_H_

#include "absl/status/status.h"
#include "proto/training_service.pb.h"

namespace troupe {

// Calls return at once, may come from any thread and may be made with the session's lock held; they never call back.
class WorkerStream {
 public:
  virtual ~WorkerStream() = default;

  // Queues a message; a stream that is closing drops it. A peer that does not read while more than its bound gathers is
  // closed with RESOURCE_EXHAUSTED.
  virtual void Send(wire::LearnerMessage message) = 0;
  // Ends the stream with `status`; messages not yet on the wire are dropped.
  virtual void Close(const absl::Status& status) = 0;
};

// A stream whose last message could not be dealt with yet and which is therefore not read from.
class ParkedStream {
 public:
  virtual ~ParkedStream() = default;
  // Tries again. Not to be called with the session's lock held.
  virtual void Resume() = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_WORKER_STREAM_H_
