#include "learner/service/worker_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

// One is trained on, one is filled, and one more can have begun.
constexpr size_t kBatchesOnTheirWay = 4;

// The middle one but `left_out`, the later of two.
template <typename Value>
Value MedianWithout(std::vector<Value> values, size_t left_out) {
  values.erase(values.begin() + left_out);
  std::ranges::nth_element(values, values.begin() + values.size() / 2);
  return values[values.size() / 2];
}

}  // namespace

void WorkerWatch::Begin(uint64_t update, SteadyTime now) {
  batches_[update].began = now;
  while (batches_.size() > kBatchesOnTheirWay) batches_.erase(batches_.begin());
}

void WorkerWatch::Came(uint64_t update, const std::string& worker_id, const std::string& host, SteadyTime now) {
  const auto found = batches_.find(update);
  if (found == batches_.end()) return;
  Worker& worker = workers_[worker_id];
  if (worker.host.empty()) worker.host = host;
  Batch& batch = found->second;
  Batch::Part& part = batch.parts[worker_id];
  part.chunks += 1;
  part.last = now;
  if (++batch.chunks < shards_) return;
  Judge(batch);
  batches_.erase(found);
}

void WorkerWatch::Judge(const Batch& batch) {
  std::vector<SteadyTime> ends;
  for (const auto& [worker_id, part] : batch.parts) ends.push_back(part.last);
  size_t place = 0;
  for (const auto& [worker_id, part] : batch.parts) {
    const size_t own = place++;
    const auto found = workers_.find(worker_id);
    if (found == workers_.end()) continue;
    Worker& worker = found->second;
    worker.batches += 1;
    const double seconds = absl::ToDoubleSeconds(part.last - batch.began) / part.chunks;
    worker.chunk_seconds += (seconds - worker.chunk_seconds) / std::min<uint64_t>(worker.batches, kBatches);
    if (ends.size() < 2) continue;
    worker.late += std::max(absl::ZeroDuration(), part.last - MedianWithout(ends, own));
  }
}

void WorkerWatch::Remove(const std::string& worker_id) {
  workers_.erase(worker_id);
  told_slow_.erase(worker_id);
}

WorkerWatch::Slow WorkerWatch::Slowest() const {
  std::vector<const std::string*> ids;
  std::vector<double> seconds;
  for (const auto& [worker_id, worker] : workers_) {
    if (worker.batches < kBatches) continue;
    ids.push_back(&worker_id);
    seconds.push_back(worker.chunk_seconds);
  }
  if (ids.size() < 2) return {};
  const size_t slowest = std::ranges::max_element(seconds) - seconds.begin();
  const double others = MedianWithout(seconds, slowest);
  if (others <= 0) return {};
  return {*ids[slowest], seconds[slowest] / others, seconds[slowest], others};
}

std::vector<std::string> WorkerWatch::Look(const Workers& workers, SteadyTime now) {
  std::vector<std::string> lines;
  LookForIdle(workers, now, &lines);
  LookForSlow(now, &lines);
  return lines;
}

void WorkerWatch::LookForIdle(const Workers& workers, SteadyTime now, std::vector<std::string>* lines) {
  if (std::exchange(idle_, workers.without_shard) != workers.without_shard) idle_since_ = now;
  // More of them are worth another line, fewer are not.
  if (idle_ <= told_idle_ || now - idle_since_ < kIdleFor) return;
  told_idle_ = idle_;
  lines->push_back(
      absl::StrCat(idle_, " of ", workers.connected, " workers ", idle_ == 1 ? "has" : "have",
                   " nothing to collect: the run has ", workers.shards, workers.shards == 1 ? " shard" : " shards",
                   ", and each is one worker's. They only play evaluations; for all to collect, a run needs "
                   "collection.num_shards of at least ",
                   workers.connected, " (batches keep their size with a smaller copies_per_shard)"));
}

void WorkerWatch::LookForSlow(SteadyTime now, std::vector<std::string>* lines) {
  const Slow slowest = Slowest();
  const std::string slow = slowest.ratio >= kSlowRatio ? slowest.worker_id : "";
  if (std::exchange(slow_, slow) != slow) {
    slow_since_ = now;
    late_before_ = slow.empty() ? absl::ZeroDuration() : workers_.at(slow).late;
  }
  const absl::Duration passed = now - slow_since_;
  if (slow.empty() || passed < kSlowFor || told_slow_.contains(slow)) return;
  const Worker& worker = workers_.at(slow);
  const double late = absl::FDivDuration(worker.late - late_before_, passed);
  if (late < kLateShare) return;
  told_slow_.insert(slow);
  lines->push_back(
      absl::StrFormat("%s (%s) is slow: a chunk takes it %.3g s, the other workers %.3g s, and for %.0f %% of the time "
                      "they wait for it. "
                      "Every batch has a part of each worker, so the whole run goes at its pace: give it a processor "
                      "of its own, or end "
                      "it, and its shards go to the others",
                      slow, worker.host, slowest.seconds, slowest.others_seconds, 100 * std::min(1.0, late)));
}

}  // namespace troupe
