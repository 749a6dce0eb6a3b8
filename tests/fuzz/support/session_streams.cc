#include "tests/fuzz/support/session_streams.h"

#include <utility>
#include <vector>

#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

// What proto/training_service.proto says a stream may end with.
bool IsDocumented(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

void MustBeDocumented(const absl::Status& status) {
  if (!IsDocumented(status.code())) Must(false, "a stream ends with " + status.ToString());
  MustRefuse(status, status.code());
}

}  // namespace

void FuzzedStream::Receive(std::string_view bytes) {
  if (!is_open() || parked_) return;
  bytes_ = std::string(bytes);
  acknowledged_ = 0;
  const absl::string_view piece = bytes_;
  const MessageLimits limits = session_->LimitsOf(worker_id_);
  const absl::Status read = ReadMessage({piece}, limits, &received_);
  if (read.ok()) return Handle();
  const absl::Status told = session_->Unreadable(this, worker_id_, received_, read);
  Must(!told.ok(), "an unreadable message is no error");
  Close(told);
}

void FuzzedStream::Handle() {
  const bool has_chunk = received_.has_chunk;
  const auto handled = session_->HandleMessage(shared_from_this(), shared_from_this(), received_, &worker_id_);
  if (!handled.ok()) {
    Must(acknowledged_ == 0, "a refused message is acknowledged");
    return Close(handled.status());
  }
  parked_ = *handled == TrainingSession::Handled::kParked;
  if (parked_) {
    Must(has_chunk && acknowledged_ == 0, "what waits is a chunk that is not acknowledged");
    return;
  }
  Must(acknowledged_ == (has_chunk ? 1 : 0), "a chunk that was dealt with is acknowledged once, and nothing else is");
}

void FuzzedStream::Resume() {
  if (!parked_ || !is_open()) return;
  parked_ = false;
  Handle();
}

void FuzzedStream::Send(wire::LearnerMessage message) {
  if (!is_open()) return;
  switch (message.message_case()) {
    case wire::LearnerMessage::kLeaseGrant: {
      const wire::LeaseGrant& grant = message.lease_grant();
      uint32_t& newest = ledger_->newest_epoch[grant.shard()];
      // The same epoch again after the worker came back with a new stream.
      Must(grant.lease_epoch() >= newest && grant.lease_epoch() > 0, "a lease of an earlier epoch");
      newest = grant.lease_epoch();
      leases_[grant.shard()] = grant;
      break;
    }
    case wire::LearnerMessage::kLeaseRevoke:
      leases_.erase(message.lease_revoke().shard());
      break;
    case wire::LearnerMessage::kAcknowledgement: {
      const wire::Acknowledgement& said = message.acknowledgement();
      const wire::Chunk& chunk = received_.chunk.chunk;
      Must(said.shard() == chunk.shard() && said.lease_epoch() == chunk.lease_epoch() &&
               said.sequence() == chunk.sequence(),
           "another chunk is acknowledged");
      Must(said.result() >= wire::ADMITTED && said.result() <= wire::OLD_LEASE, "a result");
      acknowledged_ += 1;
      if (said.result() != wire::ADMITTED) break;
      Must(ledger_->admitted.insert({said.shard(), said.lease_epoch(), said.sequence()}).second,
           "a chunk is admitted twice");
      break;
    }
    case wire::LearnerMessage::kEvaluationTask:
      task_ = std::move(*message.mutable_evaluation_task());
      break;
    case wire::LearnerMessage::kDrain:
      break;
    default:
      Must(false, "an empty message is sent");
  }
}

void FuzzedStream::Close(const absl::Status& status) {
  if (!status.ok()) MustBeDocumented(status);
  if (!closing_.has_value()) closing_ = status;
}

void FuzzedStream::End(bool half_closes) {
  if (over_ || (half_closes && parked_)) return;
  over_ = true;
  session_->StreamClosed(this, worker_id_, half_closes && !closing_.has_value());
}

void FuzzedStream::FinishIfClosed() {
  if (closing_.has_value()) End(/*half_closes=*/false);
}

}  // namespace troupe::fuzz
