// Mean episode returns against those of PyPI's mpe2 1.1.1 and of the code that MAPPO's authors publish with, under the
// same rules of play. What the codes give: tests/golden/mpe/record.py returns 600 (2026-11-30; mean over 600 episodes ±
// its standard error, of each role's mean over its agents).
#include "tests/environments/mpe_test_support.h"

namespace troupe {
namespace {

struct Measured {
  const char* scenario;
  bool original;
  const char* player;
  std::vector<MeanAndError> roles;
};

const std::vector<Measured>& AllMeasured() {
  static const auto* const rows = new std::vector<Measured>{
      {"simple_spread", false, "random", {{-26.843, 0.348}}},
      {"simple_spread", false, "greedy", {{-17.932, 0.347}}},
      {"simple_spread", true, "random", {{-217.225, 1.768}}},
      {"simple_spread", true, "greedy", {{-172.521, 2.034}}},
      {"simple_tag", false, "random", {{4.850, 0.463}, {-16.546, 0.825}}},
      {"simple_tag", true, "random", {{5.083, 0.452}, {-26.896, 1.244}}},
      {"simple_adversary", false, "random", {{-28.507, 0.537}, {7.844, 0.652}}},
      {"simple_adversary", true, "random", {{-41.915, 1.469}, {7.546, 0.623}}},
      {"simple_speaker_listener", false, "random", {{-39.672, 1.398}, {-39.672, 1.398}}},
      {"simple_speaker_listener", false, "say_and_go", {{-7.741, 0.346}, {-7.741, 0.346}}},
      {"simple_speaker_listener", true, "random", {{-80.073, 2.763}, {-80.073, 2.763}}},
      {"simple_speaker_listener", true, "say_and_go", {{-12.251, 0.566}, {-12.251, 0.566}}},
      {"simple_reference", false, "random", {{-28.407, 0.390}}},
      {"simple_reference", false, "say_and_go", {{-8.583, 0.152}}},
      {"simple_reference", true, "random", {{-66.148, 1.603}}},
      {"simple_reference", true, "say_and_go", {{-9.307, 0.283}}},
  };
  return *rows;
}

TEST(MpeReturnsTest, AgreeWithBothPublishedCodes) {
  for (const Measured& measured : AllMeasured()) {
    SCOPED_TRACE(testing::Message() << measured.scenario << (measured.original ? " original " : " mpe2 ")
                                    << measured.player);
    const auto environment = MakeMpe(measured.scenario, {{"rewards", measured.original ? "ORIGINAL" : "PETTINGZOO"},
                                                         {"dynamics", measured.original ? "ORIGINAL" : "MPE2"}});
    const auto player = MakeMpePlayer(measured.scenario, measured.player);
    const std::vector<MeanAndError> ours = PlayMpe(*environment, player.get(), 6000);
    ASSERT_EQ(ours.size(), measured.roles.size());
    for (size_t role = 0; role < ours.size(); ++role) {
      const auto& [mean, error] = measured.roles[role];
      EXPECT_NEAR(ours[role].mean, mean, 4 * std::hypot(error, ours[role].error)) << "role " << role;
      EXPECT_LT(ours[role].error, error) << "role " << role;
    }
  }
}

// By 400 episodes, of each role.
std::vector<MeanAndError> Returns(const std::string& scenario, const std::string& player,
                                  const SettingsMap& settings = {}) {
  const auto environment = MakeMpe(scenario, settings);
  return PlayMpe(*environment, MakeMpePlayer(scenario, player).get(), 400);
}

TEST(MpeReturnsTest, BetterRulesAreBetter) {
  const SettingsMap original = {{"rewards", "ORIGINAL"}, {"dynamics", "ORIGINAL"}};
  const double random = Returns("simple_spread", "random", original)[0].mean;
  const double greedy = Returns("simple_spread", "greedy", original)[0].mean;
  const double assignment = Returns("simple_spread", "assignment", original)[0].mean;
  RecordProperty("assignment", std::to_string(assignment));
  EXPECT_GT(greedy, random + 25);
  EXPECT_GT(assignment, greedy + 25);
}

// Scripted sides are worth training against: each does better than random moves against the same opponent.
TEST(MpeReturnsTest, ScriptedSidesBeatRandomOnes) {
  const auto tag = Returns("simple_tag", "random");
  EXPECT_GT(Returns("simple_tag", "random", {{"predators", "SCRIPTED"}})[0].mean, tag[0].mean + 10);
  EXPECT_GT(Returns("simple_tag", "chase_and_evade", {{"predators", "SCRIPTED"}})[1].mean,
            Returns("simple_tag", "random", {{"predators", "SCRIPTED"}})[1].mean + 10);
  const auto adversary = Returns("simple_adversary", "random");
  EXPECT_GT(Returns("simple_adversary", "random", {{"adversaries", "SCRIPTED"}})[0].mean, adversary[0].mean + 3);
  EXPECT_GT(Returns("simple_adversary", "random", {{"good_agents", "SCRIPTED"}})[1].mean, adversary[1].mean + 3);
}

}  // namespace
}  // namespace troupe
