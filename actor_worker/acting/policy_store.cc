#include "actor_worker/acting/policy_store.h"

#include <utility>

namespace troupe {

bool PolicyStore::Publish(std::shared_ptr<const PolicySnapshot> weights) {
  absl::MutexLock lock(&mutex_);
  if (newest_ != nullptr && weights->policy_version <= newest_->policy_version) return false;
  previous_ = std::exchange(newest_, std::move(weights));
  return true;
}

std::shared_ptr<const PolicySnapshot> PolicyStore::Find(uint64_t policy_version) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& candidate : {newest_, previous_}) {
    if (candidate != nullptr && candidate->policy_version == policy_version) return candidate;
  }
  return nullptr;
}

std::shared_ptr<const PolicySnapshot> PolicyStore::Newest() const {
  absl::MutexLock lock(&mutex_);
  return newest_;
}

void PolicyStore::Clear() {
  absl::MutexLock lock(&mutex_);
  newest_ = nullptr;
  previous_ = nullptr;
}

}  // namespace troupe
