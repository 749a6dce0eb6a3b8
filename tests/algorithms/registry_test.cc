// The registry's rows and the cards are of the same algorithms.
#include <set>
#include <string>

#include "common/specs/algorithm_card.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/algorithms/algorithm.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

TEST(Registry, EveryAlgorithmHasACardAndEveryCardAnAlgorithm) {
  std::set<std::string> rows, cards;
  for (const AlgorithmEntry& entry : AllAlgorithms()) {
    EXPECT_TRUE(rows.insert(entry.name).second) << entry.name << " comes twice";
  }
  for (const AlgorithmCard& card : AllAlgorithmCards()) cards.insert(card.name);
  EXPECT_EQ(rows, cards);
}

// What a card allows can be made, and what it does not is refused with the card's line.
TEST(Registry, EveryAlgorithmIsMadeForTheDistributionsOnItsCardAlone) {
  for (const AlgorithmEntry& entry : AllAlgorithms()) {
    const AlgorithmCard& card = **FindAlgorithmCard(entry.name);
    for (const DistributionTraits& traits : AllDistributions()) {
      AgentGroupSpec group = DiscreteGroup("red", 2, 3, 4);
      group.action_kind = traits.action_kind;
      if (group.action_kind == ActionKind::kMultiDiscrete) group.action_sizes = {1, 3};
      const bool allowed =
          std::find(card.distributions.begin(), card.distributions.end(), traits.kind) != card.distributions.end();
      const auto made = CreateAlgorithm(MakeContext("algorithm { name: '" + entry.name + "' } policy { distribution: " +
                                                        ActionDistribution_Name(traits.setting) + " }",
                                                    {group}, 2));
      EXPECT_EQ(made.ok(), allowed) << entry.name << ": " << made.status();
      if (allowed) continue;
      EXPECT_EQ(made.status().code(), absl::StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(made.status().message()), testing::HasSubstr(FormatCard(card)));
    }
  }
}

}  // namespace
}  // namespace troupe
