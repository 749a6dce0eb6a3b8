// Agents that follow options: who chooses when, by which formulas, alone and in a batch, and what chunks tell of it.
#include <cmath>

#include "actor_worker/acting/actor_team.h"
#include "actor_worker/acting/own_actor.h"
#include "actor_worker/rollout/shard_rollout.h"
#include "common/base/random.h"
#include "common/specs/option_policies.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"
#include "tests/actor_worker/worker_fixture.h"

namespace troupe {
namespace {

constexpr int kAgents = 3, kObserved = 5, kActions = 4, kCopies = 4, kOptions = 3, kOptionSteps = 3, kSteps = 10;

PolicySpec WithOptions(PolicySpec spec) {
  spec.options = {kOptions, kOptionSteps};
  spec.stack.input_size += kOptions;
  return spec;
}

// Rows of one step, each of its own random numbers.
struct Step {
  std::vector<float> seen, uniforms, log_probabilities, option_log_probabilities;
  std::vector<int32_t> actions, options;

  Step(int copies, RandomStream* random)
      : seen(size_t(copies) * kAgents * kObserved),
        uniforms(size_t(copies) * kAgents * 2),
        log_probabilities(size_t(copies) * kAgents),
        option_log_probabilities(log_probabilities.size()),
        actions(log_probabilities.size()),
        options(log_probabilities.size()) {
    for (float& value : seen) value = 2 * random->Uniform() - 1;
    for (float& value : uniforms) value = random->Uniform();
  }
  ChosenActions chosen() {
    return {.discrete = absl::MakeSpan(actions),
            .log_probabilities = absl::MakeSpan(log_probabilities),
            .options = absl::MakeSpan(options),
            .option_log_probabilities = absl::MakeSpan(option_log_probabilities)};
  }
};

double LogSoftmax(const std::vector<double>& logits, int index) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  return logits[index] - std::log(sum);
}

struct Kind {
  std::string name;
  bool norms, agent_id;
  std::vector<int> sets;
};

class Options : public testing::TestWithParam<Kind> {
 protected:
  Options() {
    spec_ = MakeTestSpec(kAgents, kObserved, kActions, {16}, GetParam().sets);
    if (GetParam().agent_id) spec_ = WithAgentId(spec_);
    spec_ = WithOptions(spec_);
    spec_.stack.input_layer_norm = spec_.stack.hidden_layer_norm = GetParam().norms;
    snapshot_ = {7, RandomWeights(spec_, 3)};
  }
  std::unique_ptr<GroupActor> Make(int copies) const {
    auto actor = *GroupActor::Create(spec_, copies);
    EXPECT_TRUE(actor->SetSnapshot(snapshot_).ok());
    return actor;
  }

