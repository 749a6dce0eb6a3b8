#include "actor_worker/stream/still_here.h"

#include "common/clock/call_deadline.h"

namespace troupe {

StillHere::StillHere(wire::TrainingService::Stub* control, const std::string& worker_id, absl::Duration period)
    : control_(control), period_(period) {
  request_.set_worker_id(worker_id);
}

StillHere::~StillHere() {
  if (context_ != nullptr) context_->TryCancel();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&idle_));
}

void StillHere::Say() {
  const SteadyTime now = SteadyTime::Now();
  if (now - said_ < period_) return;
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_) return;
    idle_ = false;
  }
  said_ = now;
  context_ = std::make_unique<grpc::ClientContext>();
  context_->set_deadline(CallDeadline(period_));
  control_->async()->StillHere(context_.get(), &request_, &response_, [this](const grpc::Status&) {
    absl::MutexLock lock(&mutex_);
    idle_ = true;
  });
}

}  // namespace troupe
