#include "actor_worker/rollout/lease_book.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"

namespace troupe {

std::optional<uint64_t> RequiredVersion(CollectionMode mode, const HeldLease& lease, uint64_t sequence) {
  if (mode == ASYNCHRONOUS) return std::nullopt;
  const uint64_t update = lease.first_update + sequence;
  const uint64_t lag = mode == SYNCHRONOUS ? 0 : 1;
  return std::max(lease.oldest_version, update - std::min(update, lag));
}

LeaseBook::LeaseBook(const Options& options) : options_(options), retired_(options.rollout_threads, false) {}

LeaseBook::Entry* LeaseBook::Find(uint32_t shard, uint32_t lease_epoch) {
  const auto found = entries_.find(shard);
  if (found == entries_.end() || found->second.lease->lease_epoch != lease_epoch) return nullptr;
  return &found->second;
}

void LeaseBook::End(uint32_t shard) {
  const auto found = entries_.find(shard);
  if (found == entries_.end()) return;
  found->second.lease->gone = true;
  entries_.erase(found);
}

void LeaseBook::Report(uint32_t shard, uint32_t lease_epoch, const std::string& error) {
  auto message = std::make_shared<wire::WorkerMessage>();
  wire::LeaseFailure& failure = *message->mutable_lease_failure();
  failure.set_shard(shard);
  failure.set_lease_epoch(lease_epoch);
  failure.set_error(ShownText(error));
  failures_[shard] = {.message = std::move(message), .order = next_order_++};
}

void LeaseBook::GiveUp(Entry& entry, const std::string& error) {
  entry.lease->gone = true;
  entry.given_up = true;
  entry.collecting = false;
  Report(entry.lease->shard, entry.lease->lease_epoch, error);
}

int LeaseBook::ThreadWithFewestLeases() const {
  std::vector<int> leases(retired_.size(), 0);
  for (const auto& [shard, entry] : entries_) {
    if (!entry.given_up) ++leases[entry.lease->thread];
  }
  int best = -1;
  for (int thread = 0; thread < leases.size(); ++thread) {
    if (!retired_[thread] && (best < 0 || leases[thread] < leases[best])) best = thread;
  }
  return best;
}

void LeaseBook::Grant(const wire::LeaseGrant& grant) {
  absl::MutexLock lock(&mutex_);
  if (const Entry* held = Find(grant.shard(), grant.lease_epoch()); held != nullptr && !held->given_up) return;
  const auto failure = failures_.find(grant.shard());
  if (failure != failures_.end()) {
    if (failure->second.message->lease_failure().lease_epoch() == grant.lease_epoch()) return;
    failures_.erase(failure);
  }
  End(grant.shard());
  const int thread = ThreadWithFewestLeases();
  if (thread < 0 || entries_.size() >= options_.max_leases) {
    Report(grant.shard(), grant.lease_epoch(),
           thread < 0
               ? "every rollout thread of this worker hangs"
               : absl::StrCat("this worker takes at most max_shards = ", options_.max_leases, " leases at once"));
    return;
  }
  Entry entry;
  entry.lease = std::make_shared<HeldLease>();
  entry.lease->shard = grant.shard();
  entry.lease->lease_epoch = grant.lease_epoch();
  entry.lease->first_update = grant.first_update();
  entry.lease->oldest_version = grant.oldest_version();
  entry.lease->thread = thread;
  entries_.emplace(grant.shard(), std::move(entry));
}

void LeaseBook::Revoke(const wire::LeaseRevoke& revoke) {
  absl::MutexLock lock(&mutex_);
  if (Find(revoke.shard(), revoke.lease_epoch()) != nullptr) End(revoke.shard());
  const auto failure = failures_.find(revoke.shard());
  if (failure != failures_.end() && failure->second.message->lease_failure().lease_epoch() <= revoke.lease_epoch()) {
    failures_.erase(failure);
  }
}

std::optional<absl::Duration> LeaseBook::Acknowledge(const wire::Acknowledgement& acknowledgement) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = Find(acknowledgement.shard(), acknowledgement.lease_epoch());
  if (entry == nullptr) return std::nullopt;
  std::deque<Outgoing>& chunks = entry->unacknowledged;
  const auto found = std::find_if(chunks.begin(), chunks.end(), [&](const Outgoing& outgoing) {
    return outgoing.message->chunk().sequence() == acknowledgement.sequence();
  });
  std::optional<absl::Duration> age;
  if (found != chunks.end()) {
    age = SteadyTime::Now() - found->since;
    chunks.erase(found);
  }
  const bool over = acknowledgement.result() == wire::OLD_LEASE || (entry->given_up && chunks.empty());
  if (over) End(acknowledgement.shard());
  return age;
}

std::optional<RolloutWork> LeaseBook::TakeWork(int thread, const PolicyStore& store) {
  absl::MutexLock lock(&mutex_);
  if (stopped_) return std::nullopt;
  Entry* best = nullptr;
  uint64_t best_update = 0;
  std::shared_ptr<const PolicySnapshot> best_weights;
  for (auto& [shard, entry] : entries_) {
    const HeldLease& lease = *entry.lease;
    if (entry.given_up || entry.collecting || lease.thread != thread) continue;
    if (entry.unacknowledged.size() >= options_.unacknowledged_window) continue;
    const uint64_t update = lease.first_update + entry.next_sequence;
    if (best != nullptr && update >= best_update) continue;
    const std::optional<uint64_t> version = RequiredVersion(options_.mode, lease, entry.next_sequence);
    auto weights = version.has_value() ? store.Find(*version) : store.Newest();
    if (weights == nullptr) continue;
    best = &entry;
    best_update = update;
    best_weights = std::move(weights);
  }
  if (best == nullptr) return std::nullopt;
  best->collecting = true;
  return RolloutWork{best->lease, best->next_sequence, std::move(best_weights)};
}

void LeaseBook::Submit(const HeldLease& lease, std::shared_ptr<const wire::WorkerMessage> chunk) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = Find(lease.shard, lease.lease_epoch);
  if (entry == nullptr || entry->lease.get() != &lease || lease.gone) return;
  entry->collecting = false;
  ++entry->next_sequence;
  entry->unacknowledged.push_back({.message = std::move(chunk), .order = next_order_++, .since = SteadyTime::Now()});
}

void LeaseBook::Fail(const HeldLease& lease, const std::string& error) {
  absl::MutexLock lock(&mutex_);
  Entry* entry = Find(lease.shard, lease.lease_epoch);
  if (entry == nullptr || entry->lease.get() != &lease || lease.gone) return;
  GiveUp(*entry, error);
  if (entry->unacknowledged.empty()) End(lease.shard);
}

bool LeaseBook::RetireThread(int thread, const std::string& error) {
  absl::MutexLock lock(&mutex_);
  retired_[thread] = true;
  for (auto& [shard, entry] : entries_) {
    if (!entry.given_up && entry.lease->thread == thread) GiveUp(entry, error);
  }
  std::erase_if(entries_, [](const auto& item) { return item.second.given_up && item.second.unacknowledged.empty(); });
  return std::find(retired_.begin(), retired_.end(), false) != retired_.end();
}

void LeaseBook::StopWork() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

}  // namespace troupe
