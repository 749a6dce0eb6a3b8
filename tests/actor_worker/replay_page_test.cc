#include "actor_worker/replay_page/replay_page.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "actor_worker/replay_page/recording_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kHostile[] = "</script><!--\xff & \"quotes\"";

Recording MadeUp() {
  Recording recording;
  recording.player = kHostile;
  recording.spec.name = "made_up";
  recording.spec.groups = {{.name = "walkers",
                            .agents = {"a"},
                            .observation_size = 2,
                            .action_kind = ActionKind::kContinuous,
                            .action_size = 1,
                            .observed = {{"place", "m", 2, "from the left"}, {"speed", "", 1, ""}},
                            .actions = {{"push", ""}}}};
  recording.spec.statistics = {"distance"};
  recording.texts = {kHostile};
  recording.shapes = {{{0, 1, 100, 0, 5, 0, 0, 0, 10, 20}}};
  recording.map = {0, 0, 4000, 1000};
  recording.figures = {{"way", "walked"}};
  recording.frames = {{.num_shapes = 1,
                       .changes = {0, 0},
                       .figures = {std::numeric_limits<float>::quiet_NaN()},
                       .rewards = {0},
                       .alive = {1},
                       .observations = {0.123456f, -2},
                       .group_returns = {1234.5678}}};
  recording.result = {.seed = 18446744073709551615u, .length = 7, .group_returns = {3.25}, .statistics = {0.1}};
  recording.ending = "terminated";
  return recording;
}

TEST(ReplayPageTest, RecordingsAreJsonThatNoTextCanEnd) {
  const std::string text = RecordingsJson({MadeUp()});
  for (const char letter : {'<', '>', '&'}) EXPECT_EQ(text.find(letter), std::string::npos) << letter;
  for (const unsigned char letter : text) EXPECT_LT(letter, 128);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["seed"], "18446744073709551615");
  const auto& player = json["players"][0];
  EXPECT_EQ(player["player"], "</script><!--\xEF\xBF\xBD & \"quotes\"");
  EXPECT_EQ(player["texts"][0], player["player"]);
  EXPECT_EQ(player["map"], nlohmann::json({0, 0, 4000, 1000}));
  EXPECT_EQ(player["shapes"][0].size(), 10);
  EXPECT_EQ(player["groups"][0]["observed"][0], nlohmann::json({"place", "m", 2, "from the left"}));
  EXPECT_EQ(player["groups"][0]["controls"], nlohmann::json({"push"}));
  EXPECT_EQ(player["outcome"], nlohmann::json::parse(R"([["return of walkers", 3.25], ["distance", 0.1]])"));
}

TEST(ReplayPageTest, NumbersHaveTheDigitsThatMatterAndWhatIsNotFiniteIsNull) {
  const auto frame = nlohmann::json::parse(RecordingsJson({MadeUp()}))["players"][0]["frames"][0];
  EXPECT_EQ(frame["observations"].dump(), "[0.123,-2]");
  EXPECT_EQ(frame["returns"].dump(), "[1235.0]");
  EXPECT_TRUE(frame["figures"][0].is_null());
}

TEST(ReplayPageTest, APageIsWholeAndNamesNoOtherPlace) {
  const std::string page = ReplayPage({MadeUp(), MadeUp()});
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  EXPECT_THAT(page, testing::EndsWith("</html>\n"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, HasSubstr("class Transport"));
  for (const char* left : {"/*RECORDINGS*/", "/*STYLE*/", "/*SCRIPTS*/", "https:", "@import", "url(", kHostile}) {
    EXPECT_THAT(page, Not(HasSubstr(left)));
  }
}

}  // namespace
}  // namespace troupe
