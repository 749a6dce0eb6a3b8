// Ranks, as threads, that train on their shares of batches, next to a learner that has all of them to itself.
#ifndef TROUPE_TESTS_ALGORITHMS_RANK_SHARES_H_
#define TROUPE_TESTS_ALGORITHMS_RANK_SHARES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "learner/torch/torch_headers.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/trained.h"
#include "tests/support/thread_ranks.h"

namespace troupe {

inline absl::Span<float> FloatsOf(at::Tensor* tensor) {
  return {tensor->data_ptr<float>(), static_cast<size_t>(tensor->numel())};
}

// Columns first … first + count of an array [rows, columns, size].
template <typename T>
std::vector<T> CutColumns(const std::vector<T>& all, int64_t rows, int columns, int first, int count) {
  const size_t size = all.size() / (rows * columns);
  std::vector<T> cut;
  for (int64_t row = 0; row < rows; ++row) {
    const auto begin = all.begin() + (row * columns + first) * size;
    cut.insert(cut.end(), begin, begin + count * size);
  }
  return cut;
}

// What a rank would hold of `all`.
inline TrainingBatch Cut(const AlgorithmContext& context, const TrainingBatch& all, int first, int count) {
  const int64_t steps = all.rollout_length, length = context.experiment.collection().sequence_length();
  TrainingBatch batch = EmptyBatch(context.environment, all.rollout_length, count);
  const auto cut = [&](auto& to, const auto& from, int64_t rows) {
    to = CutColumns(from, rows, all.columns, first, count);
  };
  cut(batch.state_extras, all.state_extras, steps + 1);
  cut(batch.terminated, all.terminated, steps);
  cut(batch.truncated, all.truncated, steps);
  cut(batch.streams, all.streams, 1);
  for (size_t g = 0; g < all.groups.size(); ++g) {
    const GroupBatch& from = all.groups[g];
    GroupBatch& to = batch.groups[g];
    cut(to.observations, from.observations, steps + 1);
    cut(to.discrete_actions, from.discrete_actions, steps);
    cut(to.multi_discrete_actions, from.multi_discrete_actions, steps);
    cut(to.continuous_actions, from.continuous_actions, steps);
    cut(to.log_probabilities, from.log_probabilities, steps);
    cut(to.rewards, from.rewards, steps);
    cut(to.action_masks, from.action_masks, steps + 1);
    cut(to.alive, from.alive, steps + 1);
    cut(to.options, from.options, steps);
    cut(to.option_log_probabilities, from.option_log_probabilities, steps);
    cut(to.option_states, from.option_states, steps + 1);
    cut(to.network_states, from.network_states, (steps + length - 1) / length);
  }
  const size_t episodes = all.truncated_at.size() / 2;
  for (size_t k = 0; k < episodes; ++k) {
    const int column = all.truncated_at[2 * k + 1] - first;
    if (column < 0 || column >= count) continue;
    const auto append = [&](const auto& from, auto* to) {
      const size_t size = from.size() / episodes;
      to->insert(to->end(), from.begin() + k * size, from.begin() + (k + 1) * size);
    };
    batch.truncated_at.insert(batch.truncated_at.end(), {all.truncated_at[2 * k], column});
    append(all.final_state_extras, &batch.final_state_extras);
    for (size_t g = 0; g < all.groups.size(); ++g) {
      append(all.groups[g].final_observations, &batch.groups[g].final_observations);
      append(all.groups[g].final_action_masks, &batch.groups[g].final_action_masks);
      append(all.groups[g].final_alive, &batch.groups[g].final_alive);
    }
  }
  return batch;
}

// What ranks with so many columns each are after some updates on batch_of(update), of which each holds its share.
inline std::vector<Trained> TrainInShares(const AlgorithmContext& context, const std::vector<int>& columns,
                                          uint64_t updates,
                                          const std::function<TrainingBatch(uint64_t update)>& batch_of) {
  std::vector<Trained> parts(columns.size());
  RunRanks(
      static_cast<int>(columns.size()),
      [&](std::shared_ptr<ThreadRank> ranks) {
        AlgorithmContext own = context;
        own.ranks = ranks;
        int first = 0;
        for (int rank = 0; rank < ranks->rank(); ++rank) first += columns[rank];
        const std::unique_ptr<Algorithm> algorithm = CreateAlgorithm(own).value();
        const uint64_t steps = batch_of(0).env_steps();
        parts[ranks->rank()] = TrainOn(algorithm.get(), updates, steps, [&](uint64_t update) {
          return Cut(context, batch_of(update), first, columns[ranks->rank()]);
        });
      },
      FloatsOf);
  return parts;
}

// The largest difference anywhere in the state, as a part of the tensor's largest entry.
inline double LargestDifference(const std::vector<HostTensor>& state, const std::vector<HostTensor>& expected) {
  // Of floats; other types are the same or not.
  const auto numbers = [](const HostTensor& tensor) -> std::vector<double> {
    if (tensor.data_type == DataType::kFloat32) return {tensor.floats(), tensor.floats() + tensor.num_elements()};
    std::vector<double> of(tensor.num_elements());
    std::memcpy(of.data(), tensor.bytes.data(), tensor.bytes.size());
    return of;
  };
  EXPECT_EQ(state.size(), expected.size());
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(state[i].name, expected[i].name);
    if (expected[i].data_type != DataType::kFloat32 && expected[i].data_type != DataType::kFloat64) {
      EXPECT_EQ(state[i], expected[i]);
      continue;
    }
    const std::vector<double> came = numbers(state[i]), wanted = numbers(expected[i]);
    double scale = 1e-6, difference = 0;
    for (size_t j = 0; j < wanted.size(); ++j) {
      scale = std::max(scale, std::fabs(wanted[j]));
      difference = std::max(difference, std::fabs(wanted[j] - came[j]));
    }
    largest = std::max(largest, difference / scale);
  }
  return largest;
}

// Ranks are of one mind to the bit, and of the lone learner's but for rounding.
inline void ExpectWhatOneLearns(const std::vector<Trained>& parts, const Trained& alone) {
  for (const Trained& part : parts) {
    EXPECT_EQ(part.state, parts[0].state);
    EXPECT_EQ(part.statistics, parts[0].statistics);
  }
  // Sums of some hundred float32 terms taken in another order differ by about 1e-6 of their size. Adam divides by the
  // gradient's own size, which carries that to the steps; 3 updates × 9 … 216 steps add them up.
  EXPECT_LT(LargestDifference(parts[0].state, alone.state), 1e-4);
  EXPECT_EQ(parts[0].statistics.size(), alone.statistics.size());
  for (const auto& [name, value] : alone.statistics) {
    EXPECT_NEAR(parts[0].statistics.at(name), value, 1e-4 * std::max(1.0, std::fabs(value))) << name;
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_RANK_SHARES_H_
