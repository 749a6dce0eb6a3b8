// How networks see a batch whose groups follow options, and what a choice is worth: numbers worked out by hand.
#include "learner/algorithms/modules/option_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr float kGamma = 0.5f, kLambda = 0.25f;

// One column, one agent: choices at steps 0 and 2, an end after step 3, a choice at step 4, the batch's last.
ValueStreams Streams() {
  return {.steps = 5,
          .columns = 1,
          .rewards = {1, 2, 3, 4, 5},
          .values = {10, 20, 30, 40, 50},
          .next_values = {20, 30, 40, 0, 60},
          .continues = {1, 1, 1, 0, 1},
          .active = {1, 1, 1, 1, 1, 1},
          .importance = {}};
}

TEST(ChoiceAdvantages, SumRewardsToTheNextChoiceAndCarryLambdaFromChoiceToChoice) {
  const AdvantageEstimates estimates = ChoiceAdvantages(Streams(), {1, 0, 1, 0, 1, 1}, kGamma, kLambda);
  // From step 2: 3 + 4/2, and the episode is over. From step 0: 1 + 2/2 + 30/4, then λ of step 2's.
  const float at_2 = 3 + 4 / 2.0f - 30, at_0 = 1 + 2 / 2.0f + 30 / 4.0f - 10 + kLambda / 4 * at_2;
  // The batch ends after step 4 as if a choice followed.
  const float at_4 = 5 + 60 / 2.0f - 50;
  EXPECT_FLOAT_EQ(estimates.advantages[0], at_0);
  EXPECT_FLOAT_EQ(estimates.advantages[2], at_2);
  EXPECT_FLOAT_EQ(estimates.advantages[4], at_4);
  // Targets of steps between, from there on.
  EXPECT_THAT(estimates.targets,
              Pointwise(FloatNear(1e-5f), {at_0 + 10, 2 + 30 / 2.0f + kLambda / 2 * at_2, at_2 + 30, 4.0f, at_4 + 50}));
}

TEST(ChoiceAdvantages, OfChoicesAtEveryStepAreGeneralizedAdvantages) {
  const AdvantageEstimates all = ChoiceAdvantages(Streams(), {1, 1, 1, 1, 1, 1}, kGamma, kLambda);
  const AdvantageEstimates usual = GeneralizedAdvantages(Streams(), kGamma, kLambda);
  EXPECT_EQ(all.advantages, usual.advantages);
  EXPECT_EQ(all.targets, usual.targets);
}

TEST(ChoiceAdvantages, ATruncatedEpisodesLastStateCountsInTheMiddleOfAnOption) {
  ValueStreams streams = Streams();
  streams.next_values[3] = 8;
  const AdvantageEstimates estimates = ChoiceAdvantages(streams, {1, 0, 0, 0, 1, 1}, kGamma, kLambda);
  EXPECT_FLOAT_EQ(estimates.advantages[0], 1 + 2 / 2.0f + 3 / 4.0f + 4 / 8.0f + 8 / 16.0f - 10);
}

TEST(ChoiceAdvantages, OfTheDeadAreNoneWhereTheyHaveNoValue) {
  ValueStreams streams = Streams();
  streams.bootstrap_inactive = false;
  streams.active = {1, 1, 0, 0, 1, 0};
  streams.next_values[3] = 0;
  const AdvantageEstimates estimates = ChoiceAdvantages(streams, {1, 0, 1, 0, 1, 1}, kGamma, kLambda);
  EXPECT_FLOAT_EQ(estimates.advantages[0], 1 + 2 / 2.0f + 3 / 4.0f + 4 / 8.0f - 10) << "rewards still arrive";
  EXPECT_FLOAT_EQ(estimates.advantages[4], 5 - 50) << "dead where the batch ends";
}

// Two cars with three options of two steps beside a light that has none.
AlgorithmContext Context(const std::string& more = "") {
  return MakeContext(
      "group_policies { key: \"cars\" value { num_options: 3 option_steps: 2 agent_id_input: true } } " + more,
      {DiscreteGroup("cars", 2, 2, 4), DiscreteGroup("light", 1, 3, 2)}, 1);
}

// Two steps of one column; the first car chooses at step 0, the second at step 1; both episodes' end is truncated.
TrainingBatch Batch(const AlgorithmContext& context) {
  TrainingBatch batch = EmptyBatch(context.environment, 2, 1);
  GroupBatch& cars = batch.groups[0];
  for (size_t i = 0; i < cars.observations.size(); ++i) cars.observations[i] = 10.0f + static_cast<float>(i);
  cars.option_states = {1, 2, /**/ 0, 1, /**/ 2, 1, /**/ 0, 2, /**/ 0, 0, /**/ 0, 0};
  cars.options = {2, 0, /**/ 2, 1};
  cars.option_log_probabilities = {-1.5f, 0, /**/ 0, -0.5f};
  Truncate(context.environment, 1, 0, 7, &batch);
  return batch;
}