  PolicySpec spec_;
  PolicySnapshot snapshot_;
};

// The definition of common/specs/option_policies.h in double precision, one agent at a time.
TEST_P(Options, AreChosenAndFollowedAsDefined) {
  const auto actor = Make(kCopies);
  ASSERT_EQ(actor->state_size(), 2);
  ASSERT_EQ(actor->draws_per_agent(), 2);
  const std::vector<HostTensor>& tensors = snapshot_.tensors;
  const size_t own = UnderOptions(spec_).Parameters().size();
  const std::vector<HostTensor> of_policy(tensors.begin(), tensors.begin() + own),
      of_manager(tensors.begin() + own, tensors.end());
  std::vector<float> state(size_t(kCopies) * kAgents * 2);
  std::vector<int> option(kCopies * kAgents), age(kCopies * kAgents);
  RandomStream random(5);
  int chosen = 0, changed = 0;
  for (int t = 0; t < kSteps; ++t) {
    Step step(kCopies, &random);
    actor->Act(step.seen, {}, step.uniforms, absl::MakeSpan(state), step.chosen());
    for (int row = 0; row < kCopies * kAgents; ++row) {
      const float* const x = &step.seen[row * kObserved];
      const int agent = row % kAgents, came = step.options[row];
      if (age[row] == 0 || age[row] == kOptionSteps) {
        std::vector<float> held(kOptions + 1 + kObserved);
        if (age[row] > 0) held[option[row]] = 1, held[kOptions] = static_cast<float>(age[row]) / kOptionSteps;
        std::copy_n(x, kObserved, held.begin() + kOptions + 1);
        const std::vector<double> logits = ReferenceLogits(ManagerOf(spec_), of_manager, agent, held.data());
        EXPECT_NEAR(step.option_log_probabilities[row], LogSoftmax(logits, came), 1e-4);
        ++chosen;
        changed += age[row] > 0 && came != option[row];
        option[row] = came;
        age[row] = 0;
      } else {
        EXPECT_EQ(came, option[row]) << "still followed";
        EXPECT_EQ(step.option_log_probabilities[row], 0);
      }
      ++age[row];
      EXPECT_EQ(state[2 * row], option[row]);
      EXPECT_EQ(state[2 * row + 1], age[row]);
      std::vector<float> under(kOptions + kObserved);
      under[option[row]] = 1;
      std::copy_n(x, kObserved, under.begin() + kOptions);
      EXPECT_NEAR(step.log_probabilities[row],
                  LogSoftmax(ReferenceLogits(UnderOptions(spec_), of_policy, agent, under.data()), step.actions[row]),
                  1e-4);
    }
    if (t != 4) continue;  // an episode ends in copy 1 alone
    std::fill_n(state.begin() + kAgents * 2, kAgents * 2, 0.0f);
    std::fill_n(age.begin() + kAgents, kAgents, 0);
  }
  // Steps 0, 3, 6 and 9, and of copy 1 steps 0, 3, 5 and 8.
  EXPECT_EQ(chosen, 4 * kCopies * kAgents);
  EXPECT_GT(changed, 0);
}

TEST_P(Options, ABatchActsAsEveryCopyAndEveryAgentByItselfDoes) {
  const auto together = Make(kCopies), alone = Make(1);
  std::vector<std::unique_ptr<OwnActor>> own;
  for (int a = 0; a < kAgents; ++a) own.push_back(*OwnActor::Create(spec_, snapshot_, a));
  EXPECT_EQ(own[0]->options(), (OptionSpec{kOptions, kOptionSteps}));
  EXPECT_EQ(own[0]->draws(), 2);
  std::vector<float> state(size_t(kCopies) * kAgents * 2), single_state(size_t(kAgents) * 2);
  RandomStream random(5);
  for (int t = 0; t < kSteps; ++t) {
    Step step(kCopies, &random), single(1, &random);
    together->Act(step.seen, {}, step.uniforms, absl::MakeSpan(state), step.chosen());
    const auto copy = [](const auto& values) {
      const size_t count = values.size() / kCopies;
      return absl::MakeConstSpan(values).subspan(2 * count, count);
    };
    alone->Act(copy(step.seen), {}, copy(step.uniforms), absl::MakeSpan(single_state), single.chosen());
    EXPECT_EQ(copy(step.actions), absl::MakeConstSpan(single.actions));
    EXPECT_EQ(copy(step.options), absl::MakeConstSpan(single.options));
    EXPECT_EQ(copy(step.log_probabilities), absl::MakeConstSpan(single.log_probabilities));
    EXPECT_EQ(copy(step.option_log_probabilities), absl::MakeConstSpan(single.option_log_probabilities));
    EXPECT_EQ(copy(state), absl::MakeConstSpan(single_state));
    for (int a = 0; a < kAgents; ++a) {
      const GroupAction& action =
          own[a]->Act(copy(step.seen).subspan(a * kObserved, kObserved), {}, copy(step.uniforms).subspan(2 * a, 2));
      EXPECT_EQ(action.discrete[0], single.actions[a]) << t << " " << a;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Options,
                         testing::Values(Kind{"Shared", false, false, {0, 0, 0}},
                                         Kind{"WithIds", false, true, {0, 0, 0}},
                                         Kind{"NormedWithIds", true, true, {0, 1, 0}},
                                         Kind{"PerAgent", false, false, {0, 1, 2}}),
                         [](const auto& info) { return info.param.name; });

// Without draws managers and policies take what is most probable.
TEST(GroupActor, TheModeOfAnOptionIsTheManagersMostProbable) {
  PolicySpec spec = WithOptions(MakeTestSpec(1, kObserved, kActions, {}, {0}));
  std::vector<HostTensor> tensors = RandomWeights(spec, 1);
  for (HostTensor& tensor : tensors) std::fill_n(tensor.floats(), tensor.num_elements(), 0.0f);
  tensors[3].floats()[1] = 1;                 // the manager prefers option 1
  tensors[0].floats()[1 * kActions + 2] = 1;  // under which the policy prefers action 2
  auto actor = *GroupActor::Create(spec, 1);
  ASSERT_TRUE(actor->SetSnapshot({0, tensors}).ok());
  std::vector<float> state(2), seen(kObserved), log_probability(1);
  std::vector<int32_t> action(1);
  actor->Act(seen, {}, {}, absl::MakeSpan(state),
             {.discrete = absl::MakeSpan(action), .log_probabilities = absl::MakeSpan(log_probability)});
  EXPECT_EQ(action[0], 2);
  EXPECT_EQ(state[0], 1);
  EXPECT_NEAR(log_probability[0], 1 - std::log(std::exp(1) + 3), 1e-5);
}

// A program may set what an agent keeps (actor_worker/libraries).
TEST(GroupActor, AStateThatNoStepHasLeftIsBroughtWithinBounds) {
  const PolicySpec spec = WithOptions(MakeTestSpec(1, kObserved, kActions, {8}, {0}));
  auto actor = *GroupActor::Create(spec, 1);
  ASSERT_TRUE(actor->SetSnapshot({0, RandomWeights(spec, 1)}).ok());
  for (const float wrong : {-7.0f, 1e30f}) {
    std::vector<float> state = {wrong, 1}, seen(kObserved), log_probability(1);
    std::vector<int32_t> action(1);
    const auto act = [&] {
      actor->Act(seen, {}, {}, absl::MakeSpan(state),
                 {.discrete = absl::MakeSpan(action), .log_probabilities = absl::MakeSpan(log_probability)});
    };
    act();
    EXPECT_THAT(state, testing::ElementsAre(wrong < 0 ? 0 : kOptions - 1, 2));
    state[1] = wrong;
    act();
    EXPECT_EQ(state[1], 1) << "it chooses anew";
  }
}

TEST(GroupActor, RefusesOptionsThatItsNetworkHasNoPlaceFor) {
  PolicySpec spec = WithOptions(MakeTestSpec(1, kObserved, kActions, {8}, {0}));
  spec.options.steps = 0;
  EXPECT_THAT(std::string(GroupActor::Create(spec, 1).status().message()),
              testing::HasSubstr("3 options of 0 steps, expected at least 1"));
  spec.options = {kOptions + 1, 4};
  EXPECT_THAT(std::string(GroupActor::Create(spec, 1).status().message()), testing::HasSubstr("do not fit a network"));
}

// One group of the environment follows options, the other does not.
RolloutPlan PlanWithOptions() {
  Experiment experiment = TinyExperiment();
  PolicySettings& walkers = (*experiment.mutable_group_policies())["walkers"];
  walkers = experiment.policy();
  walkers.set_num_options(kOptions);
  walkers.set_option_steps(kOptionSteps);
  return TinyPlan(experiment);
}

// Of every copy and agent a chunk says what was followed before each step, what then, and goes on where the one before
// ended.
TEST(ShardRollout, ChunksSayWhoFollowedWhatAndWhoChoseWhen) {
  const RolloutPlan plan = PlanWithOptions();
  const ChunkShape shape = plan.chunk_shape();
  ASSERT_EQ(shape.options[0].count, kOptions);
  auto team = ActorTeam::Create(plan.policies, shape.copies).value();
  RolloutProgress progress;
  auto lease = std::make_shared<HeldLease>();
  const auto rollout = ShardRollout::Create(plan, lease).value();
  const int T = shape.rollout_length, rows = shape.copies * plan.spec.groups[0].num_agents();
  std::vector<float> carried(2 * rows);
  int chosen = 0, ended = 0, followed = 0;
  for (uint64_t sequence = 0; sequence < 6; ++sequence) {
    const auto weights = WeightsOf(plan, sequence);
    ASSERT_TRUE(team->Apply(weights).ok());
    wire::Chunk chunk;
    ASSERT_TRUE(rollout->Collect(sequence, *weights, *team, progress, &chunk).ok());
    const ChunkView view = ViewChunk(plan.spec, shape, chunk).value();
    const auto& walkers = view.groups[0];
    EXPECT_TRUE(view.groups[1].options.empty() && view.groups[1].option_states.empty());
    EXPECT_EQ(walkers.option_states.first(2 * rows), absl::MakeConstSpan(carried));
    for (int i = 0; i < T * rows; ++i) {
      const float held = walkers.option_states[2 * i], age = walkers.option_states[2 * i + 1];
      const bool choice = age == 0 || age == kOptionSteps;
      if (choice) {
        EXPECT_LT(walkers.option_log_probabilities[i], 0);
        ++chosen;
      } else {
        EXPECT_EQ(walkers.options[i], held);
        EXPECT_EQ(walkers.option_log_probabilities[i], 0);
        ++followed;
      }
      const int cell = i / plan.spec.groups[0].num_agents();
      const float* const next = &walkers.option_states[2 * (i + rows)];
      if (view.terminated[cell] != 0 || view.truncated[cell] != 0) {
        EXPECT_EQ(next[1], 0);
        ++ended;
      } else {
        EXPECT_EQ(next[0], walkers.options[i]);
        EXPECT_EQ(next[1], choice ? 1 : age + 1);
      }
    }
    const auto last = walkers.option_states.last(2 * rows);
    carried.assign(last.begin(), last.end());
  }
  EXPECT_GT(chosen, 0);
  EXPECT_GT(ended, 0);
  EXPECT_GT(followed, 0);
}

}  // namespace
}  // namespace troupe
