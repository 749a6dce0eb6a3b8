#include "learner/ingest/lease_table.h"

#include <algorithm>
#include <tuple>

namespace troupe {
namespace {

constexpr absl::Duration kFirstRetryDelay = absl::Milliseconds(100);
constexpr int kMaxDoublings = 20;

LeaseTableOptions Completed(LeaseTableOptions options) {
  if (options.own_shards.count == 0) options.own_shards = {0, options.num_shards};
  return options;
}

}  // namespace

LeaseTable::LeaseTable(LeaseTableOptions options) : options_(Completed(options)), shards_(options.num_shards) {
  for (size_t i = 0; i < shards_.size(); ++i) shards_[i].lease.shard = static_cast<uint32_t>(i);
}

void LeaseTable::Open(const std::vector<uint32_t>& last_epochs, uint64_t first_update, SteadyTime now) {
  for (Shard& shard : shards_) {
    shard.lease.first_update = first_update;
    if (!last_epochs.empty()) shard.lease.epoch = last_epochs[shard.lease.shard];
  }
  open_ = true;
  opened_at_ = now;
}

void LeaseTable::Close() {
  open_ = gate_open_ = false;
  for (Shard& shard : shards_) {
    if (shard.worker_id.empty()) continue;
    changes_.push_back({LeaseChange::Kind::kRevoke, shard.worker_id, shard.lease});
    Free(shard);
  }
}

void LeaseTable::AddWorker(const std::string& worker_id, int max_shards, SteadyTime now) {
  workers_[worker_id] = {workers_seen_++, max_shards, false, now, 0};
}

void LeaseTable::RemoveWorker(const std::string& worker_id, SteadyTime now) {
  num_connected_ -= connected(worker_id) ? 1 : 0;
  for (Shard& shard : shards_) {
    if (shard.worker_id == worker_id) {
      shard.not_before = now;
      Free(shard);
    }
    shard.failed_workers.erase(worker_id);
  }
  workers_.erase(worker_id);
}

void LeaseTable::Connect(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  num_connected_ += found->second.connected ? 0 : 1;
  found->second.connected = true;
  found->second.last_heard = now;
  for (const Shard& shard : shards_) {
    if (shard.worker_id == worker_id) changes_.push_back({LeaseChange::Kind::kGrant, worker_id, shard.lease});
  }
}

void LeaseTable::Disconnect(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  num_connected_ -= found->second.connected ? 1 : 0;
  found->second.connected = false;
  found->second.last_heard = now;
}

void LeaseTable::Heard(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found != workers_.end()) found->second.last_heard = now;
}

std::vector<std::string> LeaseTable::Expire(SteadyTime now) {
  std::vector<std::string> silent;
  for (const auto& [worker_id, worker] : workers_) {
    if (now - worker.last_heard >= options_.lease_timeout) silent.push_back(worker_id);
  }
  for (const std::string& worker_id : silent) RemoveWorker(worker_id, now);
  return silent;
}

bool LeaseTable::FailLease(const std::string& worker_id, uint32_t shard_index, uint32_t epoch, SteadyTime now) {
  if (shard_index >= shards_.size()) return false;
  Shard& shard = shards_[shard_index];
  if (shard.worker_id != worker_id || shard.lease.epoch != epoch) return false;
  const absl::Duration delay = kFirstRetryDelay * static_cast<double>(1 << std::min(shard.failures, kMaxDoublings));
  shard.failures += 1;
  shard.failed_workers.insert(worker_id);
  shard.last_failed = worker_id;
  shard.not_before = now + std::min(delay, options_.lease_timeout);
  Free(shard);
  return true;
}

bool LeaseTable::IsHopeless(const Shard& shard) const {
  const int limit = advanced_ ? kLaterFailures : kFirstFailures;
  const int workers = std::clamp(num_connected_, 1, kFailedWorkers);
  const bool tried_widely = static_cast<int>(shard.failed_workers.size()) >= workers;
  return shard.failures >= (tried_widely ? limit : 2 * limit);
}

std::optional<LeaseTable::HopelessShard> LeaseTable::FindHopeless(bool only_if_all) const {
  std::optional<HopelessShard> found;
  for (const Shard& shard : shards_) {
    if (!options_.own_shards.contains(shard.lease.shard)) continue;
    const bool hopeless = IsHopeless(shard);
    if (only_if_all && !hopeless) return std::nullopt;
    if (hopeless && !found.has_value()) {
      found = {shard.lease.shard, shard.failures, static_cast<int>(shard.failed_workers.size())};
    }
  }
  return found;
}

