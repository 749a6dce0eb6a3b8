#include "learner/service/trajectory_reactor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/proto_buffer_writer.h"
#include "learner/service/call_peer.h"
#include "learner/service/grpc_status.h"
#include "learner/service/reaction.h"

namespace troupe {

TrajectoryReactor* TrajectoryReactor::Start(grpc::CallbackServerContext* context, TrainingSession* session,
                                            size_t max_outgoing) {
  std::shared_ptr<TrajectoryReactor> reactor(new TrajectoryReactor(context, session, max_outgoing));
  reactor->self_ = reactor;
  const absl::Status status = WithoutThrowing([&] {
    session->WatchWrites(reactor);
    return session->StreamOpened(reactor, PeerOf(*context));
  });
  if (!status.ok()) {
    reactor->Close(status);
  } else {
    reactor->StartRead(&reactor->incoming_);
  }
  return reactor.get();
}

void TrajectoryReactor::OnReadDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    if (!ok || closing_.has_value()) {
      reading_ = Reading::kEnded;
      half_closed_ = !ok && !closing_.has_value();
      CloseLocked(absl::OkStatus());
      return;
    }
    reading_ = Reading::kHandling;
  }
  const absl::Status status = WithoutThrowing([&] { return Unpack(); });
  if (status.ok()) return Handle();
  const absl::Status told = WithoutThrowing([&] { return session_->Unreadable(this, worker_id_, received_, status); });
  absl::MutexLock lock(&mutex_);
  reading_ = Reading::kEnded;
  CloseLocked(told);
}

absl::Status TrajectoryReactor::Unpack() {
  received_.Clear();
  if (const grpc::Status dumped = incoming_.Dump(&slices_); !dumped.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("message: ", dumped.error_message()));
  }
  incoming_.Clear();
  std::vector<absl::string_view> pieces;
  pieces.reserve(slices_.size());
  for (const grpc::Slice& slice : slices_) {
    pieces.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return ReadMessage(pieces, session_->LimitsOf(worker_id_), &received_);
}

void TrajectoryReactor::Handle() {
  const std::shared_ptr<TrajectoryReactor> self = shared_from_this();
  while (true) {
    auto handled = TrainingSession::Handled::kDone;
    const absl::Status status = WithoutThrowing([&]() -> absl::Status {
      ASSIGN_OR_RETURN(handled, session_->HandleMessage(self, self, received_, &worker_id_));
      return absl::OkStatus();
    });
    absl::MutexLock lock(&mutex_);
    if (!status.ok()) {
      reading_ = Reading::kEnded;
      return CloseLocked(status);
    }
    if (handled == TrainingSession::Handled::kDone) {
      // Now, not by the next message: until then other streams' messages use this one's memory, still in the cache.
      received_.Clear();
      slices_.clear();
      return ReadNext();
    }
    if (!std::exchange(resume_wanted_, false)) {
      reading_ = Reading::kParked;
      return;
    }
  }
}

void TrajectoryReactor::Resume() {
  {
    absl::MutexLock lock(&mutex_);
    if (reading_ != Reading::kParked) {
      resume_wanted_ = reading_ == Reading::kHandling;
      return;
    }
    if (closing_.has_value()) return;
    reading_ = Reading::kHandling;
  }
  Handle();
}

void TrajectoryReactor::ReadNext() {
  resume_wanted_ = false;
  if (closing_.has_value()) {
    reading_ = Reading::kEnded;
  } else if (outgoing_.size() > kPausesReading) {
    reading_ = Reading::kPaused;
  } else {
    reading_ = Reading::kReading;
    StartRead(&incoming_);
  }
}

void TrajectoryReactor::Send(wire::LearnerMessage message) {
  grpc::ByteBuffer bytes;
  bool own_buffer = false;
  grpc::SerializationTraits<wire::LearnerMessage>::Serialize(message, &bytes, &own_buffer);
  absl::MutexLock lock(&mutex_);
  if (closing_.has_value()) return;
  if (outgoing_.size() >= max_outgoing_) {
    return CloseLocked(absl::ResourceExhaustedError("the worker does not read what is sent to it"));
  }
  outgoing_.push_back(std::move(bytes));
  if (!writing_) WriteNext();
}

void TrajectoryReactor::WriteNext() {
  writing_ = true;
  writes_ += 1;
  StartWrite(&outgoing_.front());
}

void TrajectoryReactor::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  outgoing_.pop_front();
  if (!ok) CloseLocked(absl::UnavailableError("the stream broke"));
  const bool flushing = ok && half_closed_ && !outgoing_.empty();
  if (closing_.has_value() && !flushing) return CloseLocked(*closing_);
  if (!outgoing_.empty()) WriteNext();
  if (reading_ == Reading::kPaused && outgoing_.size() <= kPausesReading) ReadNext();
}

void TrajectoryReactor::Close(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  CloseLocked(status);
}

void TrajectoryReactor::CloseLocked(const absl::Status& status) {
  if (!closing_.has_value()) closing_ = status;
  if (writing_ || finished_) return;
  finished_ = true;
  Finish(ToGrpcStatus(*closing_));
}

std::optional<WritingStream::Write> TrajectoryReactor::write_under_way() const {
  absl::MutexLock lock(&mutex_);
  if (!writing_) return std::nullopt;
  return Write{writes_, outgoing_.front().Length()};
}

void TrajectoryReactor::Cut() {
  absl::MutexLock lock(&mutex_);
  if (!over_) context_->TryCancel();
}

void TrajectoryReactor::OnCancel() { Close(absl::CancelledError("the stream broke")); }

void TrajectoryReactor::OnDone() {
  const std::shared_ptr<TrajectoryReactor> self = std::move(self_);
  bool left;
  {
    absl::MutexLock lock(&mutex_);
    left = half_closed_ && !context_->IsCancelled();
    over_ = true;
  }
  (void)WithoutThrowing([&] {
    session_->StreamClosed(this, worker_id_, left);
    return absl::OkStatus();
  });
}

}  // namespace troupe
