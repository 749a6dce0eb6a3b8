// A cue that is shown at an episode's first step and asked for at its last, played ε-greedily by exported values:
// without memory it is chance. What comes of it is a replay's batches, with what agents remembered where sequences
// begin.
#ifndef TROUPE_TESTS_ALGORITHMS_RECALL_TASK_H_
#define TROUPE_TESTS_ALGORITHMS_RECALL_TASK_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/algorithms/tiny_game.h"

namespace troupe {

// Two agents, each with a cue of its own out of two. Observations: the cue one-hot at the first step, then a 1 at the
// last step alone. Reward at the last step: 1 for whoever's action is its cue. Columns are streams that go on from
// batch to batch, episodes run over their edges.
class RecallTask {
 public:
  static constexpr int kLength = 5, kAgents = 2, kColumns = 16, kSteps = 8;
  enum class End { kTerminates, kTruncates };

  RecallTask(const AlgorithmContext& context, End end, uint64_t seed)
      : context_(context),
        end_(end),
        random_(seed),
        states_(kColumns,
                std::vector<std::vector<double>>(kAgents, std::vector<double>(context.policies[0].stack.state_size()))),
        cues_(kColumns, std::vector<int>(kAgents)),
        at_(kColumns) {
    for (int column = 0; column < kColumns; ++column) {
      Begin(column);
      at_[column] = column % kLength;  // pieces begin anywhere
    }
  }

  static AlgorithmContext Context(const std::string& settings, int sequence_length) {
    return MakeContext(settings +
                           " collection { num_shards: 1 copies_per_shard: 16 rollout_length: 8 sequence_length: " +
                           std::to_string(sequence_length) + " }",
                       {DiscreteGroup("players", kAgents, 3, 2)}, 0);
  }

  // The next batch of the streams; the mean of the rewards at last steps through `score`.
  TrainingBatch Collect(const PolicySnapshot& weights, double epsilon, double* score) {
    TrainingBatch batch = EmptyBatch(context_.environment, kSteps, kColumns);
    FillRemembered(context_, 1, &batch);
    GroupBatch& group = batch.groups[0];
    const int recorded = static_cast<int>(context_.experiment.collection().sequence_length());
    double paid = 0, ends = 0;
    for (int t = 0; t <= kSteps; ++t) {
      for (int column = 0; column < kColumns; ++column) {
        const int cell = t * kColumns + column;
        for (int agent = 0; agent < kAgents; ++agent) {
          const int row = cell * kAgents + agent;
          Observe(column, agent, &group.observations[row * 3]);
          if (t == kSteps) continue;
          std::vector<double>* const state = &states_[column][agent];
          if (t % recorded == 0) {
            const int64_t place = (int64_t{t} / recorded * kColumns + column) * kAgents + agent;
            std::ranges::copy(*state, group.network_states.begin() + place * static_cast<int64_t>(state->size()));
          }
          group.discrete_actions[row] = Choose(weights, agent, &group.observations[row * 3], epsilon, state);
          if (at_[column] != kLength - 1) continue;
          group.rewards[row] = group.discrete_actions[row] == cues_[column][agent] ? 1.0f : 0.0f;
          paid += group.rewards[row];
          ends += 1;
        }
        if (t < kSteps) Advance(t, column, &batch);
      }
    }
    batch.streams.clear();
    for (int column = 0; column < kColumns; ++column) {
      batch.streams.push_back(
          {.shard = 0, .copy = static_cast<uint32_t>(column), .lease_epoch = 1, .sequence = piece_});
    }
    ++piece_;
    ShapeForAlgorithm(context_, &batch);
    *score = paid / ends;
    return batch;
  }

 private:
  void Begin(int column) {
    at_[column] = 0;
    for (int agent = 0; agent < kAgents; ++agent) {
      cues_[column][agent] = static_cast<int>(random_.Below(2));
      std::ranges::fill(states_[column][agent], 0.0);
    }
  }

  void Observe(int column, int agent, float* to) const {
    if (at_[column] == 0) to[cues_[column][agent]] = 1.0f;
    if (at_[column] == kLength - 1) to[2] = 1.0f;
  }

  int Choose(const PolicySnapshot& weights, int agent, const float* observation, double epsilon,
             std::vector<double>* state) {
    const uint8_t allowed[2] = {1, 1};
    // Greater of log-probabilities is greater of values.
    const std::vector<double> of_actions =
        LogProbabilities(context_.policies[0], weights, agent, observation, allowed, state);
    if (random_.Uniform() < epsilon) return static_cast<int>(random_.Below(2));
    return of_actions[1] > of_actions[0] ? 1 : 0;
  }

  void Advance(int t, int column, TrainingBatch* batch) {
    if (++at_[column] < kLength) return;
    if (end_ == End::kTerminates) {
      batch->terminated[t * kColumns + column] = 1;
    } else {
      Truncate(context_.environment, t, column, 0.0f, batch);
    }
    Begin(column);
  }

  const AlgorithmContext& context_;
  const End end_;
  RandomStream random_;
  std::vector<std::vector<std::vector<double>>> states_;  // [columns][agents]
  std::vector<std::vector<int>> cues_;
  std::vector<int> at_;  // step of each column's episode
  uint64_t piece_ = 0;
};

// What greedy agents are paid at last steps after so many updates with ε falling from 1 to 0.1.
inline double LearnToRecall(const AlgorithmContext& context, RecallTask::End end, int updates) {
  auto algorithm = CreateAlgorithm(context).value();
  RecallTask task(context, end, 5);
  double score = 0;
  for (int update = 0; update < updates; ++update) {
    const auto number = static_cast<uint64_t>(update);
    const double epsilon = std::max(0.1, 1 - 2.0 * update / updates);
    const TrainingBatch batch = task.Collect(algorithm->ExportPolicy({.update = number}), epsilon, &score);
    const auto done = algorithm->Update(
        batch, {.update = number, .env_steps = number, .total_env_steps = static_cast<uint64_t>(updates)});
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) return 0;
  }
  double sum = 0;
  const PolicySnapshot weights = algorithm->ExportPolicy({.update = static_cast<uint64_t>(updates)});
  RecallTask test(context, end, 99);
  test.Collect(weights, 0, &score);  // whose first episodes began in their midst
  for (int i = 0; i < 8; ++i) {
    test.Collect(weights, 0, &score);
    sum += score;
  }
  return sum / 8;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_RECALL_TASK_H_