LeaseTable::Standing LeaseTable::Find(const std::string& worker_id, uint32_t shard_index, uint32_t epoch,
                                      uint64_t sequence) const {
  if (!options_.own_shards.contains(shard_index)) return Standing::kUnknownShard;
  const Shard& shard = shards_[shard_index];
  if (epoch == 0 || epoch > shard.lease.epoch) return Standing::kUnknownLease;
  if (epoch < shard.lease.epoch || shard.worker_id != worker_id) return Standing::kOldLease;
  if (sequence < shard.next_sequence) return Standing::kDuplicate;
  return sequence == shard.next_sequence ? Standing::kNext : Standing::kGap;
}

void LeaseTable::Advance(uint32_t shard_index, SteadyTime now) {
  Shard& shard = shards_[shard_index];
  shard.next_sequence += 1;
  shard.failures = 0;
  shard.failed_workers.clear();
  shard.last_failed.clear();
  advanced_ = true;
  // With one lease it has no two more than any other: nothing to look for, however many workers there are.
  if (workers_.at(shard.worker_id).leases < 2) return;
  const std::string* const least = LeastLoaded({}, shard.worker_id);
  if (least == nullptr || workers_.at(shard.worker_id).leases - workers_.at(*least).leases < 2) return;
  changes_.push_back({LeaseChange::Kind::kRevoke, shard.worker_id, shard.lease});
  shard.not_before = now;
  Free(shard);
  Give(shard, *least);
}

std::vector<LeaseChange> LeaseTable::TakeChanges(SteadyTime now) {
  OpenGate(now);
  if (gate_open_ && num_leased_ < static_cast<int>(shards_.size())) {
    for (Shard& shard : shards_) {
      if (!options_.own_shards.contains(shard.lease.shard)) continue;
      if (!shard.worker_id.empty() || shard.not_before > now) continue;
      const std::string* const least = LeastLoaded(shard.failed_workers, shard.last_failed);
      if (least == nullptr) break;
      Give(shard, *least);
    }
  }
  return std::exchange(changes_, {});
}

void LeaseTable::OpenGate(SteadyTime now) {
  if (!open_ || gate_open_) return;
  gate_open_ = num_connected() >= options_.expected_workers || now - opened_at_ >= options_.expected_workers_patience;
}

void LeaseTable::Free(Shard& shard) {
  if (shard.worker_id.empty()) return;
  workers_.at(shard.worker_id).leases -= 1;
  num_leased_ -= 1;
  shard.worker_id.clear();
}

void LeaseTable::Give(Shard& shard, const std::string& worker_id) {
  shard.lease.first_update += shard.next_sequence;
  shard.lease.epoch += 1;
  shard.next_sequence = 0;
  shard.worker_id = worker_id;
  workers_.at(worker_id).leases += 1;
  num_leased_ += 1;
  changes_.push_back({LeaseChange::Kind::kGrant, worker_id, shard.lease});
}

const std::string* LeaseTable::LeastLoaded(const std::set<std::string>& avoided,
                                           const std::string& avoided_most) const {
  const std::string* best = nullptr;
  std::tuple<bool, bool, int, uint64_t> best_key;
  for (const auto& [worker_id, worker] : workers_) {
    if (!worker.connected || worker.leases >= worker.max_shards) continue;
    const std::tuple key(worker_id == avoided_most, avoided.contains(worker_id), worker.leases, worker.order);
    if (best == nullptr || key < best_key) {
      best = &worker_id;
      best_key = key;
    }
  }
  return best;
}

std::vector<uint32_t> LeaseTable::shards_of(const std::string& worker_id) const {
  std::vector<uint32_t> held;
  for (const Shard& shard : shards_) {
    if (shard.worker_id == worker_id) held.push_back(shard.lease.shard);
  }
  return held;
}

std::vector<uint32_t> LeaseTable::last_epochs() const {
  std::vector<uint32_t> epochs;
  for (const Shard& shard : shards_) epochs.push_back(shard.lease.epoch);
  return epochs;
}

int LeaseTable::num_idle() const {
  if (num_leased_ < options_.own_shards.count) return 0;
  return static_cast<int>(std::ranges::count_if(
      workers_, [](const auto& entry) { return entry.second.connected && entry.second.leases == 0; }));
}

bool LeaseTable::connected(const std::string& worker_id) const {
  const auto found = workers_.find(worker_id);
  return found != workers_.end() && found->second.connected;
}

}  // namespace troupe
