#include "learner/service/weights_reactor.h"

#include <algorithm>
#include <utility>

#include "grpcpp/impl/codegen/proto_utils.h"
#include "learner/service/grpc_status.h"
#include "proto/training_service.pb.h"

namespace troupe {

WeightsReactor* WeightsReactor::Start(const grpc::ByteBuffer& request, TrainingSession* session) {
  std::shared_ptr<WeightsReactor> reactor(new WeightsReactor(&session->publisher()));
  reactor->self_ = reactor;
  grpc::ByteBuffer bytes(request);
  wire::SubscribeWeightsRequest message;
  if (!grpc::SerializationTraits<wire::SubscribeWeightsRequest>::Deserialize(&bytes, &message).ok()) {
    reactor->Close(absl::InvalidArgumentError("request: came bytes that are no SubscribeWeightsRequest"));
  } else if (absl::Status status = session->Subscribe(message.worker_id(), reactor); !status.ok()) {
    reactor->Close(status);
  }
  return reactor.get();
}

void WeightsReactor::Wake() {
  absl::MutexLock lock(&mutex_);
  if (writing_ == nullptr) WriteNext();
}

void WeightsReactor::WriteNext() {
  if (closing_.has_value()) return;
  if (waiting_.empty()) Ask();
  if (waiting_.empty()) return;
  writing_ = std::move(waiting_.front());
  waiting_.pop_front();
  StartWrite(&writing_->bytes);
}

void WeightsReactor::Ask() {
  const std::shared_ptr<const PublishedWeights> next = publisher_->Next(sent_);
  if (next == nullptr) return;
  for (const auto& opponent : next->opponents) {
    if (std::ranges::find(opponents_, opponent) == opponents_.end()) waiting_.push_back(opponent);
  }
  opponents_ = next->opponents;
  waiting_.push_back(next);
  sent_ = next->version;
}

void WeightsReactor::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = nullptr;
  if (!ok) CloseLocked(absl::UnavailableError("the stream broke"));
  if (closing_.has_value()) return CloseLocked(*closing_);
  WriteNext();
}

void WeightsReactor::Close(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  CloseLocked(status);
}

void WeightsReactor::CloseLocked(const absl::Status& status) {
  if (!closing_.has_value()) closing_ = status;
  if (writing_ != nullptr || finished_) return;
  finished_ = true;
  Finish(ToGrpcStatus(*closing_));
}

void WeightsReactor::OnCancel() { Close(absl::CancelledError("the stream broke")); }

void WeightsReactor::OnDone() { const std::shared_ptr<WeightsReactor> self = std::move(self_); }

}  // namespace troupe
