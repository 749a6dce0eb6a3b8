#include "learner/reporting/progress.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe {
namespace {

constexpr absl::Duration kRateWindow = absl::Seconds(30);
constexpr size_t kMaxRatePoints = 4096;

}  // namespace

std::string FormatCount(double value) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  int unit = 0;
  while (std::abs(value) >= 999.5 && unit < 5) {
    value /= 1000;
    ++unit;
  }
  if (unit == 0) return absl::StrFormat("%.0f", value);
  const int decimals = std::abs(value) < 9.995 ? 2 : std::abs(value) < 99.95 ? 1 : 0;
  return absl::StrFormat("%.*f%s", decimals, value, kUnits[unit]);
}

std::string FormatDuration(double seconds) {
  const int64_t whole = std::llround(std::min(seconds, 3.6e8));
  if (whole < 3600) return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string FormatProgress(const ProgressFigures& figures) {
  const double share =
      figures.total_env_steps == 0 ? 0 : static_cast<double>(figures.env_steps) / figures.total_env_steps;
  std::string line = absl::StrFormat("%s of %s steps  %.1f %%", FormatCount(figures.env_steps),
                                     FormatCount(figures.total_env_steps), std::min(1.0, share) * 100);
  if (figures.env_steps_per_second > 0) absl::StrAppend(&line, "   ", FormatCount(figures.env_steps_per_second), "/s");
  if (figures.episode_return.has_value()) absl::StrAppendFormat(&line, "   return %.4g", *figures.episode_return);
  if (figures.evaluation.has_value()) {
    absl::StrAppendFormat(&line, "   evaluation %s %.4g", figures.evaluation->first, figures.evaluation->second);
  }
  if (!figures.curriculum_stage.empty()) absl::StrAppend(&line, "   stage ", figures.curriculum_stage);
  absl::StrAppendFormat(&line, "   lag %.1f   %d worker%s", figures.policy_lag, figures.workers,
                        figures.workers == 1 ? "" : "s");
  if (figures.env_steps_per_second > 0 && figures.env_steps < figures.total_env_steps) {
    const double left = (figures.total_env_steps - figures.env_steps) / figures.env_steps_per_second;
    absl::StrAppend(&line, "   ", FormatDuration(left), " left");
  }
  return line;
}

void RateMeter::Add(absl::Duration trained, uint64_t env_steps) {
  points_.emplace_back(trained, env_steps);
  while (points_.size() > 2 && (trained - points_[1].first >= kRateWindow || points_.size() > kMaxRatePoints)) {
    points_.pop_front();
  }
}

double RateMeter::PerSecond() const {
  if (points_.size() < 2) return 0;
  const double seconds = absl::ToDoubleSeconds(points_.back().first - points_.front().first);
  return seconds > 0 ? (points_.back().second - points_.front().second) / seconds : 0;
}

}  // namespace troupe
