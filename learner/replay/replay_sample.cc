#include "learner/replay/replay_sample.h"

#include <algorithm>
#include <optional>

namespace troupe {
namespace {

// Places whose memory is on its way while others are copied.
constexpr int64_t kAhead = 12;

// Writes `numbers` [agents of all groups] as the rewards of joint step `cell`.
void WriteRewards(const std::vector<double>& numbers, int64_t steps, int64_t cell, TrainingBatch* to) {
  auto from = numbers.begin();
  for (GroupBatch& group : to->groups) {
    const auto agents = static_cast<int64_t>(group.rewards.size()) / steps;
    std::copy_n(from, agents, group.rewards.begin() + cell * agents);
    from += agents;
  }
}

}  // namespace

ReplaySample GatherSample(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                          const ReturnSettings& settings) {
  const int64_t count = static_cast<int64_t>(places.size());
  const StepPacking& packing = store.packing();
  ReplaySample sample{.states = packing.MakeBatch(1, count),
                      .team_rewards = std::vector<float>(count),
                      .discounts = std::vector<float>(count)};
  std::vector<float> rewards(packing.num_agents());
  std::vector<double> returns(packing.num_agents());
  for (int64_t i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      const ReplayPlace& later = places[i + kAhead];
      packing.Prefetch(store.packed(later.batch), later.step, later.column);
    }
    ReplayPlace place = places[i];
    const std::vector<char>* packed = &store.packed(place.batch);
    packing.CopyState(*packed, place.step, place.column, i, &sample.states);
    packing.CopyAct(*packed, place.step, place.column, i, &sample.states);
    std::fill(returns.begin(), returns.end(), 0.0);
    double team = 0, weight = 1;
    for (int k = 1;; ++k) {
      packing.ReadRewards(*packed, place.step, place.column, rewards.data());
      team += weight * packing.TeamReward(*packed, place.step, place.column, rewards.data(), settings.team_reward);
      for (size_t a = 0; a < returns.size(); ++a) returns[a] += weight * rewards[a];
      weight *= settings.discount;
      if (packing.terminated(*packed, place.step, place.column)) {
        weight = 0;
      } else if (packing.truncated(*packed, place.step, place.column)) {
        packing.CopyFinal(store.rest(place.batch), store.FinalOf(place), count + i, &sample.states);
        break;
      } else if (const auto next = k < settings.n ? store.Following(place) : std::nullopt; next.has_value()) {
        place = *next;
        packed = &store.packed(place.batch);
        continue;
      }
      packing.CopyState(*packed, place.step + 1, place.column, count + i, &sample.states);
      break;
    }
    sample.team_rewards[i] = static_cast<float>(team);
    sample.discounts[i] = static_cast<float>(weight);
    if (count > 0) WriteRewards(returns, count, i, &sample.states);
  }
  // What ended is in the returns and the states behind them.
  std::fill(sample.states.terminated.begin(), sample.states.terminated.end(), 0);
  std::fill(sample.states.truncated.begin(), sample.states.truncated.end(), 0);
  return sample;
}

}  // namespace troupe
