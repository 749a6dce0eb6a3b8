#include "learner/ingest/outlier_watch.h"

#include <algorithm>

#include "common/base/finite.h"

namespace troupe {

std::vector<float> LargestRewards(const ReceivedChunkView& view) {
  std::vector<float> largest;
  for (const auto& group : view.groups) largest.push_back(LargestMagnitude(group.rewards));
  return largest;
}

std::optional<OutlierWatch::Outlier> OutlierWatch::Look(absl::Span<const float> largest) {
  seen_.resize(largest.size());
  std::optional<Outlier> found;
  const bool judges = chunks_++ >= kChunks;
  for (size_t g = 0; g < largest.size(); ++g) {
    float& seen = seen_[g];
    const float usual = std::max(seen, 1.0f);
    if (!judges || largest[g] <= kTimes * usual) {
      seen = std::max(seen, largest[g]);
      continue;
    }
    if (!found.has_value()) found = Outlier{static_cast<int>(g), largest[g], seen};
    seen = kGrowth * usual;
  }
  return found;
}

}  // namespace troupe
