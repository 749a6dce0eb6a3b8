#include "learner/algorithms/modules/rank_share.h"

#include <algorithm>
#include <numeric>

namespace troupe {
namespace {

// Where `own` entries begin among all ranks', and how many there are together.
std::pair<int64_t, int64_t> FindPlace(int64_t own, Collective* ranks) {
  std::vector<double> counts(ranks->size(), 0.0);
  counts[ranks->rank()] = static_cast<double>(own);
  ranks->Sum(absl::MakeSpan(counts));
  const auto own_count = counts.begin() + ranks->rank();
  return {static_cast<int64_t>(std::accumulate(counts.begin(), own_count, 0.0)),
          static_cast<int64_t>(std::accumulate(counts.begin(), counts.end(), 0.0))};
}

}  // namespace

RankShare FindRankShare(int64_t columns, Collective* ranks) {
  if (ranks->size() == 1) return {0, columns, columns};
  const auto [first, all] = FindPlace(columns, ranks);
  return {first, columns, all};
}

std::vector<std::vector<int64_t>> OwnSteps(const RankShare& share, std::vector<std::vector<int64_t>> minibatches) {
  if (share.columns == share.all_columns) return minibatches;
  for (std::vector<int64_t>& minibatch : minibatches) {
    auto kept = minibatch.begin();
    for (const int64_t number : minibatch) {
      const int64_t column = number % share.all_columns - share.first_column;
      if (column >= 0 && column < share.columns) *kept++ = number / share.all_columns * share.columns + column;
    }
    minibatch.erase(kept, minibatch.end());
  }
  return minibatches;
}

std::vector<double> Concatenate(const std::vector<double>& own, Collective* ranks) {
  if (ranks->size() == 1) return own;
  const auto [first, count] = FindPlace(static_cast<int64_t>(own.size()), ranks);
  std::vector<double> all(count, 0.0);
  std::ranges::copy(own, all.begin() + first);
  ranks->Sum(absl::MakeSpan(all));
  return all;
}

}  // namespace troupe
