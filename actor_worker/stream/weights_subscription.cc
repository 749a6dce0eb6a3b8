#include "actor_worker/stream/weights_subscription.h"

#include <utility>

#include "actor_worker/stream/rpc_status.h"

namespace troupe {

WeightsSubscription::WeightsSubscription(wire::TrainingService::Stub& stub, const std::string& worker_id,
                                         const std::vector<PolicySpec>& policies, int num_teams, PolicyStore* store,
                                         std::function<void()> changed)
    : intake_(policies, num_teams, store), changed_(std::move(changed)) {
  request_.set_worker_id(worker_id);
  stub.async()->SubscribeWeights(&context_, &request_, this);
  StartRead(&message_);
  StartCall();
}

WeightsSubscription::~WeightsSubscription() {
  context_.TryCancel();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&done_));
}

void WeightsSubscription::OnReadDone(bool ok) {
  if (!ok) return;
  if (const absl::Status status = intake_.Take(message_); !status.ok()) {
    bad_message_ = status;
    context_.TryCancel();
    return;
  }
  if (!message_.has_saved_version()) changed_();
  StartRead(&message_);
}

void WeightsSubscription::OnDone(const grpc::Status& status) {
  // The destructor waits for the lock, so nothing of this object or the listener's is touched after it.
  absl::MutexLock lock(&mutex_);
  status_ = bad_message_.ok() ? FromRpcStatus(status) : bad_message_;
  done_ = true;
  changed_();
}

bool WeightsSubscription::done() const {
  absl::MutexLock lock(&mutex_);
  return done_;
}

absl::Status WeightsSubscription::status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

}  // namespace troupe
