#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/commands/explain.h"
#include "tests/common/all_settings.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Explained(const std::string& name) {
  const absl::StatusOr<std::string> text = ExplainSetting(name);
  return text.ok() ? *text : std::string(text.status().message());
}

// Beside text written by hand: what the proto says.
TEST(ExplainTest, ASettingHasMeaningDefaultRangeAndResume) {
  EXPECT_THAT(Explained("clip"), AllOf(StartsWith("ppo.clip\n\n  "), HasSubstr("\n  default   0.2\n"),
                                       HasSubstr("\n  range     (0, 10]\n"), HasSubstr("\n  on resume told: Allowed"),
                                       HasSubstr("\n  of        mappo")));
  EXPECT_THAT(Explained("minibatch_size"), HasSubstr("which \"minibatch_size\": "));
  EXPECT_THAT(Explained("total_env_steps"), HasSubstr("\n  range     [1, 1e+15] environment steps\n"));
  EXPECT_THAT(Explained("evaluation.baselines"), HasSubstr("\n  default   all the environment has\n"));
}

TEST(ExplainTest, ChoicesAreToldWithTheirMeaning) {
  EXPECT_THAT(
      Explained("collection.mode"),
      AllOf(HasSubstr("range     SYNCHRONOUS | PIPELINED | ASYNCHRONOUS\n"),
            HasSubstr("\n  SYNCHRONOUS\n    A batch is collected by the current weights only. Deterministic.\n")));
}

TEST(ExplainTest, APartListsItsSettings) {
  EXPECT_THAT(Explained("collection"), AllOf(StartsWith("collection\n"), HasSubstr("\n  copies_per_shard"),
                                             HasSubstr("Environment copies stepped together in one shard.")));
  EXPECT_THAT(Explained("curriculum.stages.2"), HasSubstr("\n  promote"));
  EXPECT_THAT(ListSettings(), AllOf(HasSubstr("\n  ppo "), HasSubstr("\n  total_env_steps"), HasSubstr("\n  seed")));
}

TEST(ExplainTest, EverySettingIsExplainedInLinesThatFit) {
  for (const auto& [path, field] : AllSettings()) {
    const std::string text = Explained(path);
    EXPECT_THAT(text, HasSubstr("\n  default   ")) << path;
    for (size_t begin = 0, end; begin < text.size(); begin = end + 1) {
      end = std::min(text.find('\n', begin), text.size());
      EXPECT_LE(end - begin, 120) << path;
    }
  }
}

}  // namespace
}  // namespace troupe
