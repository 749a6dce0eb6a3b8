#include "actor_worker/acting/policy_store.h"

#include <utility>

namespace troupe {

bool PolicyStore::Publish(std::shared_ptr<const PolicySnapshot> weights) {
  absl::MutexLock lock(&mutex_);
  if (!kept_.empty() && weights->policy_version <= kept_.back()->policy_version) return false;
  kept_.push_back(std::move(weights));
  if (kept_.size() > versions_kept_) kept_.pop_front();
  return true;
}

std::shared_ptr<const PolicySnapshot> PolicyStore::Find(uint64_t policy_version) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& candidate : kept_) {
    if (candidate->policy_version == policy_version) return candidate;
  }
  return nullptr;
}

std::shared_ptr<const PolicySnapshot> PolicyStore::Newest() const {
  absl::MutexLock lock(&mutex_);
  return kept_.empty() ? nullptr : kept_.back();
}

void PolicyStore::Clear() {
  absl::MutexLock lock(&mutex_);
  kept_.clear();
}

}  // namespace troupe
