// Hand-written players win, kill, lose and last as in jaxmarl's SMAX, against its heuristic. What they did there, in
// 1000 episodes each, lies in tests/golden/smax/win_rates.txt (win_rates.py beside it).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "actor_worker/evaluation/episode_runner.h"

namespace troupe {

EnvironmentEntry SmaxEntry();

namespace {

constexpr double kTheirEpisodes = 1000;
// TROUPE_SMAX_EPISODES sets another number, for a comparison as close as theirs.
constexpr int kOurEpisodes = 300;
// How many standard errors of the difference are chance: 1.96 is 95 % of a figure alone, this 99.95 %, for several are
// compared. The seeds are fixed, so a pass stays one.
constexpr double kMostErrors = 3.5;

struct Figure {
  std::string name;
  double mean = 0, deviation = 0;
};

struct Row {
  std::string map, player;
  std::vector<Figure> figures;
};

std::vector<Row> CommittedRows() {
  std::ifstream file(TROUPE_SOURCE_DIR "/tests/golden/smax/win_rates.txt");
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Row row{.figures = {{"won"}, {"enemies_killed"}, {"allies_killed"}, {"decisions"}, {"return"}}};
    words >> row.map >> row.player;
    for (Figure& figure : row.figures) words >> figure.mean;
    for (Figure& figure : row.figures) words >> figure.deviation;
    EXPECT_FALSE(words.fail()) << line;
    rows.push_back(row);
  }
  return rows;
}

// The same five of each of our episodes.
std::vector<std::vector<double>> Play(const Row& row, int episodes) {
  static const EnvironmentEntry entry = SmaxEntry();
  EpisodePlan plan;
  plan.environment = &entry;
  plan.settings = {{"map", row.map}};
  plan.first_seed = 500;
  plan.episodes = episodes;
  std::vector<std::vector<double>> played(row.figures.size());
  for (const Player& player : BaselinePlayers(entry, plan.settings)) {
    if (player.name != row.player) continue;
    const auto results = RunEpisodes(plan, player);
    EXPECT_TRUE(results.ok()) << results.status();
    for (const EpisodeResult& result : *results) {
      const std::vector<double>& statistics = result.statistics;  // won, lost, enemies_killed, allies_killed, decisions
      const double figures[] = {statistics[0], statistics[2], statistics[3], statistics[4], result.group_returns[0]};
      for (size_t f = 0; f < played.size(); ++f) played[f].push_back(figures[f]);
    }
  }
  return played;
}

TEST(SmaxWinRatesTest, PlayersDoAsWellAsInJaxmarl) {
  const char* const asked = std::getenv("TROUPE_SMAX_EPISODES");
  const int episodes = asked != nullptr ? std::atoi(asked) : kOurEpisodes;
  const std::vector<Row> rows = CommittedRows();
  ASSERT_FALSE(rows.empty());
  int compared = 0, beyond_95_percent = 0;
  for (const Row& row : rows) {
    const std::vector<std::vector<double>> played = Play(row, episodes);
    for (size_t f = 0; f < row.figures.size(); ++f) {
      const Figure& theirs = row.figures[f];
      ASSERT_EQ(played[f].size(), episodes) << row.player;
      double mean = 0, squares = 0;
      for (const double value : played[f]) mean += value / episodes;
      for (const double value : played[f]) squares += (value - mean) * (value - mean) / (episodes - 1);
      // An event that never happened in n episodes may have a chance of 1/n.
      const double error =
          1 / kTheirEpisodes + std::sqrt(theirs.deviation * theirs.deviation / kTheirEpisodes + squares / episodes);
      EXPECT_NEAR(mean, theirs.mean, kMostErrors * error) << row.map << " " << row.player << " " << theirs.name;
      beyond_95_percent += std::abs(mean - theirs.mean) > 1.96 * error;
      ++compared;
      if (asked != nullptr) {
        std::cout << row.map << " " << row.player << " " << theirs.name << ": " << mean << ", jaxmarl " << theirs.mean
                  << ", " << (mean - theirs.mean) / error << " standard errors\n";
      }
    }
  }
  // The five figures of a row hang together, so more than 5 % may be beyond; 15 % may not.
  EXPECT_LE(beyond_95_percent, std::max(1.0, 0.15 * compared)) << "of " << compared;
}

}  // namespace
}  // namespace troupe
