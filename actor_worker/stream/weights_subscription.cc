#include "actor_worker/stream/weights_subscription.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/stream/rpc_status.h"
#include "common/base/status_macros.h"
#include "common/threads/sync_point.h"
#include "common/wire/roster_codec.h"
#include "common/wire/spec_codec.h"

namespace troupe {

WeightsSubscription::WeightsSubscription(wire::TrainingService::Stub& stub, const std::string& worker_id,
                                         const std::vector<PolicySpec>& policies, int num_teams, PolicyStore* store,
                                         std::function<void()> changed)
    : policies_(policies), num_teams_(num_teams), store_(store), changed_(std::move(changed)) {
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
  if (const absl::Status status = Take(); !status.ok()) {
    bad_message_ = status;
    context_.TryCancel();
    return;
  }
  StartRead(&message_);
}

absl::Status WeightsSubscription::Take() {
  ASSIGN_OR_RETURN(PolicySnapshot weights, DecodeWeights(policies_, message_));
  if (message_.has_saved_version()) {
    weights.policy_version = message_.saved_version();
    return Save(std::move(weights));
  }
  if (message_.has_roster()) {
    const auto find = [this](uint64_t version) {
      const auto found = saved_.find(version);
      return found == saved_.end() ? nullptr : found->second;
    };
    ASSIGN_OR_RETURN(weights.roster, DecodeRoster(message_.roster(), num_teams_, find));
    std::map<uint64_t, std::shared_ptr<const PolicySnapshot>> named;
    for (const Roster::Opponent& opponent : weights.roster->opponents) {
      named.emplace(opponent.actors->policy_version, opponent.actors);
    }
    saved_ = std::move(named);
  }
  const SyncPoint point("worker.weights");
  store_->Publish(std::make_shared<const PolicySnapshot>(std::move(weights)));
  changed_();
  return absl::OkStatus();
}

absl::Status WeightsSubscription::Save(PolicySnapshot actors) {
  if (saved_.size() >= 2 * kMaxOpponents) {
    return absl::ResourceExhaustedError(
        absl::StrCat("weights.saved_version: came ", actors.policy_version, " besides ", saved_.size(), " others"));
  }
  const uint64_t version = actors.policy_version;
  saved_[version] = std::make_shared<const PolicySnapshot>(std::move(actors));
  return absl::OkStatus();
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
