#include "learner/local_workers/restart_policy.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe {

absl::StatusOr<absl::Duration> RestartPolicy::OnEnd(int index, SteadyTime started, SteadyTime now) {
  while (!restarts_.empty() && now - restarts_.front() >= limits_.window) restarts_.pop_front();
  if (static_cast<int>(restarts_.size()) >= limits_.max_restarts) {
    return absl::ResourceExhaustedError(absl::StrCat("local workers were restarted ", limits_.max_restarts,
                                                     " times within ", absl::FormatDuration(limits_.window)));
  }
  restarts_.push_back(now);
  absl::Duration& delay = delays_[index];
  const bool begin_anew = delay == absl::ZeroDuration() || now - started >= limits_.calm;
  delay = begin_anew ? limits_.first_delay : std::min(2 * delay, limits_.longest_delay);
  return delay;
}

}  // namespace troupe
