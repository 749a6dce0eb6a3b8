// The side of the lease book that the stream sees.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "actor_worker/rollout/lease_book.h"

namespace troupe {

void LeaseBook::AddEvaluationResult(wire::EvaluationResult result) {
  auto message = std::make_shared<wire::WorkerMessage>();
  *message->mutable_evaluation_result() = std::move(result);
  absl::MutexLock lock(&mutex_);
  results_.push_back(std::move(message));
}

int LeaseBook::BeginStream() {
  absl::MutexLock lock(&mutex_);
  int again = 0;
  for (auto& [shard, failure] : failures_) failure.sent = false;
  for (auto& [shard, entry] : entries_) {
    for (Outgoing& outgoing : entry.unacknowledged) {
      again += outgoing.sent_before;
      outgoing.sent = false;
    }
  }
  return again;
}

LeaseBook::Outgoing* LeaseBook::OldestUnsent() {
  Outgoing* oldest = nullptr;
  auto consider = [&oldest](Outgoing& outgoing) {
    if (!outgoing.sent && (oldest == nullptr || outgoing.order < oldest->order)) oldest = &outgoing;
  };
  for (auto& [shard, failure] : failures_) consider(failure);
  for (auto& [shard, entry] : entries_) {
    for (Outgoing& outgoing : entry.unacknowledged) consider(outgoing);
  }
  return oldest;
}

std::shared_ptr<const wire::WorkerMessage> LeaseBook::NextMessage() {
  absl::MutexLock lock(&mutex_);
  if (!results_.empty()) {
    auto result = std::move(results_.front());
    results_.pop_front();
    return result;
  }
  Outgoing* outgoing = OldestUnsent();
  if (outgoing == nullptr) return nullptr;
  outgoing->sent = outgoing->sent_before = true;
  return outgoing->message;
}

std::string LeaseBook::FailOldestSent(const std::string& error) {
  absl::MutexLock lock(&mutex_);
  Entry* guilty = nullptr;
  for (auto& [shard, entry] : entries_) {
    if (entry.unacknowledged.empty() || !entry.unacknowledged.front().sent) continue;
    if (guilty == nullptr || entry.unacknowledged.front().order < guilty->unacknowledged.front().order) guilty = &entry;
  }
  if (guilty == nullptr) return "";
  const HeldLease& lease = *guilty->lease;
  const std::string told = absl::StrCat("shard ", lease.shard, ", lease epoch ", lease.lease_epoch, ", chunk ",
                                        guilty->unacknowledged.front().message->chunk().sequence());
  GiveUp(*guilty, error);
  End(lease.shard);
  return told;
}

void LeaseBook::Clear() {
  absl::MutexLock lock(&mutex_);
  for (auto& [shard, entry] : entries_) entry.lease->gone = true;
  entries_.clear();
  failures_.clear();
  results_.clear();
}

int LeaseBook::num_leases() const {
  absl::MutexLock lock(&mutex_);
  return std::count_if(entries_.begin(), entries_.end(), [](const auto& item) { return !item.second.given_up; });
}

int LeaseBook::num_unacknowledged() const {
  absl::MutexLock lock(&mutex_);
  int count = 0;
  for (const auto& [shard, entry] : entries_) count += static_cast<int>(entry.unacknowledged.size());
  return count;
}

bool LeaseBook::Idle() const {
  absl::MutexLock lock(&mutex_);
  return results_.empty() && std::all_of(entries_.begin(), entries_.end(), [](const auto& item) {
           return !item.second.collecting && item.second.unacknowledged.empty();
         });
}

}  // namespace troupe
