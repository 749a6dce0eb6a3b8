#include "learner/ingest/lease_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

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
  for (uint32_t i = 0; i < shards_.size(); ++i) {
    shards_[i].lease.shard = i;
    if (options_.own_shards.contains(i)) free_.insert(free_.end(), i);
  }
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

template <typename Change>
void LeaseTable::ChangeWorker(const std::string& worker_id, const Change& change) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  Worker& worker = found->second;
  with_room_.erase({worker.shards.size(), worker.order, worker_id});
  num_connected_ -= worker.connected ? 1 : 0;
  change(worker);
  num_connected_ += worker.connected ? 1 : 0;
  const bool has_room = static_cast<int>(worker.shards.size()) < worker.max_shards;
  if (worker.connected && has_room) with_room_.insert({worker.shards.size(), worker.order, worker_id});
}

void LeaseTable::AddWorker(const std::string& worker_id, int max_shards, SteadyTime now) {
  Worker& worker = workers_[worker_id];
  worker.order = workers_seen_++;
  worker.max_shards = max_shards;
  worker.last_heard = now;
}

void LeaseTable::RemoveWorker(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  for (const uint32_t shard : std::set(found->second.shards)) {
    shards_[shard].not_before = now;
    Free(shards_[shard]);
  }
  for (auto shard = failing_.begin(); shard != failing_.end();) {
    std::set<std::string>& failed = shards_[*shard].failed_workers;
    failed.erase(worker_id);
    shard = failed.empty() ? failing_.erase(shard) : std::next(shard);
  }
  ChangeWorker(worker_id, [](Worker& worker) { worker.connected = false; });
  workers_.erase(found);
}

void LeaseTable::Connect(const std::string& worker_id, SteadyTime now) {
  ChangeWorker(worker_id, [&](Worker& worker) {
    worker.connected = true;
    worker.lost_stream = false;
    worker.last_heard = now;
    for (const uint32_t shard : worker.shards) {
      changes_.push_back({LeaseChange::Kind::kGrant, worker_id, shards_[shard].lease});
    }
  });
}

void LeaseTable::Disconnect(const std::string& worker_id, SteadyTime now) {
  ChangeWorker(worker_id, [&](Worker& worker) {
    worker.connected = false;
    worker.lost_stream = true;
    worker.last_heard = now;
  });
}

void LeaseTable::Heard(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found != workers_.end()) found->second.last_heard = now;
}

std::vector<std::string> LeaseTable::Expire(SteadyTime now) {
  std::vector<std::string> silent;
  for (const auto& [worker_id, worker] : workers_) {
    const absl::Duration patience = worker.lost_stream ? reconnect_patience() : options_.lease_timeout;
    if (now - worker.last_heard >= patience) silent.push_back(worker_id);
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
  failing_.insert(shard_index);
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
  if (!shard.failed_workers.empty()) failing_.erase(shard_index);
  shard.failed_workers.clear();
  shard.last_failed.clear();
  advanced_ = true;
  const std::string* const least = LeastLoaded({}, shard.worker_id);
  if (least == nullptr || workers_.at(*least).shards.size() + 2 > workers_.at(shard.worker_id).shards.size()) return;
  const std::string receiver = *least;  // which Free and Give move about
  changes_.push_back({LeaseChange::Kind::kRevoke, shard.worker_id, shard.lease});
  shard.not_before = now;
  Free(shard);
  Give(shard, receiver);
}

std::vector<LeaseChange> LeaseTable::TakeChanges(SteadyTime now) {
  OpenGate(now);
  for (auto next = free_.begin(); gate_open_ && next != free_.end();) {
    Shard& shard = shards_[*next++];  // Give takes it out
    if (shard.not_before > now) continue;
    const std::string* const least = LeastLoaded(shard.failed_workers, shard.last_failed);
    if (least == nullptr) break;
    Give(shard, std::string(*least));
  }
  return std::exchange(changes_, {});
}

void LeaseTable::OpenGate(SteadyTime now) {
  if (!open_ || gate_open_) return;
  gate_open_ = num_connected() >= options_.expected_workers || now - opened_at_ >= options_.expected_workers_patience;
}

void LeaseTable::Free(Shard& shard) {
  if (shard.worker_id.empty()) return;
  ChangeWorker(shard.worker_id, [&](Worker& worker) { worker.shards.erase(shard.lease.shard); });
  num_leased_ -= 1;
  shard.worker_id.clear();
  free_.insert(shard.lease.shard);
}

void LeaseTable::Give(Shard& shard, const std::string& worker_id) {
  shard.lease.first_update += shard.next_sequence;
  shard.lease.epoch += 1;
  shard.next_sequence = 0;
  shard.worker_id = worker_id;
  ChangeWorker(worker_id, [&](Worker& worker) { worker.shards.insert(shard.lease.shard); });
  num_leased_ += 1;
  free_.erase(shard.lease.shard);
  changes_.push_back({LeaseChange::Kind::kGrant, worker_id, shard.lease});
}

const std::string* LeaseTable::LeastLoaded(const std::set<std::string>& avoided,
                                           const std::string& avoided_most) const {
  const std::string *avoidable = nullptr, *last_resort = nullptr;
  for (const Load& load : with_room_) {
    if (load.worker_id == avoided_most) {
      last_resort = &load.worker_id;
    } else if (!avoided.contains(load.worker_id)) {
      return &load.worker_id;
    } else if (avoidable == nullptr) {
      avoidable = &load.worker_id;
    }
  }
  return avoidable != nullptr ? avoidable : last_resort;
}

std::vector<uint32_t> LeaseTable::shards_of(const std::string& worker_id) const {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return {};
  return {found->second.shards.begin(), found->second.shards.end()};
}

std::vector<uint32_t> LeaseTable::last_epochs() const {
  std::vector<uint32_t> epochs;
  for (const Shard& shard : shards_) epochs.push_back(shard.lease.epoch);
  return epochs;
}

int LeaseTable::num_idle() const {
  if (num_leased_ < options_.own_shards.count) return 0;
  return static_cast<int>(std::ranges::count_if(
      workers_, [](const auto& entry) { return entry.second.connected && entry.second.shards.empty(); }));
}

bool LeaseTable::connected(const std::string& worker_id) const {
  const auto found = workers_.find(worker_id);
  return found != workers_.end() && found->second.connected;
}

}  // namespace troupe