TEST(OptionView, APolicySeesTheOptionItsManagerAndCriticsWhatWasFollowedUntilThen) {
  const AlgorithmContext context = Context();
  const OptionView view(context.environment, context.policies);
  ASSERT_EQ(view.actors().size(), 3);
  const OptionView::Actor &policy = view.actors()[0], &manager = view.actors()[1], &light = view.actors()[2];
  EXPECT_TRUE(manager.manages && !policy.manages && !light.manages);
  EXPECT_THAT(std::vector({policy.group, manager.group, light.group}), ElementsAre(0, 0, 1));
  EXPECT_EQ(light.rows, 1);
  EXPECT_EQ(view.environment().groups[0].observation_size, 2 + 4);
  EXPECT_EQ(view.environment().groups[1].observation_size, 3);

  const TrainingBatch seen = view.See(Batch(context));
  EXPECT_THAT(seen.groups[policy.rows].observations,
              ElementsAre(0, 0, 1, 10, 11, /**/ 1, 0, 0, 12, 13, /**/ 0, 0, 1, 14, 15, /**/ 0, 1, 0, 16, 17));
  const std::vector<float> held = {0, 1, 0, 1, 10, 11, /**/ 1, 0, 0, 0.5, 12, 13, /**/ 0, 0, 1, 0.5, 14, 15,
                                   1, 0, 0, 1, 16, 17, /**/ 0, 0, 0, 0,   18, 19, /**/ 0, 0, 0, 0,   20, 21};
  EXPECT_EQ(seen.groups[manager.rows].observations, held);
  EXPECT_EQ(seen.groups[0].observations, held);
  // The first car has followed its option to the end of its steps, the second one for one.
  EXPECT_THAT(seen.groups[0].final_observations, ElementsAre(0, 0, 1, 1, 7, 7, /**/ 0, 1, 0, 0.5, 7, 7));
  EXPECT_THAT(seen.groups[manager.rows].alive, ElementsAre(1, 0, /**/ 0, 1, /**/ 1, 1));
  EXPECT_EQ(seen.groups[manager.rows].discrete_actions, std::vector<int32_t>({2, 0, 2, 1}));
  EXPECT_THAT(seen.groups[manager.rows].log_probabilities, ElementsAre(-1.5f, 0, 0, -0.5f));
  EXPECT_EQ(seen.groups[manager.rows].action_masks, std::vector<uint8_t>(3 * 2 * 3, 1));
}

TEST(OptionView, ATeamChoosesWhereAnyOfItsManagersDoes) {
  const AlgorithmContext team = Context(), each = Context("critic { heads: EACH_AGENT }");
  const OptionView view(team.environment, team.policies);
  const TrainingBatch seen = view.See(Batch(team));
  const auto layout = [&](const AlgorithmContext& context) {
    return MakeCriticLayouts(context.experiment.critic(), view.environment()).value()[0];
  };
  EXPECT_THAT(view.Choices(layout(team), seen), ElementsAre(1, 1, 1));
  EXPECT_THAT(view.Choices(layout(each), seen), ElementsAre(1, 0, 0, /**/ 0, 1, 0, /**/ 1, 1, 1));
}

TEST(OptionView, WithoutOptionsNothingIsOtherwise) {
  const AlgorithmContext context = MakeContext("", {DiscreteGroup("cars", 2, 2, 4)}, 1);
  const OptionView view(context.environment, context.policies);
  EXPECT_FALSE(view.any());
  ASSERT_EQ(view.actors().size(), 1);
  EXPECT_EQ(view.actors()[0].policy, context.policies[0]);
  EXPECT_EQ(view.actors()[0].rows, 0);
  EXPECT_EQ(view.environment().state_size(), context.environment.state_size());
}

// Of the trainer: what a manager did not choose does not matter to it, nor how it would have been chosen.
TEST(MappoWithOptions, StepsWithoutAChoiceLeaveManagersAlone) {
  const AlgorithmContext context = Context("ppo { advantage_normalization: false epochs: 2 }");
  const auto algorithm = CreateAlgorithm(context).value();
  TrainingBatch batch = RandomBatch(context.environment, 12, 3, 5, /*ends=*/false);
  FillOptions(context, 5, &batch);
  const std::vector<HostTensor> before = algorithm->SaveState();
  // Every car in the middle of an option throughout.
  std::ranges::fill(batch.groups[0].option_log_probabilities, 0.0f);
  for (size_t i = 0; i < batch.groups[0].option_states.size(); i += 2) {
    batch.groups[0].option_states[i] = 1;
    batch.groups[0].option_states[i + 1] = 1;
  }
  std::ranges::fill(batch.groups[0].options, 1);
  ASSERT_TRUE(algorithm->Update(batch, {.update = 0, .total_env_steps = 1000}).ok());
  const std::vector<HostTensor> after = algorithm->SaveState();
  for (size_t i = 0; i < after.size(); ++i) {
    if (after[i].name.find("adam.steps") != std::string::npos) continue;
    if (after[i].name.starts_with("actor/cars/manager/")) {
      EXPECT_EQ(after[i], before[i]) << after[i].name;
    }
    if (after[i].name == "actor/cars/output.weight") {
      EXPECT_NE(after[i], before[i]);
    }
  }
}

}  // namespace
}  // namespace troupe
