#include "actor_worker/evaluation/act_protocol.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/actor_worker/inference_reference.h"

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Refusal(const std::string& line) {
  ObservationLine parsed;
  const absl::Status status = ParseObservationLine(line, 3, {2}, &parsed);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << line;
  return std::string(status.message());
}

TEST(ParseObservationLineTest, ReadsSpacesCommasTabsAndJson) {
  for (const std::string line : {"1 -2.5 3e2", "1,-2.5,3e2", " 1 , -2.5\t300 \r", "[1, -2.5, 3e2]", " [1,-2.5,300] "}) {
    ObservationLine parsed;
    ASSERT_TRUE(ParseObservationLine(line, 3, {2}, &parsed).ok()) << line;
    EXPECT_THAT(parsed.observation, ElementsAre(1.0f, -2.5f, 300.0f));
    EXPECT_THAT(parsed.mask, IsEmpty());
  }
}

TEST(ParseObservationLineTest, ReadsTheMask) {
  for (const std::string line : {"1 2 3 | 0 1", "[1,2,3]|[0,1]", "1 2 3|0,1"}) {
    ObservationLine parsed;
    ASSERT_TRUE(ParseObservationLine(line, 3, {2}, &parsed).ok()) << line;
    EXPECT_THAT(parsed.mask, ElementsAre(0, 1));
  }
}

TEST(ParseObservationLineTest, SaysWhatIsWrong) {
  EXPECT_THAT(Refusal(""), HasSubstr("got 0 numbers in the observation, expected 3"));
  EXPECT_THAT(Refusal("1 2"), HasSubstr("got 2 numbers in the observation, expected 3"));
  EXPECT_THAT(Refusal("1 2 3 4 5 6 7"), HasSubstr("got more than 3 numbers in the observation"));
  EXPECT_THAT(Refusal("1 two 3"), HasSubstr("observation 1 is \"two\", expected a finite number"));
  EXPECT_THAT(Refusal("1 nan 3"), HasSubstr("observation 1 is \"nan\""));
  EXPECT_THAT(Refusal("1 2 1e99"), HasSubstr("observation 2 is \"1e99\""));
  EXPECT_THAT(Refusal("[1, 2, 3"), HasSubstr("observation 0 is \"[1\""));
  EXPECT_THAT(Refusal("1 2 3 | 1"), HasSubstr("got 1 numbers in the mask, expected 2"));
  EXPECT_THAT(Refusal("1 2 3 | 1 2"), HasSubstr("mask 1 is 2, expected 0 or 1"));
  EXPECT_THAT(Refusal("1 2 3 | 0 0"), HasSubstr("allows no action"));
  EXPECT_THAT(Refusal("1 2 3 | 0 1 | 1"), HasSubstr("2 '|' came"));
  EXPECT_LT(Refusal(std::string(100000, 'x')).size(), 200);
}

TEST(ParseObservationLineTest, AMaskOfSeveralDimensionsAllowsSomethingInEach) {
  const int choices[] = {2, 3};
  ObservationLine parsed;
  ASSERT_TRUE(ParseObservationLine("1 | 0 1 1 0 0", 1, choices, &parsed).ok());
  EXPECT_THAT(parsed.mask, ElementsAre(0, 1, 1, 0, 0));
  EXPECT_THAT(std::string(ParseObservationLine("1 | 1 1 0 0 0", 1, choices, &parsed).message()),
              HasSubstr("the mask allows no action in dimension 1, expected at least one 1"));
  EXPECT_THAT(std::string(ParseObservationLine("1 | 1 1", 1, choices, &parsed).message()),
              HasSubstr("got 2 numbers in the mask, expected 5"));
}

