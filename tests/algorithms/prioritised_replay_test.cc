// Prioritised replay where rare transitions matter: the blind cliffwalk of arXiv:1511.05952, section 3.1. Of n states
// in a row each has one right action; the other ends the episode with nothing, and only the last state's right one
// pays 1. A replay of random play, every prefix as often as chance would have it, holds that once among 2^(n+1) − 2
// transitions.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

constexpr int kStates = 8, kTransitions = (1 << (kStates + 1)) - 2;
constexpr double kDiscount = 1 - 1.0 / kStates;

int RightAction(int state) { return state % 2; }

// One column: the episodes that end at state k, 2^(n − 1 − k) times each, and the one that comes through.
TrainingBatch RandomPlay(const AlgorithmContext &context) {
  TrainingBatch batch = EmptyBatch(context.environment, kTransitions, 1);
  GroupBatch &group = batch.groups[0];
  int cell = 0;
  const auto act = [&](int state, bool rightly) {
    group.observations[cell * kStates + state] = 1.0f;
    group.discrete_actions[cell] = rightly ? RightAction(state) : 1 - RightAction(state);
    const bool arrives = rightly && state == kStates - 1;
    group.rewards[cell] = arrives ? 1.0f : 0.0f;
    batch.terminated[cell] = !rightly || arrives;
    ++cell;
  };
  for (int last = 0; last < kStates; ++last) {
    for (int episode = 0; episode < 1 << (kStates - 1 - last); ++episode) {
      for (int state = 0; state < last; ++state) act(state, true);
      act(last, false);
    }
  }
  for (int state = 0; state < kStates; ++state) act(state, true);
  EXPECT_EQ(cell, kTransitions);
  batch.streams = {{.shard = 0, .copy = 0, .lease_epoch = 1, .sequence = 0}};
  ShapeForAlgorithm(context, &batch);
  return batch;
}

// Root mean square of the right actions' values from γ^(n − 1 − k), after so many gradient steps.
double ErrorAfter(int gradient_steps, const std::string &settings, uint64_t seed) {
  AlgorithmContext context = MakeContext(
      "algorithm { name: \"iql\" } policy { hidden_sizes: [32] } collection { num_shards: 1 copies_per_shard: 1 "
      "rollout_length: " +
          std::to_string(kTransitions) +
          " } q_learning { learning_rate: 0.001 minibatch_size: 8 target_interval: 50 learning_starts: 1 "
          "replay_bytes: 1000000 discount: " +
          std::to_string(kDiscount) + " gradient_steps: " + std::to_string(gradient_steps) + " " + settings + " }",
      {DiscreteGroup("walker", 1, kStates, 2)}, 0);
  context.experiment.set_seed(seed);
  auto algorithm = CreateAlgorithm(context).value();
  EXPECT_TRUE(algorithm->Update(RandomPlay(context), {.update = 0, .total_env_steps = 1000}).ok());
  const PolicySnapshot weights = algorithm->ExportPolicy({.update = 1});
  const float *const w1 = weights.tensors[0].floats(), *const b1 = weights.tensors[1].floats();
  const float *const w2 = weights.tensors[2].floats(), *const b2 = weights.tensors[3].floats();
  double squares = 0;
  for (int state = 0; state < kStates; ++state) {
    const int action = RightAction(state);
    double value = b2[action];
    for (int h = 0; h < 32; ++h) value += std::max(0.0f, w1[state * 32 + h] + b1[h]) * w2[h * 2 + action];
    squares += std::pow(value - std::pow(kDiscount, kStates - 1 - state), 2);
  }
  return std::sqrt(squares / kStates);
}

TEST(PrioritisedReplay, FindsTheRareRewardSoonerThanUniformDraws) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const double uniform = ErrorAfter(1500, "", seed), prioritised = ErrorAfter(1500, "priority_exponent: 0.7", seed);
    EXPECT_LT(prioritised, 0.2 * uniform) << "seed " << seed << ": " << prioritised << " of " << uniform;
  }
}

}  // namespace
}  // namespace troupe
