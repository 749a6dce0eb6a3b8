#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "actor_worker/evaluation/evaluation_report.h"
#include "actor_worker/evaluation/evaluation_table.h"
#include "common/statistics/estimate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(EstimateTest, StudentQuantilesAreWithinThreeThousandths) {
  const std::vector<std::pair<int, double>> known = {{1, 12.706}, {2, 4.303}, {3, 3.182},  {4, 2.776},  {5, 2.571},
                                                     {7, 2.365},  {9, 2.262}, {19, 2.093}, {30, 2.042}, {120, 1.980}};
  for (const auto& [degrees, quantile] : known) EXPECT_NEAR(StudentQuantile975(degrees) / quantile, 1, 3e-3) << degrees;
}

TEST(EstimateTest, MeanAndHalfWidthOfFiniteSamples) {
  const Estimate estimate = EstimateMean({1.0, 2.0, kNone, 3.0, 4.0, 5.0});
  EXPECT_DOUBLE_EQ(estimate.mean, 3.0);
  EXPECT_NEAR(estimate.half_width, 2.776 * std::sqrt(2.5 / 5), 0.01);
  EXPECT_EQ(EstimateMean({7.0}).mean, 7.0);
  EXPECT_TRUE(std::isnan(EstimateMean({7.0}).half_width));
  EXPECT_TRUE(std::isnan(EstimateMean({}).mean));
}

TEST(FormatTableTest, Golden) {
  const std::vector<TableColumn> columns = {{"episode_return", Better::kLarger},
                                            {"mean_waiting_seconds", Better::kSmaller},
                                            {"phase_changes", Better::kUnknown},
                                            {"wins", Better::kLarger}};
  const std::vector<TableRow> rows = {
      {"seed_1", {{-640.61, 24.8}, {12.204, 0.38}, {3549, 20}, {2, kNone}}},
      {"seed_2", {{-1222.2, 141.5}, {25.02, 10.68}, {2282, 16.8}, {1, kNone}}},
      {"mean of the 2", {{-600, 3}, {1, 0.1}, {2900, 12}, {1, 0}}, true},
      {"random", {{-1500, kNone}, {kNone, kNone}, {0, 0}, {2, kNone}}},
  };
  EXPECT_EQ(FormatTable(columns, rows, 72),
            "                                        mean\n"
            "                      episode        waiting          phase\n"
            "player                 return        seconds        changes\n"
            "------------------------------------------------------------\n"
            "seed_1          -640.6 ±24.8*   12.20 ±0.38*   3549.0 ±20.0\n"
            "seed_2         -1222.2 ±141.5   25.02 ±10.68   2282.0 ±16.8\n"
            "mean of the 2   -600.0 ±3.0      1.00 ±0.10    2900.0 ±12.0\n"
            "random         -1500.0              –             0.0 ±0.0\n"
            "\n"
            "player               wins\n"
            "--------------------------\n"
            "seed_1         2.00*\n"
            "seed_2         1.00\n"
            "mean of the 2  1.00 ±0.00\n"
            "random         2.00*\n");
}

TEST(FormatTableTest, ColumnsThatDoNotFitGoBelow) {
  const std::vector<TableRow> rows = {{"a", {{1, kNone}, {2, kNone}, {3, kNone}}}};
  EXPECT_EQ(FormatTable({{"x"}, {"y"}, {"z"}}, rows, 20),
            "player     x      y\n"
            "--------------------\n"
            "a       1.00   2.00\n"
            "\n"
            "player     z\n"
            "-------------\n"
            "a       3.00\n");
}

TEST(BetterByNameTest, GoesByTheWordsOfTheName) {
  EXPECT_EQ(BetterByName("mean_waiting_seconds"), Better::kSmaller);
  EXPECT_EQ(BetterByName("throughput_vehicles"), Better::kLarger);
  EXPECT_EQ(BetterByName("phase_changes"), Better::kUnknown);
}

EvaluationReport SmallReport() {
  EvaluationReport report;
  report.environment.name = "tiny";
  report.environment.groups = {{"team", {"a", "b"}, 3, ActionKind::kDiscrete, 2}};
  report.environment.statistics = {"score"};
  report.settings = {{"length", "4"}};
  report.first_seed = 100;
  report.episodes = 2;
  report.best_by = "score";
  report.smaller_is_better = true;
  report.players = {{.name = "s1",
                     .trained = true,
                     .path = "x/s1.safetensors",
                     .policy_version = 9,
                     .env_steps = 512,
                     .episodes = {{100, 4, {1.0}, {10.0}}, {101, 5, {3.0}, {20.0}}}},
                    {.name = "s2",
                     .trained = true,
                     .path = "x/s2.safetensors",
                     .episodes = {{100, 4, {5.0}, {12.0}}, {101, 5, {5.0}, {14.0}}}},
                    {.name = "random", .episodes = {{100, 4, {0.0}, {kNone}}, {101, 5, {1.0}, {50.0}}}}};
  return report;
}

TEST(FormatReportTest, SeveralActorFilesGetARowForTheirMean) {
  const std::string text = FormatReport(SmallReport());
  EXPECT_THAT(text, testing::StartsWith(
                        "tiny, 2 agents: 2 episodes each, seeds 100 to 101; actors greedy\nsettings: length=4\n"));
  EXPECT_THAT(text, testing::ContainsRegex("mean of the 2 +3.50 ±19.06 +14.00 ±12.71"));
  EXPECT_THAT(text, testing::ContainsRegex("s2 +5.00 ±0.00\\* +13.00 ±12.71\\*"));
}

TEST(ReportJsonTest, HoldsEveryEpisode) {
  const auto json = nlohmann::json::parse(ReportJson(SmallReport()));
  EXPECT_EQ(json["figures"], nlohmann::json({"episode_return", "score"}));
  ASSERT_EQ(json["players"].size(), 3);
  EXPECT_EQ(json["players"][0]["policy_version"], 9);
  EXPECT_EQ(json["players"][0]["summary"]["score"]["mean"], 15.0);
  EXPECT_EQ(json["players"][1]["episodes"][1]["seed"], 101);
  EXPECT_EQ(json["players"][1]["episodes"][1]["figures"]["score"], 14.0);
  EXPECT_TRUE(json["players"][2]["episodes"][0]["figures"]["score"].is_null());
}

}  // namespace
}  // namespace troupe
