#include "learner/ingest/lease_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace troupe {
namespace {

constexpr absl::Duration kFirstRetryDelay = absl::Milliseconds(100);
constexpr int kMaxDoublings = 20;
// A shard with a second lease is not waited for; its worker that is behind keeps it among those that would be.
constexpr double kLateHalved = 0.5;
// By pace: so many chunks tell how fast a worker is, and a shard moves where its chunks would come in less than
// 1 / kFasterBy of the time.
constexpr int kPaceChunks = 8;
constexpr double kFasterBy = 1.5;

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
  for (Shard& shard : shards_) End(shard);
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
    Drop(shards_[shard], worker_id);
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
  if (!Has(shard, worker_id) || shard.lease.epoch != epoch) return false;
  if (!shard.second.worker_id.empty()) {
    Drop(shard, worker_id);  // nothing is lost
    return true;
  }
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
  if (epoch < shard.lease.epoch || !Has(shard, worker_id)) return Standing::kOldLease;
  if (sequence < shard.next_sequence) return Standing::kDuplicate;
  return sequence == shard.next_sequence ? Standing::kNext : Standing::kGap;
}

void LeaseTable::Advance(uint32_t shard_index, SteadyTime now, const std::string& worker_id) {
  Shard& shard = shards_[shard_index];
  shard.next_sequence += 1;
  const bool seconds = !worker_id.empty() && shard.second.worker_id == worker_id;
  (seconds ? shard.second : shard.first).brings = shard.next_sequence;
  shard.failures = 0;
  if (!shard.failed_workers.empty()) failing_.erase(shard_index);
  shard.failed_workers.clear();
  shard.last_failed.clear();
  advanced_ = true;
  if (options_.speculative_leases > 0) WatchLate(shard);
  if (options_.lease_updates > 0) {
    if (next_update(shard_index) % options_.lease_updates != 0) return;
    shard.not_before = now;
    shard.late *= kLateHalved;
    End(shard);
    return;
  }
  if (!shard.second.worker_id.empty()) return;
  const std::string receiver = BetterPlace(shard, now);
  if (receiver.empty()) return;
  shard.not_before = now;
  End(shard);
  Give(shard, receiver);
}

std::string LeaseTable::BetterPlace(const Shard& shard, SteadyTime now) {
  const std::string& holder = shard.first.worker_id;
  if (options_.by_pace) {
    if (std::string faster = FasterWorker(holder, now); !faster.empty()) return faster;
  }
  const std::string* const least = LeastLoaded({}, holder);
  if (least == nullptr) return "";
  const Worker &receiver = workers_.at(*least), &giver = workers_.at(holder);
  // Of two whose paces are known, these say more than how many they have.
  if (options_.by_pace && receiver.known && giver.known && !receiver.shards.empty()) return "";
  return receiver.shards.size() + 2 > giver.shards.size() ? "" : *least;
}

std::string LeaseTable::FasterWorker(const std::string& holder, SteadyTime now) {
  Worker& slow = workers_.at(holder);
  const SteadyTime before = std::exchange(slow.last_chunk, now);
  if (before == SteadyTime::InfinitePast()) return "";
  slow.chunks += 1;
  slow.chunk_seconds += (absl::ToDoubleSeconds(now - before) - slow.chunk_seconds) / std::min(slow.chunks, kPaceChunks);
  slow.known = slow.known || slow.chunks >= kPaceChunks;
  // Looked for now and then: among all workers. Nobody loses the last shard.
  if (slow.chunks % kPaceChunks != 0 || slow.shards.size() < 2) return "";
  // Seconds between two chunks of one shard.
  double best = slow.chunk_seconds * static_cast<double>(slow.shards.size()) / kFasterBy;
  std::string found;
  for (const Load& load : with_room_) {
    const Worker& fast = workers_.at(load.worker_id);
    if (load.worker_id == holder || fast.chunks < kPaceChunks) continue;
    const double pace = fast.chunk_seconds * static_cast<double>(fast.shards.size() + 1);
    if (pace >= best) continue;
    best = pace;
    found = load.worker_id;
  }
  return found;
}

