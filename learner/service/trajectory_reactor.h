// One StreamTrajectories call: reads a message, has the session deal with it, reads the next. While the session cannot
// deal with it, or while the peer does not read what is sent to it, nothing is read: the peer's sending stops at gRPC's
// flow control. Messages are raw bytes: a chunk stays where gRPC put it until it is copied into a batch.
//
//   reading ─► handling ─► reading …            handling ─► parked ─(Resume)─► handling
//   any ─► closing (Finish once, when no write is on its way) ─► OnDone
#ifndef TROUPE_LEARNER_SERVICE_TRAJECTORY_REACTOR_H_
#define TROUPE_LEARNER_SERVICE_TRAJECTORY_REACTOR_H_

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/wire/message_reader.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/slice.h"
#include "learner/service/training_session.h"
#include "learner/service/worker_stream.h"
#include "learner/service/write_watch.h"

namespace troupe {

// Keeps itself alive until OnDone. `session` outlives it.
class TrajectoryReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                                public WorkerStream,
                                public ParkedStream,
                                public WritingStream,
                                public std::enable_shared_from_this<TrajectoryReactor> {
 public:
  // Messages waiting to be written. Above kPausesReading no further chunk is read, so that acknowledgements cannot
  // gather; the rest is room for what comes unasked: a grant and a revoke per shard, an evaluation task, the drain.
  static constexpr size_t kPausesReading = 64;
  static size_t MaxOutgoing(int num_shards) { return kPausesReading + 1 + 4 * static_cast<size_t>(num_shards) + 2; }

  static TrajectoryReactor* Start(grpc::CallbackServerContext* context, TrainingSession* session, size_t max_outgoing);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  void Send(wire::LearnerMessage message) override;
  void Close(const absl::Status& status) override;
  void Resume() override;
  std::optional<Write> write_under_way() const override;
  void Cut() override;

 private:
  enum class Reading { kReading, kHandling, kParked, kPaused, kEnded };

  TrajectoryReactor(grpc::CallbackServerContext* context, TrainingSession* session, size_t max_outgoing)
      : context_(context), session_(session), max_outgoing_(max_outgoing) {}

  // Makes received_ of incoming_, if that is within what may come on this stream now.
  absl::Status Unpack();
  // Deals with received_ as long as that does not park.
  void Handle() ABSL_LOCKS_EXCLUDED(mutex_);
  void ReadNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CloseLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CallbackServerContext* const context_;
  TrainingSession* const session_;
  const size_t max_outgoing_;
  std::shared_ptr<TrajectoryReactor> self_;

  // Owned by whoever reads or handles: one at a time. received_ views the memory of slices_.
  grpc::ByteBuffer incoming_;
  std::vector<grpc::Slice> slices_;
  ReceivedMessage received_;
  std::string worker_id_;

  mutable absl::Mutex mutex_;
  Reading reading_ ABSL_GUARDED_BY(mutex_) = Reading::kReading;
  bool resume_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<grpc::ByteBuffer> outgoing_ ABSL_GUARDED_BY(mutex_);  // the first is on its way while writing_
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t writes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<absl::Status> closing_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;  // context_ is gone
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_SERVICE_TRAJECTORY_REACTOR_H_
