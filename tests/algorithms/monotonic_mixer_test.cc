// QMIX's mixing network held to its formula in plain loops, to finite differences, and to what it promises.
#include "learner/arithmetic/autograd/monotonic_mixer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "common/base/random.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/torch/torch_headers.h"

namespace troupe {
namespace {

constexpr int kAgents = 3, kState = 5, kEmbedding = 4, kRows = 600;

MonotonicMixerSpec Spec(int hypernetwork_size = 6) {
  return {.agents = kAgents, .state_size = kState, .embedding = kEmbedding, .hypernetwork_size = hypernetwork_size};
}

struct Data {
  explicit Data(int64_t rows = kRows) : values(rows * kAgents), states(rows * kState), targets(rows) {
    RandomStream random(5);
    for (auto* numbers : {&values, &states, &targets}) {
      for (float& x : *numbers) x = static_cast<float>(random.Normal());
    }
  }
  MixerRows rows() const { return {values.data(), states.data(), static_cast<int64_t>(targets.size())}; }

  std::vector<float> values, states, targets;
};

// The saved tensor "mixer/NAME".
const HostTensor& Of(const std::vector<HostTensor>& state, const std::string& name) {
  for (const HostTensor& tensor : state) {
    if (tensor.name == "mixer/" + name) return tensor;
  }
  throw std::runtime_error(name);
}

std::vector<double> Dense(const std::vector<HostTensor>& state, const std::string& name, const std::vector<double>& x) {
  const HostTensor &weight = Of(state, name + ".weight"), &bias = Of(state, name + ".bias");
  std::vector<double> y(bias.floats(), bias.floats() + bias.num_elements());
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t o = 0; o < y.size(); ++o) y[o] += x[i] * weight.floats()[i * y.size() + o];
  }
  return y;
}

std::vector<double> Relu(std::vector<double> x) {
  for (double& value : x) value = std::max(0.0, value);
  return x;
}

// The formula of monotonic_mixer.h.
double Total(const std::vector<HostTensor>& state, const float* values, const float* global, bool hidden) {
  const std::vector<double> s(global, global + kState);
  const auto made = [&](const std::string& name) {
    return Dense(state, name + "/output", hidden ? Relu(Dense(state, name + "/layers.0", s)) : s);
  };
  const std::vector<double> w1 = made("weights_1"), w2 = made("weights_2"), b1 = Dense(state, "bias_1/output", s);
  double total = Dense(state, "bias_2/output", Relu(Dense(state, "bias_2/layers.0", s)))[0];
  for (int e = 0; e < kEmbedding; ++e) {
    double x = b1[e];
    for (int agent = 0; agent < kAgents; ++agent) x += values[agent] * std::fabs(w1[agent * kEmbedding + e]);
    total += (x > 0 ? x : std::expm1(x)) * std::fabs(w2[e]);
  }
  return total;
}

TEST(MonotonicMixerTest, MixesByItsFormula) {
  const Data data;
  for (const int hidden : {0, 6}) {
    SingleRank alone;
    const MonotonicMixer mixer(Spec(hidden), 9, &alone);
    std::vector<HostTensor> state;
    mixer.Save(&state);
    const std::vector<float> totals = mixer.TargetTotals(data.rows());
    for (int row = 0; row < kRows; ++row) {
      EXPECT_NEAR(totals[row], Total(state, &data.values[row * kAgents], &data.states[row * kState], hidden > 0), 1e-4)
          << row;
    }
  }
}

// torch.nn.Linear's weights are uniform within ±1/√inputs, of variance 1 / (3 · inputs): from s a linear network makes
// numbers of mean square |s|² / (3 S), one with a hidden layer of ReLUs, which halve the mean square, of |s|² / (18 S).
TEST(MonotonicMixerTest, ItsWeightsBeginAsSmallAsTheAuthorsCodes) {
  for (const int hidden : {0, 256}) {
    MonotonicMixerSpec spec = Spec(hidden);
    spec.embedding = 256;
    SingleRank alone;
    const MonotonicMixer mixer(spec, 9, &alone);
    std::vector<HostTensor> state;
    mixer.Save(&state);
    double made = 0, given = 0;
    RandomStream random(4);
    for (int row = 0; row < 50; ++row) {
      std::vector<double> s(kState);
      for (double& x : s) x = random.Normal();
      for (const double x : s) given += x * x / kState / 50;
      const std::vector<double> w1 =
          Dense(state, "weights_1/output", hidden > 0 ? Relu(Dense(state, "weights_1/layers.0", s)) : s);
      for (const double w : w1) made += w * w / static_cast<double>(w1.size()) / 50;
    }
    EXPECT_NEAR(made / given, hidden > 0 ? 1.0 / 18 : 1.0 / 3, hidden > 0 ? 0.1 / 18 : 0.1 / 3) << hidden;
  }
}

TEST(MonotonicMixerTest, ItsSlopesAreThoseOfTheLoss) {
  const Data data;
  SingleRank alone;
  MonotonicMixer mixer(Spec(), 9, &alone);
  std::vector<HostTensor> state;
  mixer.Save(&state);
  const MonotonicMixer::Gradient gradient = mixer.Differentiate(data.rows(), data.targets);
  for (int row = 0; row < kRows; row += 37) {
    for (int agent = 0; agent < kAgents; ++agent) {
      const auto loss = [&](float change) {
        std::vector<float> values(&data.values[row * kAgents], &data.values[(row + 1) * kAgents]);
        values[agent] += change;
        const double error = Total(state, values.data(), &data.states[row * kState], true) - data.targets[row];
        return 0.5 * error * error;
      };
      // The change of a float by 1e-3 is off by some 1e-4 of itself.
      const double slope = (loss(1e-3f) - loss(-1e-3f)) / 2e-3;
      EXPECT_NEAR(gradient.slopes[row * kAgents + agent], slope, 2e-3 + 3e-4 * std::fabs(slope)) << row;
    }
  }
}