void LeaseTable::Repeat(uint32_t shard_index, const std::string& worker_id, uint64_t sequence) {
  Shard& shard = shards_[shard_index];
  for (Holder* const holder : {&shard.first, &shard.second}) {
    if (holder->worker_id == worker_id) holder->brings = std::max(holder->brings, sequence + 1);
  }
}

void LeaseTable::WatchLate(Shard& shard) {
  begun_.erase(shard.lease.shard);
  const uint64_t update = shard.lease.first_update + shard.next_sequence - 1;
  const bool last = ++arrived_[update] == options_.own_shards.count;
  if (last) arrived_.erase(update);
  if (shard.second.worker_id.empty()) {
    shard.late += last ? 1 : 0;
    return;
  }
  const Holder& behind = shard.first.brings < shard.second.brings ? shard.first : shard.second;
  const uint64_t chunks = shard.next_sequence - behind.brings;
  // One behind is who has been outrun just now.
  shard.late += chunks > 1 ? 1 : 0;
  if (chunks <= options_.max_behind) return;
  const std::string worker_id = behind.worker_id;
  changes_.push_back({LeaseChange::Kind::kRevoke, worker_id, shard.lease});
  Drop(shard, worker_id);
}

bool LeaseTable::IsWaitedFor(const Shard& shard) const {
  const auto more = std::ranges::count_if(shards_, [&](const Shard& other) {
    if (!options_.own_shards.contains(other.lease.shard)) return false;
    return other.late > shard.late || (other.late == shard.late && other.lease.shard < shard.lease.shard);
  });
  return more < options_.speculative_leases;
}

void LeaseTable::GiveSeconds() {
  for (auto next = begun_.begin(); next != begun_.end() && num_leased_twice_ < options_.speculative_leases;) {
    Shard& shard = shards_[*next];
    const std::string* const least = LeastLoaded({}, shard.first.worker_id);
    if (least == nullptr) return;
    if (*least == shard.first.worker_id) {
      ++next;
      continue;
    }
    shard.second = {*least, 0};
    num_leased_twice_ += 1;
    ChangeWorker(shard.second.worker_id, [&](Worker& worker) { worker.shards.insert(shard.lease.shard); });
    changes_.push_back({LeaseChange::Kind::kGrant, shard.second.worker_id, shard.lease});
    next = begun_.erase(next);
  }
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
  GiveSeconds();
  return std::exchange(changes_, {});
}

void LeaseTable::OpenGate(SteadyTime now) {
  if (!open_ || gate_open_) return;
  gate_open_ = num_connected() >= options_.expected_workers || now - opened_at_ >= options_.expected_workers_patience;
}

void LeaseTable::Free(Shard& shard) {
  while (!shard.first.worker_id.empty()) Drop(shard, std::string(shard.first.worker_id));
}

void LeaseTable::End(Shard& shard) {
  for (const Holder& holder : {shard.first, shard.second}) {
    if (!holder.worker_id.empty()) changes_.push_back({LeaseChange::Kind::kRevoke, holder.worker_id, shard.lease});
  }
  Free(shard);
}

void LeaseTable::Drop(Shard& shard, const std::string& worker_id) {
  ChangeWorker(worker_id, [&](Worker& worker) {
    worker.shards.erase(shard.lease.shard);
    worker.chunks = 0;
    worker.last_chunk = SteadyTime::InfinitePast();
  });
  if (!shard.second.worker_id.empty()) {
    if (shard.first.worker_id == worker_id) std::swap(shard.first, shard.second);
    shard.second = {};
    num_leased_twice_ -= 1;
    return;
  }
  num_leased_ -= 1;
  shard.first = {};
  begun_.erase(shard.lease.shard);
  free_.insert(shard.lease.shard);
}

void LeaseTable::Give(Shard& shard, const std::string& worker_id) {
  shard.lease.first_update += shard.next_sequence;
  shard.lease.epoch += 1;
  shard.next_sequence = 0;
  shard.first = {worker_id, 0};
  ChangeWorker(worker_id, [&](Worker& worker) {
    worker.shards.insert(shard.lease.shard);
    worker.chunks = 0;
    worker.last_chunk = SteadyTime::InfinitePast();
  });
  num_leased_ += 1;
  if (options_.speculative_leases > 0 && IsWaitedFor(shard)) begun_.insert(shard.lease.shard);
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
