// The figures of a run in progress and the line people read them in.
#ifndef TROUPE_LEARNER_REPORTING_PROGRESS_H_
#define TROUPE_LEARNER_REPORTING_PROGRESS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"

namespace troupe {

struct ProgressFigures {
  uint64_t env_steps = 0;
  uint64_t total_env_steps = 0;
  double env_steps_per_second = 0;                           // 0: not known yet
  std::optional<double> episode_return;                      // recent training episodes
  std::optional<std::pair<std::string, double>> evaluation;  // best_by's name and newest value
  double policy_lag = 0;                                     // of the last batch, updates
  int workers = 0;                                           // connected
  std::string curriculum_stage{};                            // empty: there is no curriculum
};

// "1.25 M of 5.00 M steps  25.0 %   81.2 k/s   return -12.3   evaluation waiting_time 41.7   lag 1.0   2 workers   0:46
// left"
std::string FormatProgress(const ProgressFigures& figures);

// "950", "1.25 k", "3.00 M", "12.5 G": three significant digits.
std::string FormatCount(double value);
// "0:46", "12:03", "3:07:41".
std::string FormatDuration(double seconds);

// Environment steps per second over about the last thirty seconds of updates.
class RateMeter {
 public:
  // `trained`: how long the run has been trained by then.
  void Add(absl::Duration trained, uint64_t env_steps);
  // 0 until two different moments are known.
  double PerSecond() const;

 private:
  std::deque<std::pair<absl::Duration, uint64_t>> points_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_PROGRESS_H_
