#include "actor_worker/stream/trajectory_stream.h"

#include <utility>

#include "actor_worker/stream/rpc_status.h"
#include "actor_worker/stream/shared_encoding.h"
#include "common/threads/sync_point.h"
#include "common/threads/timed_wait.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace troupe {
namespace {

constexpr char kMethod[] = "/troupe.wire.TrainingService/StreamTrajectories";

}  // namespace

TrajectoryStream::TrajectoryStream(std::shared_ptr<grpc::ChannelInterface> channel, const std::string& worker_id,
                                   LeaseBook* book, Events events)
    : stub_(std::move(channel)), book_(book), events_(std::move(events)) {
  auto hello = std::make_shared<wire::WorkerMessage>();
  hello->mutable_hello()->set_worker_id(worker_id);
  stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
  // Writes start outside reactions too: the hold keeps the call until reads have ended and none can follow.
  AddHold();
  StartRead(&received_);
  {
    absl::MutexLock lock(&mutex_);
    Write(std::move(hello));
  }
  StartCall();
}

TrajectoryStream::~TrajectoryStream() {
  context_.TryCancel();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&done_));
}

void TrajectoryStream::Write(std::shared_ptr<const wire::WorkerMessage> message) {
  in_flight_ = EncodeShared(std::move(message));
  writing_ = true;
  last_write_ = SteadyTime::Now();
  StartWrite(&in_flight_);
}

void TrajectoryStream::WriteNext() {
  if (broken_ || half_closed_ || writing_) return;
  if (std::shared_ptr<const wire::WorkerMessage> message = book_->NextMessage(); message != nullptr) {
    Write(std::move(message));
  } else if (closing_) {
    half_closed_ = true;
    StartWritesDone();
  }
}

void TrajectoryStream::Pump() {
  absl::MutexLock lock(&mutex_);
  WriteNext();
}

bool TrajectoryStream::HeartbeatAfter(absl::Duration silence) {
  absl::MutexLock lock(&mutex_);
  WriteNext();
  if (broken_ || half_closed_ || SteadyTime::Now() - last_write_ < silence) return true;
  if (writing_) return false;
  auto heartbeat = std::make_shared<wire::WorkerMessage>();
  heartbeat->mutable_heartbeat();
  Write(std::move(heartbeat));
  return true;
}

void TrajectoryStream::Close() {
  absl::MutexLock lock(&mutex_);
  closing_ = true;
  WriteNext();
}

void TrajectoryStream::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  in_flight_.Clear();
  writing_ = false;
  broken_ = broken_ || !ok;
  WriteNext();
}

void TrajectoryStream::OnReadDone(bool ok) {
  if (ok) {
    {
      const SyncPoint point("worker.receive");
      events_.received(received_);
    }
    StartRead(&received_);
    return;
  }
  {
    absl::MutexLock lock(&mutex_);
    broken_ = true;
  }
  RemoveHold();
}

void TrajectoryStream::OnDone(const grpc::Status& status) {
  const SyncPoint point("worker.stream_done");
  // The destructor waits for the lock, so nothing of this object or the listener's is touched after it.
  absl::MutexLock lock(&mutex_);
  status_ = FromRpcStatus(status);
  done_ = true;
  events_.ended();
}

bool TrajectoryStream::WaitDone(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  AwaitFor(mutex_, absl::Condition(&done_), timeout);
  return done_;
}

absl::Status TrajectoryStream::status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

}  // namespace troupe
