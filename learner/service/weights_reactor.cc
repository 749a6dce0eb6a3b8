#include "learner/service/weights_reactor.h"

#include <algorithm>
#include <utility>

#include "common/base/status_macros.h"
#include "learner/service/grpc_status.h"
#include "learner/service/reaction.h"
#include "learner/service/unary_call.h"
#include "proto/training_service.pb.h"

namespace troupe {

WeightsReactor* WeightsReactor::Start(grpc::CallbackServerContext* context, const grpc::ByteBuffer& request,
                                      TrainingSession* session) {
  std::shared_ptr<WeightsReactor> reactor(new WeightsReactor(context, &session->publisher()));
  reactor->self_ = reactor;
  const absl::Status status = WithoutThrowing([&]() -> absl::Status {
    wire::SubscribeWeightsRequest message;
    RETURN_IF_ERROR(ReadRequest(request, kMaxNameRequestBytes, &session->metrics(), &message));
    session->WatchWrites(reactor);
    return session->Subscribe(message.worker_id(), reactor);
  });
  if (!status.ok()) reactor->Close(status);
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
  writes_ += 1;
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

std::optional<uint64_t> WeightsReactor::version_under_way() const {
  absl::MutexLock lock(&mutex_);
  return writing_ == nullptr ? std::nullopt : sent_;
}

std::optional<WritingStream::Write> WeightsReactor::write_under_way() const {
  absl::MutexLock lock(&mutex_);
  if (writing_ == nullptr) return std::nullopt;
  return Write{writes_, writing_->num_bytes};
}

void WeightsReactor::Cut() {
  absl::MutexLock lock(&mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

void WeightsReactor::OnCancel() { Close(absl::CancelledError("the stream broke")); }

void WeightsReactor::OnDone() {
  const std::shared_ptr<WeightsReactor> self = std::move(self_);
  absl::MutexLock lock(&mutex_);
  context_ = nullptr;
}

}  // namespace troupe