TEST(MonotonicMixerTest, TheTotalNeverFallsWithAnAgentsValue) {
  Data data;
  SingleRank alone;
  MonotonicMixer mixer(Spec(), 9, &alone);
  const std::vector<float> before = mixer.TargetTotals(data.rows());
  for (int row = 0; row < kRows; ++row) data.values[row * kAgents + row % kAgents] += 1.0f;
  const std::vector<float> after = mixer.TargetTotals(data.rows());
  for (int row = 0; row < kRows; ++row) EXPECT_GE(after[row], before[row]) << row;
}

// LayerNorm(30 s) is LayerNorm(s), but for the 1e-5 that it adds to variances.
TEST(MonotonicMixerTest, NormedStatesMayHaveAnyScale) {
  Data data, scaled;
  for (float& x : scaled.states) x *= 30;
  for (const bool normed : {true, false}) {
    MonotonicMixerSpec spec = Spec();
    spec.state_layer_norm = normed;
    SingleRank alone;
    const MonotonicMixer mixer(spec, 9, &alone);
    const std::vector<float> totals = mixer.TargetTotals(data.rows()), there = mixer.TargetTotals(scaled.rows());
    double furthest = 0;
    for (int row = 0; row < kRows; ++row) furthest = std::max<double>(furthest, std::fabs(there[row] - totals[row]));
    if (normed) {
      EXPECT_LT(furthest, 1e-2);
    } else {
      EXPECT_GT(furthest, 10);
    }
  }
}

TEST(MonotonicMixerTest, LearnsAMonotoneTeamValue) {
  Data data;
  for (int row = 0; row < kRows; ++row) {
    data.targets[row] = 2 * std::max(data.values[row * kAgents], 0.0f) + data.states[row * kState];
  }
  SingleRank alone;
  MonotonicMixer mixer(Spec(), 9, &alone);
  const auto loss = [&] {
    const std::vector<float> totals = mixer.Differentiate(data.rows(), data.targets).totals;
    double sum = 0;
    for (int row = 0; row < kRows; ++row) sum += (totals[row] - data.targets[row]) * (totals[row] - data.targets[row]);
    return sum / kRows;
  };
  const double before = loss();
  for (int step = 0; step < 400; ++step) {
    mixer.Differentiate(data.rows(), data.targets);
    mixer.TakeStep(1e-2, kRows);
  }
  EXPECT_LT(loss(), 0.05);
  EXPECT_GT(before, 0.5);
}

TEST(MonotonicMixerTest, ThreadsDoNotDecideBits) {
  const Data data;
  std::vector<std::vector<HostTensor>> states;
  for (const int threads : {1, 3}) {
    SetComputeThreads(threads);
    SingleRank alone;
    MonotonicMixer mixer(Spec(), 9, &alone);
    for (int step = 0; step < 3; ++step) {
      mixer.Differentiate(data.rows(), data.targets);
      mixer.TakeStep(1e-2, kRows);
    }
    mixer.Save(&states.emplace_back());
  }
  SetComputeThreads(1);
  EXPECT_EQ(states[0], states[1]);
}

TEST(MonotonicMixerTest, WhatIsNotFiniteMovesNothingAndStatesGoOn) {
  Data data;
  SingleRank alone;
  MonotonicMixer mixer(Spec(), 9, &alone), other(Spec(), 10, &alone);
  mixer.Differentiate(data.rows(), data.targets);
  EXPECT_FALSE(mixer.TakeStep(1e-2, kRows).skipped);
  std::vector<HostTensor> before, after;
  mixer.Save(&before);
  std::vector<float> targets = data.targets;
  targets[3] = std::numeric_limits<float>::quiet_NaN();
  mixer.Differentiate(data.rows(), targets);
  EXPECT_TRUE(mixer.TakeStep(1e-2, kRows).skipped);
  mixer.Save(&after);
  EXPECT_EQ(after, before);
  // Loaded into another one it takes the same step.
  other.Load(before);
  for (MonotonicMixer* one : {&mixer, &other}) {
    one->Differentiate(data.rows(), data.targets);
    one->TakeStep(1e-2, kRows);
    one->BlendTarget(0.25);
  }
  std::vector<HostTensor> there;
  mixer.Save(&(after = {}));
  other.Save(&there);
  EXPECT_EQ(after, there);
}

TEST(MonotonicMixerTest, TheTargetFollows) {
  const Data data;
  SingleRank alone;
  MonotonicMixer mixer(Spec(), 9, &alone);
  mixer.Differentiate(data.rows(), data.targets);
  mixer.TakeStep(1e-1, kRows);
  const std::vector<float> totals = mixer.Differentiate(data.rows(), data.targets).totals;
  EXPECT_NE(mixer.TargetTotals(data.rows()), totals);
  mixer.BlendTarget(1);
  EXPECT_EQ(mixer.TargetTotals(data.rows()), totals);
}

}  // namespace
}  // namespace troupe
