#include "learner/run/rank_rejoin.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace troupe {
namespace {

constexpr absl::Duration kRetryPeriod = absl::Milliseconds(100);
constexpr absl::Duration kShortestWait = absl::Seconds(1);

}  // namespace

bool RankRejoin::Again(const TimeTogether& time, SteadyTime now) {
  if (patience_ <= absl::ZeroDuration()) return false;
  if (!time.joined) return deadline_.has_value() && absl::IsUnavailable(time.status) && now < *deadline_;
  if (!time.lost) return false;
  const bool progress = time.began_with.has_value() && time.began_with != began_with_;
  without_progress_ = progress ? 1 : without_progress_ + 1;
  if (progress) began_with_ = time.began_with;
  if (without_progress_ > kMostWithoutProgress) return false;
  deadline_ = now + patience_;
  ++count_;
  return true;
}

std::optional<absl::Duration> RankRejoin::WaitFor(SteadyTime now) const {
  if (!deadline_.has_value()) return std::nullopt;
  return std::max(*deadline_ - now, kShortestWait);
}

absl::Status RunTraining(const TrainOptions& given, const Experiment& experiment, ShutdownSignal* shutdown) {
  RankRejoin rejoin(given.ranks.has_value() ? given.rank_rejoin : absl::ZeroDuration());
  TrainOptions options = given;
  while (true) {
    TrainOptions again = options;
    const TimeTogether time = TrainTogether(options, experiment, shutdown, &again);
    if (time.status.ok() || !rejoin.Again(time, SteadyTime::Now())) return time.status;
    if (shutdown->requested()) return absl::OkStatus();
    again.rejoins = rejoin.count();
    again.rank_join_timeout = *rejoin.WaitFor(SteadyTime::Now());
    options = std::move(again);
  }
}

absl::Status RetryWhileUnavailable(absl::Duration patience, const std::function<absl::Status()>& act) {
  const SteadyTime deadline = SteadyTime::Now() + patience;
  while (true) {
    absl::Status status = act();
    if (!absl::IsUnavailable(status) || SteadyTime::Now() >= deadline) return status;
    absl::SleepFor(kRetryPeriod);
  }
}

}  // namespace troupe
