// Gaussian policies: what scaled noise does to the gradient, what is reported and exported, and games of continuous
// actions whose optimum is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "learner/arithmetic/networks/dense_stack.h"
#include "tests/algorithms/tiny_game.h"
#include "tests/algorithms/trained.h"

namespace troupe {
namespace {

std::map<std::string, double> Named(const absl::StatusOr<UpdateStatistics>& statistics) {
  EXPECT_TRUE(statistics.ok()) << statistics.status();
  if (!statistics.ok()) return {};
  return {statistics->values.begin(), statistics->values.end()};
}

// A pilot without anything to see, hence of mean 0, and of σ = 1.
AlgorithmContext LonePilot(const std::string& ppo) {
  return MakeContext(
      "policy { hidden_sizes: [4] } critic { hidden_sizes: [4] } ppo { discount: 0 epochs: 1 actor_learning_rate: 0 "
      "advantage_normalization: false value_normalization: false entropy_coefficient: 0 max_gradient_norm: 0 " +
          ppo + " }",
      {ContinuousGroup("pilot", 1, 1, 1)}, 0);
}

struct Gradient {
  double mean = 0, log_std = 0;
  std::map<std::string, double> statistics;
};

// Of the policy's loss where it is paid reward(u) for u ~ N(0, noise²), as such a worker records it.
Gradient PaidFor(const AlgorithmContext& context, double noise, const std::function<double(double)>& reward) {
  const int steps = 128, columns = 256;
  TrainingBatch batch = EmptyBatch(context.environment, steps, columns);
  GroupBatch& group = batch.groups[0];
  RandomStream random(3);
  for (size_t i = 0; i < group.rewards.size(); ++i) {
    const double z = random.Normal(), u = noise * z;
    group.continuous_actions[i] = static_cast<float>(u);
    group.log_probabilities[i] = static_cast<float>(-0.5 * z * z - std::log(noise) - 0.5 * std::log(2 * M_PI));
    group.rewards[i] = static_cast<float>(reward(u));
  }
  const auto algorithm = CreateAlgorithm(context).value();
  Gradient gradient{.statistics = Named(algorithm->Update(batch, {.total_env_steps = 1}))};
  for (const HostTensor& tensor : algorithm->SaveState()) {
    if (tensor.name != "actor/pilot/adam.first_moment") continue;
    // A tenth of the gradient; the output's bias and log σ come last.
    gradient.mean = 10 * tensor.floats()[tensor.num_elements() - 2];
    gradient.log_std = 10 * tensor.floats()[tensor.num_elements() - 1];
  }
  return gradient;
}

// For u ~ N(μ, σ²) at μ = 0, σ = 1: d E u / dμ = 1, and d E(−u²) / d log σ = −2σ² = −2, whatever the noise that acted.
TEST(ScaledNoise, TrainsThePolicyWithoutTheScale) {
  for (const double noise : {1.0, 1.5, 0.8}) {
    const AlgorithmContext context = LonePilot("importance_cap: 100 noise_scale: " + std::to_string(noise));
    EXPECT_EQ(context.experiment.ppo().lag_correction(), noise == 1 ? NONE : DECOUPLED);
    const Gradient linear = PaidFor(context, noise, [](double u) { return u; });
    EXPECT_NEAR(linear.mean, -1, 0.06) << noise;
    EXPECT_NEAR(linear.log_std, 0, 0.12) << noise;
    const Gradient square = PaidFor(context, noise, [](double u) { return -u * u; });
    EXPECT_NEAR(square.mean, 0, 0.12) << noise;
    EXPECT_NEAR(square.log_std, 2, 0.25) << noise;
    // Ratios begin at 1, where the clip is.
    EXPECT_NEAR(linear.statistics.at("first_approx_kl"), 0, 1e-6);
    EXPECT_EQ(linear.statistics.at("first_clip_fraction"), 0);
  }
}

TEST(ScaledNoise, IsTrainedByTheDecoupledObjectiveOrRefused) {
  const auto refusal = [](const std::string& settings) {
    return std::string(ParseExperiment("name: 'a' total_env_steps: 1 environment { name: 'x' } " + settings, "test", {})
                           .status()
                           .message());
  };
  EXPECT_EQ(refusal("ppo { noise_scale: 1.5 }"), "");
  EXPECT_EQ(refusal("ppo { noise_scale: 1.5 } collection { mode: SYNCHRONOUS }"), "");
  EXPECT_THAT(refusal("ppo { noise_scale: 1.5 lag_correction: NONE }"),
              ::testing::HasSubstr("ppo.lag_correction: NONE with ppo.noise_scale 1.5, expected DECOUPLED"));
  EXPECT_THAT(refusal("ppo { final_noise_scale: 0.5 lag_correction: V_TRACE }"),
              ::testing::HasSubstr("ppo.lag_correction: V_TRACE with ppo.final_noise_scale 0.5, expected DECOUPLED"));
  EXPECT_THAT(refusal("ppo { noise_scale: 0 }"), ::testing::HasSubstr("ppo.noise_scale"));
}

TEST(ScaledNoise, FollowsItsScheduleInEveryVersionExported) {
  const auto scalars = [](const std::string& ppo, uint64_t env_steps) {
    return CreateAlgorithm(LonePilot(ppo))
        .value()
        ->ExportPolicy({.update = 4, .env_steps = env_steps, .total_env_steps = 1000})
        .scalars;
  };
  using Scalars = std::vector<NamedScalar>;
  EXPECT_EQ(scalars("", 500), Scalars{}) << "1 goes without saying";
  EXPECT_EQ(scalars("noise_scale: 1.5", 500), (Scalars{{"noise_scale", 1.5}}));
  const std::string falling = "noise_scale: 2 final_noise_scale: 0.5 ";
  EXPECT_EQ(scalars(falling, 0), (Scalars{{"noise_scale", 2}}));
  EXPECT_EQ(scalars(falling, 500), (Scalars{{"noise_scale", 1.25}}));
  EXPECT_EQ(scalars(falling, 1000), (Scalars{{"noise_scale", 0.5}}));
  EXPECT_EQ(scalars(falling + "schedule_env_steps: 500", 500), (Scalars{{"noise_scale", 0.5}}));
}

TEST(GaussianPolicies, BeginWithTheDeviationThatIsSetAndReportIt) {
  const AlgorithmContext context =
      MakeContext("policy { hidden_sizes: [4] initial_log_std: -0.7 } ppo { actor_learning_rate: 0 }",
                  {ContinuousGroup("pilots", 2, 3, 2), DiscreteGroup("tower", 1, 2, 3)}, 0);
  const auto algorithm = CreateAlgorithm(context).value();
  const PolicySnapshot policy = algorithm->ExportPolicy({});
  int seen = 0;
  for (const HostTensor& tensor : policy.tensors) {
    if (tensor.name != "pilots/log_std") continue;
    ++seen;
    EXPECT_EQ(tensor.shape, (std::vector<int64_t>{1, 2}));
    EXPECT_EQ(tensor.floats()[0], -0.7f);
    EXPECT_EQ(tensor.floats()[1], -0.7f);
  }
  EXPECT_EQ(seen, 1);
  const auto statistics = Named(algorithm->Update(RandomBatch(context.environment, 4, 4, 5), {.total_env_steps = 1}));
  EXPECT_NEAR(statistics.at("action_std"), std::exp(-0.7), 1e-5);

  const AlgorithmContext discrete = MakeContext("", {DiscreteGroup("tower", 1, 2, 3)}, 0);
  EXPECT_FALSE(Named(CreateAlgorithm(discrete).value()->Update(RandomBatch(discrete.environment, 4, 4, 5),
                                                               {.total_env_steps = 1}))
                   .contains("action_std"));
}

// --- games ----------------------------------------------------------------------------------------------------------

constexpr int kPilots = 2, kSize = 2;
constexpr double kTargets[kPilots][kSize] = {{0.5, -0.3}, {-0.6, 0.1}};

// Mean and deviation of a pilot, who sees its number.
struct Pilot {
  double mean[kSize], deviation[kSize];
};

Pilot PilotOf(const PolicySpec& policy, const PolicySnapshot& snapshot, int agent) {
  const at::NoGradGuard no_gradient;
  std::vector<at::Tensor> parts;
  at::Tensor log_std;
  for (const DenseStackSpec::Parameter& parameter : policy.Parameters()) {
    for (const HostTensor& tensor : snapshot.tensors) {
      if (tensor.name != policy.group + "/" + parameter.name) continue;
      parts.push_back(at::from_blob(const_cast<float*>(tensor.floats()), tensor.shape, at::kFloat).flatten());
      if (parameter.name == "log_std") log_std = parts.back().view(parameter.shape);
    }
  }
  at::Tensor x = at::zeros({policy.stack.num_sets, 1, kPilots}, at::kFloat);
  x.select(2, agent).fill_(1);
  const int set = policy.set_of_agent[agent];
  const at::Tensor y = ForwardReference(policy.stack, at::cat(parts), x)[set][0];
  Pilot pilot;
  for (int j = 0; j < kSize; ++j) {
    pilot.mean[j] = y[j].item<double>();
    pilot.deviation[j] = std::exp((log_std.defined() ? log_std[set][j] : y[kSize + j]).item<double>());
  }
  return pilot;
}

struct Learnt {
  double error = 0;      // of the actions that pilots take without noise, the largest
  double deviation = 0;  // the largest
  double tower = 1;      // probability of the tower's good action
};

// Pilots are paid −|action − target|² each, the tower, where there is one, 1 for action 2. Episodes take a step.
Learnt LearnToSteer(const std::string& settings, bool tower, int updates) {
  std::vector<AgentGroupSpec> groups = {ContinuousGroup("pilots", kPilots, kPilots, kSize)};
  if (tower) groups.push_back(DiscreteGroup("tower", 1, 1, 3));
  const AlgorithmContext context = MakeContext(settings, groups, 0);
  const bool squashes = context.policies[0].distribution.kind == DistributionKind::kSquashedGaussian;
  const auto action_of = [&](double u) { return squashes ? std::tanh(u) : std::clamp(u, -1.0, 1.0); };
  const auto algorithm = CreateAlgorithm(context).value();
  const int steps = 8, columns = 64;
  const uint64_t total = uint64_t{steps} * columns * updates;
  RandomStream random(8);
  Pilot pilots[kPilots];
  Learnt learnt;
  for (int update = 0; update <= updates; ++update) {
    const UpdateProgress progress{static_cast<uint64_t>(update), total * update / updates, total};
    const PolicySnapshot snapshot = algorithm->ExportPolicy(progress);
    const double noise = snapshot.Scalar("noise_scale").value_or(1);
    for (int a = 0; a < kPilots; ++a) pilots[a] = PilotOf(context.policies[0], snapshot, a);
    TrainingBatch batch = EmptyBatch(context.environment, steps, columns);
    batch.terminated.assign(batch.terminated.size(), 1);
    GroupBatch& group = batch.groups[0];
    for (size_t i = 0; i < group.alive.size(); ++i) group.observations[i * kPilots + i % kPilots] = 1;
    for (size_t i = 0; i < group.rewards.size(); ++i) {
      const Pilot& pilot = pilots[i % kPilots];
      double log_probability = 0, reward = 0;
      for (int j = 0; j < kSize; ++j) {
        const double deviation = noise * pilot.deviation[j], z = random.Normal();
        const auto u = static_cast<float>(pilot.mean[j] + deviation * z);
        group.continuous_actions[i * kSize + j] = u;
        log_probability -= 0.5 * z * z + std::log(deviation) + 0.5 * std::log(2 * M_PI);
        if (squashes) log_probability += 2 * std::log(std::cosh(double{u}));
        reward -= std::pow(action_of(u) - kTargets[i % kPilots][j], 2);
      }
      group.log_probabilities[i] = static_cast<float>(log_probability);
      group.rewards[i] = static_cast<float>(reward);
    }
    if (tower) {
      const uint8_t mask[] = {1, 1, 1};
      const float nothing = 0;
      const std::vector<double> log_pi = LogProbabilities(context.policies[1], snapshot, 0, &nothing, mask);
      for (size_t i = 0; i < batch.groups[1].rewards.size(); ++i) {
        int action = 0;
        for (double left = random.Uniform(); action < 2 && left >= std::exp(log_pi[action]); ++action) {
          left -= std::exp(log_pi[action]);
        }
        batch.groups[1].discrete_actions[i] = action;
        batch.groups[1].log_probabilities[i] = static_cast<float>(log_pi[action]);
        batch.groups[1].rewards[i] = action == 2 ? 1.0f : 0.0f;
      }
      learnt.tower = std::exp(log_pi[2]);
    }
    if (update < updates) {
      EXPECT_TRUE(algorithm->Update(batch, progress).ok());
    }
  }
  for (int a = 0; a < kPilots; ++a) {
    for (int j = 0; j < kSize; ++j) {
      learnt.error = std::max(learnt.error, std::abs(action_of(pilots[a].mean[j]) - kTargets[a][j]));
      learnt.deviation = std::max(learnt.deviation, pilots[a].deviation[j]);
    }
  }
  return learnt;
}

std::string Steady(const std::string& more = "") { return Fast("anneal_learning_rate: true " + more); }
constexpr char kEachAgent[] = "critic { heads: EACH_AGENT hidden_sizes: [32] } policy { hidden_sizes: [16] ";

TEST(ContinuousGames, EveryKindOfGaussianLearnsToSteer) {
  for (const std::string policy :
       {"", "state_dependent_std: true", "distribution: SQUASHED_GAUSSIAN", "sharing: PER_AGENT",
        "distribution: SQUASHED_GAUSSIAN state_dependent_std: true sharing: PER_AGENT"}) {
    const Learnt learnt = LearnToSteer(kEachAgent + policy + " } " + Steady(), false, 120);
    EXPECT_LT(learnt.error, 0.06) << policy;
    EXPECT_LT(learnt.deviation, 0.5) << policy << ": 1 at first";
  }
}

TEST(ContinuousGames, WithLocalCriticsAsWell) {
  const Learnt learnt = LearnToSteer(
      "critic { input: LOCAL_OBSERVATION heads: EACH_AGENT hidden_sizes: [32] } policy { hidden_sizes: [16] } " +
          Steady(),
      false, 60);
  EXPECT_LT(learnt.error, 0.06);
  EXPECT_LT(learnt.deviation, 0.5);
}

TEST(ContinuousGames, ADiscreteAgentLearnsInTheSameTeam) {
  const Learnt learnt = LearnToSteer(std::string(kEachAgent) + "} " + Steady(), true, 60);
  EXPECT_LT(learnt.error, 0.06);
  EXPECT_GT(learnt.tower, 0.9);
}

TEST(ContinuousGames, NoiseThatDecaysLearnsTheSame) {
  const Learnt learnt =
      LearnToSteer(std::string(kEachAgent) + "} " + Steady("noise_scale: 1.5 final_noise_scale: 0.7"), false, 160);
  EXPECT_LT(learnt.error, 0.06);
  EXPECT_LT(learnt.deviation, 0.5);
}

}  // namespace
}  // namespace troupe