TEST(ServeActorTest, WritesAnIndexOfEachDimension) {
  PolicySpec spec = MakeTestSpec(1, 3, 5, {}, {0});
  spec.action_kind = ActionKind::kMultiDiscrete;
  spec.distribution.kind = DistributionKind::kMultiCategorical;
  spec.action_sizes = {3, 2};
  const PolicySnapshot weights{1, RandomWeights(spec, 2)};
  auto actor = *OwnActor::Create(spec, weights, 0);
  EXPECT_EQ(actor->Form(), "indices 0 … 2 and 0 … 1");
  std::istringstream in("0.5 -1 2\n0.5 -1 2 | 0 1 0 1 0\n");
  std::ostringstream out, err;
  ServeActor(*actor, false, 0, in, out, err);
  const float observation[] = {0.5f, -1.0f, 2.0f};
  const std::vector<double> logits = ReferenceLogits(spec, weights.tensors, 0, observation);
  const auto best = [&](int first, int size) {
    return std::max_element(logits.begin() + first, logits.begin() + first + size) - logits.begin() - first;
  };
  EXPECT_EQ(out.str(), std::to_string(best(0, 3)) + "," + std::to_string(best(3, 2)) + "\n1,0\n");
  EXPECT_EQ(err.str(), "");
}

TEST(ServeActorTest, ContinuousActionsAreInTheEnvironmentsUnits) {
  PolicySpec spec = MakeTestSpec(1, 3, 2, {}, {0});
  spec.action_kind = ActionKind::kContinuous;
  spec.distribution.kind = DistributionKind::kGaussian;
  const PolicySnapshot weights{1, RandomWeights(spec, 2)};
  PolicySpec bounded = spec;
  bounded.action_bounds = {{-3, 5}, {0, 0.5f}};
  auto actor = *OwnActor::Create(bounded, weights, 0);
  EXPECT_EQ(actor->Form(), "2 numbers in [-3, 5] and [0, 0.5]");
  const float observation[] = {0.1f, -0.2f, 0.3f};
  const std::vector<double> means = ReferenceLogits(spec, weights.tensors, 0, observation);
  ASSERT_LT(std::max(std::abs(means[0]), std::abs(means[1])), 1) << "what is clipped says less";
  const GroupAction action = actor->Act(observation, {}, {});
  EXPECT_NEAR(action.continuous[0], 1 + 4 * means[0], 1e-5);
  EXPECT_NEAR(action.continuous[1], 0.25 + 0.25 * means[1], 1e-6);
}

TEST(ServeActorTest, AnswersGoodLinesAndNamesBadOnes) {
  const PolicySpec spec = MakeTestSpec(2, 3, 4, {8}, {0, 1});
  const PolicySnapshot weights{1, RandomWeights(spec, 2)};
  auto actor = *OwnActor::Create(spec, weights, 1);
  std::istringstream in("0.5 -1 2\nrubbish\n0.5 -1 2 | 0 0 1 0\n\n0.5 -1 2");
  std::ostringstream out, err;
  const ServedLines served = ServeActor(*actor, false, 0, in, out, err);
  const float observation[] = {0.5f, -1.0f, 2.0f};
  const std::vector<double> logits = ReferenceLogits(spec, weights.tensors, 1, observation);
  const std::string best = std::to_string(std::max_element(logits.begin(), logits.end()) - logits.begin());
  EXPECT_EQ(out.str(), best + "\n2\n" + best + "\n");
  EXPECT_THAT(err.str(),
              testing::StartsWith("line 2: observation 0 is \"rubbish\", expected a finite number\nline 4: "));
  EXPECT_EQ(served.acted, 3);
  EXPECT_EQ(served.refused, 2);
}

TEST(ServeActorTest, SamplesRepeatablyFromTheSeed) {
  const PolicySpec spec = MakeTestSpec(1, 3, 4, {}, {0});
  const PolicySnapshot weights{1, RandomWeights(spec, 2)};
  auto actor = *OwnActor::Create(spec, weights, 0);
  const auto serve = [&](uint64_t seed) {
    std::string lines;
    for (int i = 0; i < 200; ++i) lines += "0.1 0.1 0.1\n";
    std::istringstream in(lines);
    std::ostringstream out, err;
    ServeActor(*actor, true, seed, in, out, err);
    return out.str();
  };
  EXPECT_EQ(serve(1), serve(1));
  EXPECT_NE(serve(1), serve(2));
}

