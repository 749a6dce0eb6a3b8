#include "learner/service/worker_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {

void WorkerWatch::Collected(const std::string& worker_id, const std::string& host, double seconds) {
  Collecting& collecting = collecting_[worker_id];
  if (collecting.chunks == 0) collecting.host = host;
  collecting.chunks += 1;
  collecting.mean_seconds += (seconds - collecting.mean_seconds) / std::min<uint64_t>(collecting.chunks, kChunks);
}

void WorkerWatch::Remove(const std::string& worker_id) {
  collecting_.erase(worker_id);
  told_slow_.erase(worker_id);
}

WorkerWatch::Slow WorkerWatch::Slowest() const {
  std::vector<std::pair<double, const std::string*>> means;
  for (const auto& [worker_id, collecting] : collecting_) {
    if (collecting.chunks >= kChunks) means.emplace_back(collecting.mean_seconds, &worker_id);
  }
  if (means.size() < 2) return {};
  std::ranges::sort(means);
  const auto [seconds, worker_id] = means.back();
  means.pop_back();
  const double others = means[means.size() / 2].first;
  if (others <= 0) return {};
  return {*worker_id, seconds / others, seconds, others};
}

std::vector<std::string> WorkerWatch::Look(const Workers& workers, SteadyTime now) {
  std::vector<std::string> lines;
  LookForIdle(workers, now, &lines);
  if (wait_for_all_) LookForSlow(workers, now, &lines);
  return lines;
}

void WorkerWatch::LookForIdle(const Workers& workers, SteadyTime now, std::vector<std::string>* lines) {
  if (std::exchange(idle_, workers.without_shard) != workers.without_shard) idle_since_ = now;
  // More of them are worth another line, fewer are not.
  if (idle_ <= told_idle_ || now - idle_since_ < kIdleFor) return;
  told_idle_ = idle_;
  lines->push_back(absl::StrCat(
      idle_, " of ", workers.connected, " workers ", idle_ == 1 ? "has" : "have", " nothing to collect: the run has ",
      workers.shards, workers.shards == 1 ? " shard" : " shards", ", and each is one worker's. They only play evaluations; "
      "for all to collect, collection.num_shards must be at least ", workers.connected,
      " (with a smaller collection.copies_per_shard, batches keep their size), which needs a new run"));
}

void WorkerWatch::LookForSlow(const Workers& workers, SteadyTime now, std::vector<std::string>* lines) {
  const Slow slowest = Slowest();
  const std::string slow = slowest.ratio >= kSlowRatio ? slowest.worker_id : "";
  if (std::exchange(slow_, slow) != slow) {
    slow_since_ = now;
    waited_before_ = workers.waited;
  }
  const absl::Duration passed = now - slow_since_;
  if (slow.empty() || passed < kSlowFor || told_slow_.contains(slow)) return;
  const double waiting = absl::FDivDuration(workers.waited - waited_before_, passed);
  if (waiting < kWaitingShare) return;
  told_slow_.insert(slow);
  lines->push_back(absl::StrFormat(
      "%s (%s) is slow: a chunk takes it %.3g s, the other workers %.3g s, and the learner waits for batches %.0f %% of its "
      "time. Every batch needs a part of each worker, so the whole run goes at its pace: give it a processor of its own, "
      "or end it, and its shards go to the others",
      slow, collecting_.at(slow).host, slowest.seconds, slowest.others_seconds, 100 * std::min(1.0, waiting)));
}

}  // namespace troupe
