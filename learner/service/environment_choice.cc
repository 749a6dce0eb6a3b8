#include "learner/service/environment_choice.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/wire/spec_codec.h"

namespace troupe {

std::vector<std::string> EnvironmentChoice::Know(EnvironmentSpec spec) {
  chosen_ = std::move(spec);
  final_ = true;
  return WorkersOfOthers();
}

std::vector<std::string> EnvironmentChoice::WorkersOfOthers() const {
  std::vector<std::string> others;
  for (const auto& [worker_id, worker] : workers_) {
    if (!DescribeDifference(*chosen_, candidates_.at(worker.candidate).spec).empty()) others.push_back(worker_id);
  }
  return others;
}

absl::Status EnvironmentChoice::Announce(const std::string& worker_id, const EnvironmentSpec& spec, bool local) {
  if (chosen_.has_value()) {
    if (const std::string difference = DescribeDifference(*chosen_, spec); !difference.empty()) {
      return absl::FailedPreconditionError(absl::StrCat("environment_spec: differs from the run's: ", difference));
    }
  }
  auto found = std::ranges::find_if(
      candidates_, [&spec](const auto& entry) { return DescribeDifference(entry.second.spec, spec).empty(); });
  if (found == candidates_.end()) {
    if (candidates_.size() >= kMaxCandidates) {
      return absl::UnavailableError(absl::StrCat("environment_spec: ", candidates_.size(),
                                                 " different ones are announced, and none is chosen yet"));
    }
    found = candidates_.emplace(++last_candidate_, Candidate{spec}).first;
  }
  found->second.workers += 1;
  workers_[worker_id] = {found->first, local, false};
  return absl::OkStatus();
}

void EnvironmentChoice::Connect(const std::string& worker_id, SteadyTime now) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end() || std::exchange(found->second.connected, true)) return;
  Candidate& candidate = candidates_.at(found->second.candidate);
  candidate.connected += 1;
  candidate.local_connected += found->second.local ? 1 : 0;
  first_connected_ = std::min(first_connected_, now);
}

void EnvironmentChoice::Disconnect(const std::string& worker_id) {
  const auto found = workers_.find(worker_id);
  if (found == workers_.end() || !std::exchange(found->second.connected, false)) return;
  Candidate& candidate = candidates_.at(found->second.candidate);
  candidate.connected -= 1;
  candidate.local_connected -= found->second.local ? 1 : 0;
}

void EnvironmentChoice::Remove(const std::string& worker_id) {
  Disconnect(worker_id);
  const auto found = workers_.find(worker_id);
  if (found == workers_.end()) return;
  const auto candidate = candidates_.find(found->second.candidate);
  if (--candidate->second.workers == 0) candidates_.erase(candidate);
  workers_.erase(found);
  if (!workers_.empty() || final_) return;
  chosen_.reset();
  first_connected_ = SteadyTime::InfiniteFuture();
}

std::vector<std::string> EnvironmentChoice::InTheWay() const {
  std::vector<std::string> ids;
  if (candidates_.size() < kMaxCandidates) return ids;
  for (const auto& [worker_id, worker] : workers_) {
    if (candidates_.at(worker.candidate).connected == 0) ids.push_back(worker_id);
  }
  return ids;
}

std::optional<uint64_t> EnvironmentChoice::Winner(SteadyTime now) const {
  if (options_.local_decides) {
    const auto local =
        std::ranges::find_if(candidates_, [](const auto& entry) { return entry.second.local_connected > 0; });
    if (local == candidates_.end()) return std::nullopt;
    return local->first;
  }
  const auto most = std::ranges::max_element(
      candidates_, [](const auto& a, const auto& b) { return a.second.connected < b.second.connected; });
  if (most == candidates_.end() || most->second.connected == 0) return std::nullopt;
  const bool majority = 2 * most->second.connected > options_.expected_workers;
  if (!majority && now - first_connected_ < options_.patience) return std::nullopt;
  return most->first;
}

std::vector<std::string> EnvironmentChoice::Choose(SteadyTime now) {
  if (chosen_.has_value()) return {};
  const std::optional<uint64_t> winner = Winner(now);
  if (!winner.has_value()) return {};
  chosen_ = candidates_.at(*winner).spec;
  return WorkersOfOthers();
}

}  // namespace troupe
