// Notices rewards that are far larger than any the run has seen: a simulator's glitch, or a unit that changed.
#ifndef TROUPE_LEARNER_INGEST_OUTLIER_WATCH_H_
#define TROUPE_LEARNER_INGEST_OUTLIER_WATCH_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/wire/chunk_layout.h"

namespace troupe {

// The largest magnitude among each group's rewards.
std::vector<float> LargestRewards(const ReceivedChunkView& view);

// Looks at chunks in the order in which they are admitted; changes nothing of them. Not thread-safe.
class OutlierWatch {
 public:
  // So many chunks are looked at before anything is an outlier.
  static constexpr uint64_t kChunks = 32;
  // An outlier is larger than so many times the largest seen before, where that counts as at least 1: rewards are
  // mostly about so large, and the first one after many zeros is none.
  static constexpr float kTimes = 1000;
  // An outlier makes what was seen before count so many times as much and no more, so that one glitch does not hide the
  // next, and a task that has really changed is told of a few times and then no longer.
  static constexpr float kGrowth = 2;

  struct Outlier {
    int group = 0;
    float came = 0, seen = 0;  // magnitudes
  };

  // `largest`: a chunk's, per group. The first group's that is an outlier.
  std::optional<Outlier> Look(absl::Span<const float> largest);

 private:
  uint64_t chunks_ = 0;
  std::vector<float> seen_;  // per group
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_OUTLIER_WATCH_H_
