// Every network with every distribution: a batch acts as one row at a time does, and as the definitions say.
#include <cstring>

#include "actor_worker/acting/group_actor.h"
#include "actor_worker/acting/own_actor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/leaky_network.h"
#include "tests/actor_worker/reference_distribution.h"

namespace troupe {
namespace {

constexpr int kAgents = 3, kObserved = 5, kActions = 5, kCopies = 7, kSteps = 6;
constexpr double kEpsilon = 0.3, kNoiseScale = 0.75, kActionNoise = 0.4;

struct Pair {
  std::string network;
  NetworkFactory make_network;
  DistributionSpec distribution;
};

std::vector<Pair> AllPairs() {
  std::vector<Pair> pairs;
  for (const DistributionSpec& distribution : EveryDistribution()) {
    pairs.push_back({"dense", MakeNetwork, distribution});
    pairs.push_back({"recurrent", MakeLeakyNetwork, distribution});
  }
  return pairs;
}

// Choices of each index of an action.
std::vector<int> SizesOf(const PolicySpec& spec) {
  return spec.action_sizes.empty() ? std::vector<int>{spec.action_size} : spec.action_sizes;
}

// Memory for the actions of so many rows.
struct Chosen {
  explicit Chosen(const PolicySpec& spec, size_t rows)
      : discrete(rows * SizesOf(spec).size()),
        log_probabilities(rows),
        sampled(rows * spec.action_size),
        taken(sampled) {}
  ChosenActions views(size_t row, size_t rows) {
    const size_t all = log_probabilities.size(), n = sampled.size() / all, d = discrete.size() / all;
    return {absl::MakeSpan(discrete).subspan(row * d, rows * d), absl::MakeSpan(sampled).subspan(row * n, rows * n),
            absl::MakeSpan(taken).subspan(row * n, rows * n), absl::MakeSpan(log_probabilities).subspan(row, rows)};
  }
  std::vector<int32_t> discrete;
  std::vector<float> log_probabilities, sampled, taken;
};

class PolicyKinds : public testing::TestWithParam<Pair> {
 protected:
  static PolicySpec Spec(const std::vector<int>& sets, bool agent_id) {
    PolicySpec spec = WithDistribution(MakeTestSpec(kAgents, kObserved, kActions, {16}, sets), GetParam().distribution);
    return agent_id ? WithAgentId(spec) : spec;
  }
  static std::vector<PolicySpec> Specs() {
    return {Spec({0, 0, 0}, false), Spec({0, 0, 0}, true), Spec({0, 1, 0}, false), Spec({0, 1, 2}, true)};
  }
  static PolicySnapshot Snapshot(const PolicySpec& spec) {
    return {7,
            RandomWeights(spec, 3),
            {{"epsilon", kEpsilon}, {"noise_scale", kNoiseScale}, {"action_noise", kActionNoise}}};
  }
  // What the rows see at a step.
  struct Row {
    Row(const PolicySpec& spec, int draws, RandomStream& random)
        : observations(size_t(kCopies) * kAgents * kObserved), uniforms(size_t(kCopies) * kAgents * draws) {
      for (float& value : observations) value = 2 * random.Uniform() - 1;
      for (float& value : uniforms) value = random.Uniform();
      if (spec.action_kind == ActionKind::kContinuous) return;
      masks.resize(size_t(kCopies) * kAgents * kActions);
      for (uint8_t& mask : masks) mask = random.Below(3) > 0;
      size_t first = 0;
      while (first < masks.size()) {
        for (const int size : SizesOf(spec)) {
          masks[first + random.Below(size)] = 1;
          first += size;
        }
      }
    }
    std::vector<float> observations, uniforms;
    std::vector<uint8_t> masks;
  };
};

TEST_P(PolicyKinds, ABatchActsAsEveryCopyAndEveryAgentByItselfDoes) {
  for (const PolicySpec& spec : Specs()) {
    SCOPED_TRACE(FormatPolicySpec(spec));
    const PolicySnapshot snapshot = Snapshot(spec);
    auto together = *GroupActor::Create(spec, kCopies, GetParam().make_network);
    auto alone = *GroupActor::Create(spec, 1, GetParam().make_network);
    ASSERT_TRUE(together->SetSnapshot(snapshot).ok() && alone->SetSnapshot(snapshot).ok());
    std::vector<std::unique_ptr<OwnActor>> own;
    for (int r = 0; r < kCopies * kAgents; ++r) {
      own.push_back(*OwnActor::Create(spec, snapshot, r % kAgents, GetParam().make_network));
    }
    const int draws = together->draws_per_agent(), state_size = together->state_size();
    ASSERT_EQ(own[0]->draws(), draws);
    std::vector<float> state(size_t(kCopies) * kAgents * state_size), state_alone = state;
    RandomStream random(21);
    for (int step = 0; step < kSteps; ++step) {
      const Row row(spec, draws, random);
      Chosen batch(spec, kCopies * kAgents), single = batch;
      const bool mode = step == kSteps - 1;
      const auto part = [](const auto& values, size_t first, size_t count, size_t of) {
        return absl::MakeConstSpan(values).subspan(first * values.size() / of, count * values.size() / of);
      };
      const absl::Span<const float> uniforms = mode ? absl::Span<const float>() : row.uniforms;
      together->Act(row.observations, row.masks, uniforms, absl::MakeSpan(state), batch.views(0, kCopies * kAgents));
      for (int c = 0; c < kCopies; ++c) {
        const size_t states = size_t(kAgents) * state_size;
        alone->Act(part(row.observations, c, 1, kCopies), part(row.masks, c, 1, kCopies),
                   mode ? uniforms : part(row.uniforms, c, 1, kCopies),
                   absl::MakeSpan(state_alone).subspan(c * states, states), single.views(c * kAgents, kAgents));
      }
      EXPECT_EQ(batch.discrete, single.discrete);
      EXPECT_EQ(batch.sampled, single.sampled);
      EXPECT_EQ(batch.taken, single.taken);
      EXPECT_EQ(batch.log_probabilities, single.log_probabilities);
      EXPECT_EQ(state, state_alone);
      for (int r = 0; r < kCopies * kAgents; ++r) {
        const GroupAction& action =
            own[r]->Act(part(row.observations, r, 1, kCopies * kAgents), part(row.masks, r, 1, kCopies * kAgents),
                        mode ? uniforms : part(row.uniforms, r, 1, kCopies * kAgents));
        if (spec.action_kind == ActionKind::kContinuous) {
          EXPECT_EQ(action.continuous, part(batch.taken, r, 1, kCopies * kAgents));
        } else {
          EXPECT_EQ(action.discrete, part(batch.discrete, r, 1, kCopies * kAgents));
        }
      }
    }
  }
}

TEST_P(PolicyKinds, ActsByTheDefinitionsInDoublePrecision) {
  for (const PolicySpec& spec : Specs()) {
    SCOPED_TRACE(FormatPolicySpec(spec));
    const PolicySnapshot snapshot = Snapshot(spec);
    auto actor = *GroupActor::Create(spec, kCopies, GetParam().make_network);
    ASSERT_TRUE(actor->SetSnapshot(snapshot).ok());
    const int draws = actor->draws_per_agent();
    const bool recurrent = actor->state_size() > 0,
               squashed = spec.distribution.kind == DistributionKind::kSquashedGaussian;
    std::vector<float> state(size_t(kCopies) * kAgents * actor->state_size());
    std::vector<float> remembered(size_t(kCopies) * kAgents * kObserved);
    RandomStream random(22);
    for (int step = 0; step < kSteps; ++step) {
      const Row row(spec, draws, random);
      Chosen chosen(spec, kCopies * kAgents);
      actor->Act(row.observations, row.masks, row.uniforms, absl::MakeSpan(state), chosen.views(0, kCopies * kAgents));
      for (size_t i = 0; i < remembered.size(); ++i) {
        remembered[i] = (recurrent ? 0.5f * remembered[i] : 0.0f) + row.observations[i];
      }
      for (int r = 0; r < kCopies * kAgents; ++r) {
        const std::vector<double> outputs =
            ReferenceLogits(spec, snapshot.tensors, r % kAgents, &remembered[r * kObserved]);
        const float* const uniforms = &row.uniforms[r * draws];
        if (spec.action_kind == ActionKind::kMultiDiscrete) {
          double log_probability = 0;
          int first = 0;
          for (size_t d = 0; d < spec.action_sizes.size(); first += spec.action_sizes[d++]) {
            const auto begin = outputs.begin() + first;
            const auto probabilities =
                ReferenceProbabilities(DistributionKind::kCategorical, {begin, begin + spec.action_sizes[d]},
                                       &row.masks[r * kActions + first], kEpsilon);
            const int index = chosen.discrete[r * spec.action_sizes.size() + d];
            double below = 0;
            for (int i = 0; i < index; ++i) below += probabilities[i];
            EXPECT_LT(below - 1e-5, uniforms[d]);
            EXPECT_GT(below + probabilities[index] + 1e-5, uniforms[d]);
            log_probability += std::log(probabilities[index]);
          }
          ASSERT_NEAR(chosen.log_probabilities[r], log_probability, 2e-4);
          continue;
        }
        if (spec.action_kind == ActionKind::kDiscrete) {
          const uint8_t* const mask = &row.masks[r * kActions];
          const auto probabilities = ReferenceProbabilities(spec.distribution.kind, outputs, mask, kEpsilon);
          const int action = chosen.discrete[r];
          ASSERT_NEAR(chosen.log_probabilities[r], std::log(probabilities[action]), 1e-4);
          if (spec.distribution.kind == DistributionKind::kCategorical) {
            double below = 0;
            for (int i = 0; i < action; ++i) below += probabilities[i];
            EXPECT_LT(below - 1e-5, uniforms[0]);
            EXPECT_GT(below + probabilities[action] + 1e-5, uniforms[0]);
          } else if (uniforms[0] >= kEpsilon) {
            EXPECT_EQ(action, std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
          } else {
            const auto allowed_before = std::count(mask, mask + action, 1);
            EXPECT_EQ(allowed_before, int(uniforms[1] * float(std::count(mask, mask + kActions, 1))));
          }
          continue;
        }
        const ReferenceGaussian gaussian(spec, snapshot.tensors, r % kAgents, outputs, kNoiseScale, kActionNoise);
        const float* const sampled = &chosen.sampled[r * kActions];
        for (int i = 0; i < kActions; ++i) {
          const double radius = std::sqrt(-2 * std::log1p(-double{uniforms[i / 2 * 2]}));
          const double angle = 2 * std::numbers::pi * uniforms[i / 2 * 2 + 1];
          const double expected =
              gaussian.means[i] + gaussian.deviations[i] * radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
          ASSERT_NEAR(sampled[i], expected, 1e-4 * (1 + std::abs(expected)));
          const double taken = squashed ? std::tanh(double{sampled[i]}) : std::clamp(double{sampled[i]}, -1.0, 1.0);
          EXPECT_NEAR(chosen.taken[r * kActions + i], taken, 1e-6);
        }
        EXPECT_NEAR(chosen.log_probabilities[r], gaussian.LogProbability(sampled, squashed), 2e-3);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, PolicyKinds, testing::ValuesIn(AllPairs()), [](const auto& info) {
  const DistributionSpec& distribution = info.param.distribution;
  return info.param.network + "_" + std::string(TraitsOf(distribution.kind).name) +
         (distribution.state_dependent_std ? "_by_state" : "");
});

}  // namespace
}  // namespace troupe
