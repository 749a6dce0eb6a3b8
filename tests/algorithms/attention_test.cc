// Stacks that attend over tokens: steps worked out by hand, finite differences, who sees whom. tests/oracle has the
// same in NumPy, and whole updates.
#include "learner/arithmetic/networks/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "common/base/random.h"
#include "learner/arithmetic/networks/dense_stack.h"

namespace troupe {
namespace {

// Two kinds that may be absent, of 3 and 2 tokens of 4 and 5 numbers, and one of 6 numbers that is always there.
DenseStackSpec Spec(bool per_token, bool norms = false, int heads = 2) {
  DenseStackSpec spec{.hidden_sizes = {7}, .output_size = per_token ? 5 : 1, .activation = Activation::kTanh};
  spec.input_layer_norm = spec.hidden_layer_norm = norms;
  spec.attention = {.heads = heads,
                    .layers = 2,
                    .token_size = 6,
                    .kinds = {{3, 4}, {2, 5}, {1, 6, /*may_be_absent=*/false}},
                    .per_token = per_token};
  spec.input_size = spec.attention.input_size();
  return spec;
}

constexpr int64_t kNumbers = 3 * 4 + 2 * 5 + 6;

at::Tensor Parameters(const DenseStackSpec& spec) {
  RandomStream random(3);
  std::vector<float> values = InitialParameters(spec, 7);
  // No zeros and ones that a wrong term could hide behind.
  for (float& value : values) value += 0.2f * static_cast<float>(random.Normal());
  return at::tensor(values, at::kDouble);
}

// [1, rows, input], of normal numbers; every third agent is absent.
at::Tensor Rows(const DenseStackSpec& spec, int64_t rows) {
  RandomStream random(5);
  at::Tensor x = at::empty({1, rows, spec.input_size}, at::kDouble);
  for (int64_t i = 0; i < x.numel(); ++i) {
    const int64_t place = i % spec.input_size;
    x.data_ptr<double>()[i] = place < kNumbers ? random.Normal() : i % 3 != 0;
  }
  return x;
}

double Largest(const at::Tensor& difference) { return difference.abs().max().item<double>(); }

// Two tokens (a, −a), a = 3 and 1. Scores ln 3 and 0 for both: shares 3/4 and 1/4 of them mix to (2.5, −2.5), and the
// sum with −1 times that is (b, −b), b = 0.5 or −1.5, of which LayerNorm makes b / √(b² + ε), twice.
DenseStackSpec HandSpec(bool per_token) {
  DenseStackSpec spec{.output_size = per_token ? 2 : 1, .activation = Activation::kTanh};
  spec.attention = {.heads = 1, .layers = 1, .token_size = 2, .kinds = {{2, 2}}, .per_token = per_token};
  spec.input_size = spec.attention.input_size();
  return spec;
}

at::Tensor HandParameters(const DenseStackSpec& spec) {
  const double key = std::log(3.0) / 2 * std::sqrt(2.0);
  const std::map<std::string, std::vector<double>> values = {
      {"embeddings.0.weight", {1, 0, 0, 1}},
      {"attention.0.input_weight", {0, 0, key, 0, 1, 0, 0, 0, 0, 0, 0, 1}},
      {"attention.0.input_bias", {1, 0, 0, 0, 0, 0}},
      {"attention.0.mix_weight", {-1, 0, 0, -1}},
      {"attention.0.norm.gain", {1, 1}},
      {"attention.0.feed_norm.gain", {1, 1}},
      {"output.weight", {1, 0}}};
  at::Tensor flat = at::zeros({spec.num_parameters()}, at::kDouble);
  for (const auto& [name, part] : SplitParameters(spec, flat)) {
    if (values.contains(name)) part.copy_(at::tensor(values.at(name), at::kDouble).view(part.sizes()));
  }
  return flat;
}

TEST(Attention, AgreesWithSharesWorkedOutByHand) {
  const DenseStackSpec each = HandSpec(true), team = HandSpec(false);
  const auto normed = [](double b) {
    for (int times = 0; times < 2; ++times) b /= std::sqrt(b * b + kLayerNormEpsilon);
    return b;
  };
  // Both; the second alone, of which nothing is left; nobody: what is mixed is nothing.
  const at::Tensor x =
      at::tensor({3., -3., 1., -1., 1., 1., 3., -3., 1., -1., 0., 1., 3., -3., 1., -1., 0., 0.}, at::kDouble)
          .view({1, 3, 6});
  const at::Tensor values = AttentionForward(each, HandParameters(each), x)[0];
  const std::vector<double> expected = {normed(0.5), normed(-1.5), normed(2), 0, normed(3), normed(1)};
  for (int64_t i = 0; i < 6; ++i) EXPECT_NEAR(values[i / 2][i % 2].item<double>(), expected[i], 1e-12) << i;
  const at::Tensor mean = AttentionForward(team, HandParameters(team), x)[0];
  EXPECT_NEAR(mean[0][0].item<double>(), (normed(0.5) + normed(-1.5)) / 2, 1e-12);
  EXPECT_NEAR(mean[1][0].item<double>(), 0, 1e-12);
  EXPECT_EQ(mean[2][0].item<double>(), 0) << "the mean over nobody";
}

TEST(Attention, GradientsAgreeWithFiniteDifferences) {
  for (const bool per_token : {false, true}) {
    for (const bool norms : {false, true}) {
      const DenseStackSpec spec = Spec(per_token, norms);
      const at::Tensor x = Rows(spec, 6);
      at::Tensor leaf = Parameters(spec).requires_grad_(true);
      const auto loss = [&](const at::Tensor& parameters) {
        return AttentionForward(spec, parameters, x).pow(2).sum();
      };
      loss(leaf).backward();
      const at::NoGradGuard no_gradient;
      for (int64_t i = 0; i < leaf.numel(); i += 3) {
        at::Tensor moved = leaf.detach().clone();
        constexpr double kStep = 1e-5;
        moved.data_ptr<double>()[i] += kStep;
        const double up = loss(moved).item<double>();
        moved.data_ptr<double>()[i] -= 2 * kStep;
        const double slope = (up - loss(moved).item<double>()) / (2 * kStep);
        EXPECT_NEAR(leaf.grad()[i].item<double>(), slope, 1e-6 + 1e-6 * std::abs(slope)) << i;
      }
    }
  }
}

TEST(Attention, AgentsOfAGroupThatChangePlacesChangeTheirValuesAndNotTheTeams) {
  const DenseStackSpec each = Spec(true), team = Spec(false);
  const at::Tensor x = Rows(each, 8);
  // Tokens 0 and 2 of the first kind.
  at::Tensor changed = x.clone();
  const auto move = [&](int64_t from, int64_t to, int64_t count) {
    changed.narrow(2, to, count).copy_(x.narrow(2, from, count));
  };
  move(0, 8, 4), move(8, 0, 4), move(kNumbers, kNumbers + 2, 1), move(kNumbers + 2, kNumbers, 1);
  const at::Tensor before = AttentionForward(each, Parameters(each), x)[0];
  const at::Tensor after = AttentionForward(each, Parameters(each), changed)[0];
  EXPECT_LT(Largest(after - before.index_select(1, at::tensor({2, 1, 0, 3, 4}))), 1e-12);
  EXPECT_GT(Largest(after - before), 0.01);
  const at::Tensor parameters = Parameters(team);
  EXPECT_LT(Largest(AttentionForward(team, parameters, changed) - AttentionForward(team, parameters, x)), 1e-12);
}

TEST(Attention, WhatAnAbsentAgentSeesReachesNobodyElse) {
  for (const bool per_token : {false, true}) {
    const DenseStackSpec spec = Spec(per_token);
    const at::Tensor parameters = Parameters(spec).to(at::kFloat);
    at::Tensor x = Rows(spec, 8).to(at::kFloat);
    const at::Tensor first = x.narrow(2, 0, 4), flag = x.narrow(2, kNumbers, 1);
    for (const float there : {0.0f, 1.0f}) {
      flag.fill_(there);
      first.fill_(0.5f);
      const at::Tensor before = AttentionForward(spec, parameters, x)[0];
      first.fill_(-300.0f);
      const at::Tensor after = AttentionForward(spec, parameters, x)[0];
      const int64_t others = per_token ? 1 : 0;
      EXPECT_EQ(Largest((after - before).narrow(1, others, before.size(1) - others)) == 0, there == 0) << per_token;
      // Its own value is one of what it sees.
      if (per_token) {
        EXPECT_GT(Largest((after - before).narrow(1, 0, 1)), 1e-4);
      }
    }
  }
}

TEST(Attention, RowsDoNotTouchEachOther) {
  const DenseStackSpec spec = Spec(true);
  const at::Tensor parameters = Parameters(spec), x = Rows(spec, 8);
  const at::Tensor together = AttentionForward(spec, parameters, x);
  for (int64_t row = 0; row < 8; ++row) {
    EXPECT_LT(Largest(AttentionForward(spec, parameters, x.narrow(1, row, 1)) - together.narrow(1, row, 1)), 1e-12);
  }
}

TEST(Attention, HasAsManyParametersForAnyNumberOfAgents) {
  DenseStackSpec few = Spec(true), many = few;
  many.attention.kinds[0].tokens = 40;
  many.output_size = 42;
  many.input_size = many.attention.input_size();
  EXPECT_EQ(many.num_parameters(), few.num_parameters());
  // 5·6 + 6·6 + 7·6 of the embeddings; a layer: 7·18 + 2 · 7·6 and 4·6 of its norms; 7·7 + 8 behind them.
  EXPECT_EQ(few.num_parameters(), 30 + 36 + 42 + 2 * (126 + 84 + 24) + 49 + 8);
  EXPECT_EQ(few.AfterAttention().num_parameters(), 49 + 8);
}

TEST(Attention, BeginsWithOrthogonalProductsOfTheirGains) {
  const DenseStackSpec spec = Spec(false);
  const at::Tensor flat = at::tensor(InitialParameters(spec, 7), at::kFloat);
  const auto parts = SplitParameters(spec, flat);
  const auto largest = [&](const char* name, double gain) {
    const at::Tensor weight = parts.at(name)[0];  // [inputs, outputs], no more inputs than outputs
    return Largest(at::matmul(weight, weight.t()) - gain * gain * at::eye(weight.size(0)));
  };
  EXPECT_LT(largest("embeddings.0.weight", 1), 1e-5);
  EXPECT_LT(largest("attention.1.input_weight", 1), 1e-5);
  EXPECT_LT(largest("attention.0.mix_weight", 1), 1e-5);
  EXPECT_LT(largest("attention.0.feed_weight", 5.0 / 3), 1e-5);
  EXPECT_EQ(Largest(parts.at("attention.0.feed_norm.gain") - 1), 0);
  EXPECT_EQ(Largest(parts.at("attention.0.input_bias")), 0);
}

}  // namespace
}  // namespace troupe
