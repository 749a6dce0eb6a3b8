// Agents that tell each other something: what they hear, when, and that acting together and acting alone are the same.
#include "actor_worker/acting/communicating_network.h"

#include <algorithm>
#include <cmath>

#include "actor_worker/acting/actor_team.h"
#include "actor_worker/acting/own_actor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

TEST(WriteHeard, IsTheMeanOfAllNeighboursOrEachInItsPlace) {
  const float first[] = {0.5f, -1.0f}, second[] = {0.25f, 0.5f};
  std::vector<float> heard(6, 9.0f);
  MessageSpec messages{.size = 2, .most_heard = 3};
  WriteHeard(messages, {first, second}, heard.data());
  EXPECT_THAT(absl::MakeConstSpan(heard).first(2), ElementsAre(0.375f, -0.25f));
  WriteHeard(messages, {first, nullptr}, heard.data());
  EXPECT_THAT(absl::MakeConstSpan(heard).first(2), ElementsAre(0.25f, -0.5f)) << "as if it had said zeros";
  WriteHeard(messages, {}, heard.data());
  EXPECT_THAT(absl::MakeConstSpan(heard).first(2), ElementsAre(0.0f, 0.0f)) << "there is nobody to hear";
  messages.side_by_side = true;
  WriteHeard(messages, {nullptr, second}, heard.data());
  EXPECT_THAT(heard, ElementsAre(0.0f, 0.0f, 0.25f, 0.5f, 0.0f, 0.0f));
}

// One observed number, one output and one number said, without hidden layers: y = a·x + b·heard, said = tanh(c·x).
struct Line {
  PolicySpec spec = WithMessages(MakeTestSpec(3, 1, 1, {}, {0, 0, 0}), {.size = 1}, {{}, {0}, {0, 1}});
  PolicySnapshot snapshot{1,
                          {Tensor("output.weight", {1, 2, 1}, {2.0f, 3.0f}), Tensor("output.bias", {1, 1}, {0.0f}),
                           Tensor("message.weight", {1, 2, 1}, {0.5f, 0.0f}), Tensor("message.bias", {1, 1}, {0.0f})}};

  static HostTensor Tensor(const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
    return HostTensor::Float32("team/" + name, std::move(shape), values.data());
  }
};

// tanh(0.5) = 0.4621172, tanh(1) = 0.7615942 (Abramowitz and Stegun, table 4.15); agents 0, 1, 2 see 1, 2, 0.
TEST(CommunicatingNetwork, WhatIsSaidIsHeardAStepLater) {
  const Line line;
  const auto network = MakeNetwork(line.spec, 1);
  network->SetParameters(line.snapshot.tensors);
  ASSERT_EQ(network->state_size(), 1);
  std::vector<float> state(3, 0.0f);
  const auto near = [](std::vector<float> values) { return Pointwise(FloatNear(1e-6f), std::move(values)); };
  EXPECT_THAT(network->Outputs({1, 2, 0}, absl::MakeSpan(state)), near({2, 4, 0})) << "nothing was said before";
  EXPECT_THAT(state, near({0.4621172f, 0.7615942f, 0}));
  EXPECT_THAT(network->Outputs({0, 0, 0}, absl::MakeSpan(state)),
              near({0, 3 * 0.4621172f, 3 * (0.4621172f + 0.7615942f) / 2}));
  EXPECT_THAT(state, near({0, 0, 0}));
  EXPECT_THAT(network->Outputs({0, 0, 0}, absl::MakeSpan(state)), near({0, 0, 0}));
}

TEST(CommunicatingNetwork, TheDeadSayNothing) {
  const Line line;
  auto actor = *GroupActor::Create(line.spec, 1);
  ASSERT_TRUE(actor->SetSnapshot(line.snapshot).ok());
  std::vector<float> state(3, 0.0f), log_probabilities(3);
  std::vector<int32_t> actions(3);
  const uint8_t alive[] = {0, 1, 1};
  actor->Act({1, 2, 0}, {}, {}, absl::MakeSpan(state),
             {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)}, alive);
  EXPECT_THAT(state, Pointwise(FloatNear(1e-6f), {0.0f, 0.7615942f, 0.0f}));
}

TEST(CommunicatingNetwork, NeighboursThatDoNotFitAreRefused) {
  Line line;
  const auto refusal = [&](std::vector<std::vector<int>> neighbours) {
    line.spec.neighbours = std::move(neighbours);
    return std::string(GroupActor::Create(line.spec, 1).status().message());
  };
  EXPECT_THAT(refusal({{}, {0}, {0, 3}}), HasSubstr("its neighbours do not fit 3 agents of whom each hears at most 2"));
  EXPECT_THAT(refusal({{}, {1}, {0, 1}}), HasSubstr("its neighbours do not fit"));
  EXPECT_THAT(refusal({{}, {0}, {1}}), HasSubstr("its neighbours do not fit"));
  EXPECT_THAT(refusal({{}, {0}}), HasSubstr("its neighbours do not fit"));
}

struct Kind {
  std::string name;
  Cell cell;
  bool side_by_side, norms, agent_id;
  std::vector<int> sets;
};

class CommunicatingActors : public testing::TestWithParam<Kind> {};

constexpr int kAgents = 4, kObserved = 5, kActions = 3, kSaid = 3, kCopies = 6, kSteps = 7;

