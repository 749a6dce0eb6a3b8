#include "learner/service/line_limiter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {

void LineLimiter::Refill(Kind* kind, SteadyTime now) {
  if (kind->left == kAtOnce) {
    kind->since = now;
    return;
  }
  absl::Duration rest;
  const int64_t periods = absl::IDivDuration(std::min(now - kind->since, kAtOnce * kPeriod), kPeriod, &rest);
  if (periods <= 0) return;
  kind->left = static_cast<int>(std::min<int64_t>(kAtOnce, kind->left + periods));
  kind->since = kind->left == kAtOnce ? now : kind->since + periods * kPeriod;
}

bool LineLimiter::Admit(std::string_view kind, SteadyTime now) {
  const auto [found, is_new] = kinds_.try_emplace(std::string(kind));
  Kind& entry = found->second;
  if (is_new) entry.since = now;
  Refill(&entry, now);
  if (entry.left == 0) {
    entry.left_out += 1;
    return false;
  }
  entry.left -= 1;
  return true;
}

std::vector<std::string> LineLimiter::TellLeftOut(SteadyTime now) {
  std::vector<std::string> lines;
  for (auto& [name, kind] : kinds_) {
    if (kind.left_out == 0) continue;
    Refill(&kind, now);
    if (kind.left == 0) continue;
    kind.left -= 1;
    lines.push_back(absl::StrCat(name, ": ", std::exchange(kind.left_out, 0), " more lines were left out"));
  }
  return lines;
}

}  // namespace troupe
