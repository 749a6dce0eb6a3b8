#include "learner/algorithms/modules/value_sample.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "learner/algorithms/modules/timeline.h"

namespace troupe {

int64_t ValueSample::num_trained() const {
  return std::ranges::count_if(weights, [](float weight) { return weight != 0; });
}

ValueSample SampleSteps(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                        const std::vector<float>& weights, const ReturnSettings& settings) {
  ReplaySample drawn = GatherSample(store, places, settings);
  const auto steps = static_cast<int64_t>(places.size());
  ValueSample sample{.states = std::move(drawn.states),
                     .first_target = steps,
                     .next_states = std::vector<int64_t>(steps),
                     .team_rewards = std::move(drawn.team_rewards),
                     .discounts = std::move(drawn.discounts),
                     .weights = weights.empty() ? std::vector<float>(steps, 1.0f) : weights};
  std::iota(sample.next_states.begin(), sample.next_states.end(), steps);
  for (GroupBatch& group : sample.states.groups) sample.rewards.push_back(std::move(group.rewards));
  return sample;
}

ValueSample SampleSequences(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                            const std::vector<float>& weights, const SequenceSettings& settings, int burn_in) {
  SequenceSample drawn = GatherSequences(store, places, settings);
  ValueSample sample{.states = std::move(drawn.states),
                     .next_states = std::move(drawn.next_states),
                     .team_rewards = std::move(drawn.team_rewards),
                     .rewards = std::move(drawn.rewards),
                     .discounts = std::move(drawn.discounts)};
  sample.timeline = MakeTimeline(sample.states, settings.length);
  sample.weights.resize(sample.steps());
  const int64_t columns = sample.states.columns;
  for (int64_t cell = burn_in * columns; cell < sample.steps(); ++cell) {
    if (drawn.kept[cell] != 0) sample.weights[cell] = weights.empty() ? 1.0f : weights[cell % columns];
  }
  return sample;
}

std::vector<std::optional<double>> ColumnErrors(const ValueSample& sample, const std::vector<float>& errors,
                                                double max_share) {
  const int64_t columns = sample.states.columns;
  std::vector<double> largest(columns), sums(columns), counts(columns);
  for (int64_t cell = 0; cell < sample.steps(); ++cell) {
    if (sample.weights[cell] == 0) continue;
    const double size = std::fabs(errors[cell]);
    const int64_t column = cell % columns;
    largest[column] = std::max(largest[column], size);
    sums[column] += size;
    counts[column] += 1;
  }
  std::vector<std::optional<double>> found(columns);
  for (int64_t column = 0; column < columns; ++column) {
    if (counts[column] == 0) continue;
    found[column] = max_share * largest[column] + (1 - max_share) * sums[column] / counts[column];
  }
  return found;
}

}  // namespace troupe