// y = 2 · seen + 3 · heard of two outputs, said = tanh(0.5 · seen): with a neighbour's word of 1 the second action is
// better, in silence the first.
TEST(ServeActorTest, AnAgentThatTalksTakesMessagesAndGivesItsOwn) {
  const PolicySpec spec = WithMessages(MakeTestSpec(3, 1, 2, {}, {0, 0, 0}), {.size = 1}, {{1, 2}, {}, {}});
  const auto tensor = [](const std::string& name, std::vector<int64_t> shape, std::vector<float> values) {
    return HostTensor::Float32("team/" + name, std::move(shape), values.data());
  };
  const PolicySnapshot weights{1,
                               {tensor("output.weight", {1, 2, 2}, {2, 0, 0, 3}), tensor("output.bias", {1, 2}, {0, 0}),
                                tensor("message.weight", {1, 2, 1}, {0.5f, 0}), tensor("message.bias", {1, 1}, {0})}};
  auto actor = *OwnActor::Create(spec, weights, 0);
  std::istringstream in("0.5\n0.5;1;1\n0.5 | 1 1 ; [1] ;\n1; ; 1\n0.5;1;1;1\n0.5;x\n0.5;1 2\n");
  std::ostringstream out, err;
  ServeActor(*actor, false, 0, in, out, err);
  std::istringstream lines(out.str());
  // tanh(0.25) = 0.24491866, tanh(0.5) = 0.46211716 (Abramowitz and Stegun, table 4.15).
  for (const auto& [action, said] :
       {std::pair{0, 0.24491866}, std::pair{1, 0.24491866}, std::pair{1, 0.24491866}, std::pair{0, 0.46211716}}) {
    int took = -1;
    char semicolon = 0;
    double told = 0;
    lines >> took >> semicolon >> told;
    EXPECT_EQ(took, action);
    EXPECT_EQ(semicolon, ';');
    EXPECT_NEAR(told, said, 1e-6);
  }
  EXPECT_EQ(err.str(),
            "line 5: 3 messages came, expected at most 2, one from each neighbour\n"
            "line 6: message 0 0 is \"x\", expected a finite number\n"
            "line 7: got more than 1 numbers in the message 0, expected 1\n");
}

TEST(ServeActorTest, WhoDoesNotTalkTakesNoMessages) {
  const PolicySpec spec = MakeTestSpec(2, 3, 4, {}, {0, 0});
  auto actor = *OwnActor::Create(spec, {1, RandomWeights(spec, 2)}, 0);
  std::istringstream in("0.5 1 -1;1\n");
  std::ostringstream out, err;
  ServeActor(*actor, false, 0, in, out, err);
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(err.str(), "line 1: 1 messages came, expected at most 0, one from each neighbour\n");
}

TEST(ServeActorTest, ARecurrentActorForgetsWhereAnEpisodeBegins) {
  PolicySpec spec = MakeTestSpec(1, 3, 4, {8}, {0});
  spec.action_kind = ActionKind::kContinuous;
  spec.distribution.kind = DistributionKind::kGaussian;
  spec.stack.cell = Cell::kGru;
  spec.stack.recurrent_size = 6;
  const PolicySnapshot weights{1, RandomWeights(spec, 2)};
  auto actor = *OwnActor::Create(spec, weights, 0);
  std::istringstream in("0.5 1 -1\n0.5 1 -1\n begin\n0.5 1 -1\n");
  std::ostringstream out, err;
  const ServedLines served = ServeActor(*actor, false, 7, in, out, err);
  EXPECT_EQ(err.str(), "");
  EXPECT_EQ(served.acted, 3);
  std::istringstream answers(out.str());
  std::string first, second, third;
  std::getline(answers, first), std::getline(answers, second), std::getline(answers, third);
  EXPECT_NE(first, second);
  EXPECT_EQ(first, third);
}

}  // namespace
}  // namespace troupe