TEST_P(CommunicatingActors, ABatchActsAsEveryCopyAndEveryAgentByItselfDoes) {
  const Kind& kind = GetParam();
  PolicySpec spec = WithMessages(MakeTestSpec(kAgents, kObserved, kActions, {16}, kind.sets),
                                 {.size = kSaid, .side_by_side = kind.side_by_side}, {{1, 2, 3}, {0}, {}, {2, 0}});
  if (kind.agent_id) spec = WithAgentId(spec);
  spec.stack.cell = kind.cell;
  spec.stack.recurrent_size = kind.cell == Cell::kNone ? 0 : 6;
  spec.stack.input_layer_norm = spec.stack.hidden_layer_norm = kind.norms;
  const PolicySnapshot snapshot{7, RandomWeights(spec, 3)};
  auto together = *GroupActor::Create(spec, kCopies), alone = *GroupActor::Create(spec, 1);
  ASSERT_TRUE(together->SetSnapshot(snapshot).ok() && alone->SetSnapshot(snapshot).ok());
  std::vector<std::unique_ptr<OwnActor>> own;
  for (int a = 0; a < kAgents; ++a) own.push_back(*OwnActor::Create(spec, snapshot, a));
  ASSERT_EQ(own[3]->message_size(), kSaid);
  EXPECT_THAT(own[3]->neighbours(), ElementsAre(2, 0));

  const int size = together->state_size();
  std::vector<float> state(size_t(kCopies) * kAgents * size), single_state(size_t(kAgents) * size);
  std::vector<std::vector<float>> said(kAgents, std::vector<float>(kSaid));
  RandomStream random(5);
  double loudest = 0;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<float> seen(size_t(kCopies) * kAgents * kObserved), uniforms(size_t(kCopies) * kAgents);
    for (float& value : seen) value = 2 * random.Uniform() - 1;
    for (float& value : uniforms) value = random.Uniform();
    std::vector<uint8_t> alive(size_t(kCopies) * kAgents);
    for (uint8_t& lives : alive) lives = random.Below(4) > 0;
    std::vector<int32_t> actions(size_t(kCopies) * kAgents), single(kAgents);
    std::vector<float> log_probabilities(actions.size()), single_log_probabilities(kAgents);
    together->Act(seen, {}, uniforms, absl::MakeSpan(state),
                  {.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)}, alive);
    // Copy 2 by itself, and each of its agents by itself.
    const auto copy = [](const auto& values) {
      const size_t count = values.size() / kCopies;
      return absl::MakeConstSpan(values).subspan(2 * count, count);
    };
    alone->Act(copy(seen), {}, copy(uniforms), absl::MakeSpan(single_state),
               {.discrete = absl::MakeSpan(single), .log_probabilities = absl::MakeSpan(single_log_probabilities)},
               copy(alive));
    EXPECT_EQ(copy(actions), absl::MakeConstSpan(single));
    EXPECT_EQ(copy(log_probabilities), absl::MakeConstSpan(single_log_probabilities));
    EXPECT_EQ(copy(state), absl::MakeConstSpan(single_state));
    for (int a = 0; a < kAgents; ++a) {
      std::vector<const float*> heard;
      for (const int other : own[a]->neighbours()) heard.push_back(said[other].data());
      EXPECT_EQ(own[a]
                    ->Act(copy(seen).subspan(a * kObserved, kObserved), {}, copy(uniforms).subspan(a, 1), heard)
                    .discrete[0],
                single[a]);
    }
    for (int a = 0; a < kAgents; ++a) {
      const float* const in_state = &single_state[(a + 1) * size - kSaid];
      if (copy(alive)[a] != 0) {
        EXPECT_EQ(own[a]->message(), absl::MakeConstSpan(in_state, kSaid));
        loudest = std::max(loudest, std::abs(double{in_state[0]}));
      }
      said[a].assign(in_state, in_state + kSaid);
    }
  }
  EXPECT_GT(loudest, 0.1);
}

INSTANTIATE_TEST_SUITE_P(All, CommunicatingActors,
                         testing::Values(Kind{"Dense", Cell::kNone, false, false, false, {0, 0, 0, 0}},
                                         Kind{"DenseApart", Cell::kNone, true, false, true, {0, 0, 0, 0}},
                                         Kind{"DenseNormed", Cell::kNone, true, true, true, {0, 1, 0, 1}},
                                         Kind{"GruSets", Cell::kGru, false, false, true, {0, 1, 2, 3}},
                                         Kind{"LstmNormed", Cell::kLstm, true, true, false, {0, 0, 1, 0}}),
                         [](const auto& info) { return info.param.name; });

// What an agent said in one episode does not reach the next.
TEST(ActorTeam, AnEpisodeThatBeginsBeginsInSilence) {
  const Line line;
  auto team = *ActorTeam::Create({line.spec}, 2);
  ASSERT_TRUE(team->SetSnapshot(line.snapshot).ok());
  RecurrentState state = team->NewState();
  std::vector<float> seen = {1, 2, 0, 1, 2, 0}, log_probabilities(6);
  std::vector<uint8_t> alive(6, 1), masks(6, 1);
  std::vector<int32_t> actions(6);
  ObservationRow row;
  row.groups.push_back({absl::MakeSpan(seen), absl::MakeSpan(masks), absl::MakeSpan(alive)});
  team->Act(row, std::nullopt, state,
            {{.discrete = absl::MakeSpan(actions), .log_probabilities = absl::MakeSpan(log_probabilities)}});
  state.Reset(1);
  EXPECT_THAT(state.group(0), Pointwise(FloatNear(1e-6f), {0.4621172f, 0.7615942f, 0.0f, 0.0f, 0.0f, 0.0f}));
}

}  // namespace
}  // namespace troupe
