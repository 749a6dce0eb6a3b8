#include "learner/service/rank_directory.h"

#include <algorithm>
#include <utility>

#include "learner/ingest/shard_range.h"

namespace troupe {
namespace {

// Loads closer than this are equal.
constexpr double kSame = 1e-9;
// A worker moves only if that is worth its lost chunks: this share of the load of whom it leaves.
constexpr double kWorthMoving = 0.25;

}  // namespace

int RankDirectory::ShardsOf(int rank, int size, int num_shards) {
  return std::max(1, ShardRange::OfRank(num_shards, rank, size).count);
}

RankDirectory::RankDirectory(int rank, int size, int num_shards)
    : own_(rank), own_shards_(ShardsOf(rank, size, num_shards)), ranks_(size) {
  for (int r = 0; r < size; ++r) ranks_[r].shards = ShardsOf(r, size, num_shards);
}

void RankDirectory::SetAddresses(std::vector<std::string> addresses) {
  absl::MutexLock lock(&mutex_);
  for (size_t r = 0; r < ranks_.size() && r < addresses.size(); ++r) ranks_[r].address = std::move(addresses[r]);
  known_ = true;
}

void RankDirectory::DropLate(Rank* rank, SteadyTime now) {
  std::erase_if(rank->travellers, [&](const Traveller& one) { return now - one.sent >= kTravelTime; });
}

double RankDirectory::LoadOf(const Rank& rank) const {
  double load = rank.load.capacity / rank.shards;
  for (const Traveller& traveller : rank.travellers) load += traveller.load;
  return load;
}

std::string RankDirectory::Place(int max_shards, uint32_t redirects, SteadyTime now) {
  absl::MutexLock lock(&mutex_);
  if (!known_ || redirects >= kMostRedirects) return "";
  if (own_ != 0) return redirects == 0 ? ranks_[0].address : "";
  Rank* best = &ranks_[0];
  for (Rank& rank : ranks_) {
    DropLate(&rank, now);
    const bool reachable = &rank == &ranks_[0] || !rank.address.empty();
    if (reachable && LoadOf(rank) < LoadOf(*best) - kSame) best = &rank;
  }
  if (best == &ranks_[0]) return "";
  if (best->travellers.size() >= kMostTravellers) best->travellers.pop_front();
  best->travellers.push_back({static_cast<double>(std::min(max_shards, best->shards)) / best->shards, now});
  return best->address;
}

int RankDirectory::CapacityOf(int max_shards) const { return std::min(max_shards, own_shards_); }

void RankDirectory::SetOwn(const RankLoad& load, int smallest) {
  absl::MutexLock lock(&mutex_);
  ranks_[own_].load = load;
  smallest_ = smallest;
}

RankLoad RankDirectory::Report() const {
  absl::MutexLock lock(&mutex_);
  return ranks_[own_].load;
}

void RankDirectory::Take(absl::Span<const RankLoad> loads, SteadyTime now) {
  absl::MutexLock lock(&mutex_);
  for (size_t r = 0; r < ranks_.size() && r < loads.size(); ++r) {
    DropLate(&ranks_[r], now);
    // This rank's own load is newer here than what came back from the others.
    if (static_cast<int>(r) == own_) continue;
    Rank& rank = ranks_[r];
    for (double come = loads[r].arrivals - rank.load.arrivals; come >= 1 && !rank.travellers.empty(); come -= 1) {
      rank.travellers.pop_front();
    }
    rank.load = loads[r];
  }
  if (!HasTooMany()) {
    too_many_since_ = SteadyTime::InfiniteFuture();
  } else if (too_many_since_ == SteadyTime::InfiniteFuture()) {
    too_many_since_ = now;
  } else if (now - too_many_since_ >= kReleasePatience) {
    release_ = true;
    too_many_since_ = SteadyTime::InfiniteFuture();
  }
}

// All ranks see the same loads but for the last moment's, and at most one of them is the first with most.
bool RankDirectory::HasTooMany() const {
  if (!known_ || smallest_ == 0 || ranks_[0].address.empty()) return false;
  const double own = LoadOf(ranks_[own_]);
  double least = own;
  for (size_t r = 0; r < ranks_.size(); ++r) {
    const double load = LoadOf(ranks_[r]);
    if (load > own + kSame || (static_cast<int>(r) < own_ && load > own - kSame)) return false;
    if (r == 0 || !ranks_[r].address.empty()) least = std::min(least, load);
  }
  const double worker = static_cast<double>(smallest_) / own_shards_;
  return own - least >= std::max(2 * worker, kWorthMoving * own) - kSame;
}

bool RankDirectory::TakeRelease() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(release_, false);
}

}  // namespace troupe
