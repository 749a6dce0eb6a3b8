#include "learner/replay/replay_sample.h"

#include <algorithm>
#include <optional>

#include "learner/batch/team_reward.h"
#include "learner/replay/replay_rows.h"

namespace troupe {
namespace {

// Places whose memory is on its way while others are copied.
constexpr int64_t kAhead = 12;

}  // namespace

ReplaySample GatherSample(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                          const ReturnSettings& settings) {
  const int64_t count = static_cast<int64_t>(places.size());
  ReplaySample sample{.states = MakeStates(store.batch(store.first()), 1, count),
                      .team_rewards = std::vector<float>(count),
                      .discounts = std::vector<float>(count)};
  std::vector<std::vector<double>> returns;  // of the agents of each group
  for (const GroupBatch& group : sample.states.groups) {
    returns.emplace_back(count > 0 ? group.rewards.size() / count : 0);
  }
  const RowCopier copier(store.batch(store.first()));
  for (int64_t i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      const ReplayPlace& later = places[i + kAhead];
      const TrainingBatch& from = store.batch(later.batch);
      copier.Prefetch(from, int64_t{later.step} * from.columns + later.column);
    }
    ReplayPlace place = places[i];
    const TrainingBatch* batch = &store.batch(place.batch);
    int64_t cell = int64_t{place.step} * batch->columns + place.column;
    copier.CopyState({batch, cell}, i, &sample.states);
    copier.CopyActing(*batch, cell, i, &sample.states);
    for (std::vector<double>& of_group : returns) std::fill(of_group.begin(), of_group.end(), 0.0);
    double team = 0, weight = 1;
    for (int k = 1;; ++k) {
      team += weight * TeamRewardAt(*batch, cell, settings.team_reward);
      for (size_t g = 0; g < returns.size(); ++g) {
        const auto agents = static_cast<int64_t>(returns[g].size());
        for (int64_t a = 0; a < agents; ++a) returns[g][a] += weight * batch->groups[g].rewards[cell * agents + a];
      }
      weight *= settings.discount;
      ReplayState after{batch, cell + batch->columns};
      if (batch->terminated[cell] != 0) {
        weight = 0;
      } else if (batch->truncated[cell] != 0) {
        after = {batch, store.FinalOf(place), /*is_final=*/true};
      } else if (const auto next = store.Following(place); k < settings.n && next.has_value()) {
        place = *next;
        batch = &store.batch(place.batch);
        cell = int64_t{place.step} * batch->columns + place.column;
        continue;
      }
      copier.CopyState(after, count + i, &sample.states);
      break;
    }
    sample.team_rewards[i] = static_cast<float>(team);
    sample.discounts[i] = static_cast<float>(weight);
    for (size_t g = 0; g < returns.size(); ++g) {
      std::copy(returns[g].begin(), returns[g].end(),
                sample.states.groups[g].rewards.begin() + i * static_cast<int64_t>(returns[g].size()));
    }
  }
  return sample;
}

}  // namespace troupe
