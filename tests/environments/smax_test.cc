// The rules of smax one by one, with numbers worked out by hand from the types' table and SMAX's published rules.
#include <cmath>
#include <set>

#include "tests/environments/smax_test_support.h"

namespace troupe::smax {
namespace {

constexpr float kNear = 1e-5f;

// Three marines a side, both sides agents: nothing happens that is not ordered.
SettingsMap BothSides(SettingsMap more = {}) {
  more["opponent"] = "self";
  return more;
}

TEST(SmaxBattleTest, MovesByTheSpeedOfTheKindInHalfASecond) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({5, 10, 15, 20, 25, 30}, {10, 10, 10, 10, 10, 10}, draws);
  field.Step({kUp, kRight, kDown, kLeft, kStop, kStop});
  EXPECT_NEAR(field.units().y[0], 10 + 3.15 / 2, kNear);
  EXPECT_NEAR(field.units().x[1], 10 + 3.15 / 2, kNear);
  EXPECT_NEAR(field.units().y[2], 10 - 3.15 / 2, kNear);
  EXPECT_NEAR(field.units().x[3], 20 - 3.15 / 2, kNear);
  EXPECT_NEAR(field.units().x[4], 25, kNear);
}

TEST(SmaxBattleTest, ShootsOnceInHalfASecondAndWaitsTheDrawnCooldown) {
  for (const float uniform : {0.0f, 0.5f}) {
    SameDraws draws(uniform);
    Field field(BothSides());
    field.Begin({10, 1, 1, 14, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
    const float reward = field.Step({kFirstAttack, kStop, kStop, kStop, kStop, kStop});
    EXPECT_EQ(field.units().health[3], 45 - 9);
    EXPECT_NEAR(reward, 9.0 / 45 / 3, kNear);
    // Shot in the first of eight ticks, seven have passed since.
    EXPECT_NEAR(field.units().cooldown[0], 0.61 + (3 * uniform - 1) / 16 - 7.0 / 16, kNear);
    EXPECT_NEAR(field.units().cooldown[1], -8.0 / 16, kNear);
  }
}

TEST(SmaxBattleTest, NeedsALivingTargetNearerThanTheRange) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 1, 1, 15, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
  field.Observe();
  EXPECT_EQ(field.Mask(0), "11111000") << "exactly the range away";
  field.Step({kFirstAttack, kStop, kStop, kStop, kStop, kStop});
  EXPECT_EQ(field.units().health[3], 45);
  field.units().x[3] = 14.99f;
  field.Observe();
  EXPECT_EQ(field.Mask(0), "11111100");
  field.units().health[3] = 0;
  field.units().alive[3] = 0;
  field.Observe();
  EXPECT_EQ(field.Mask(0), "11111000") << "a dead foe";
}

TEST(SmaxBattleTest, AnEnemyCountsItsFoesFromTheLastAllyDown) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 10, 10, 13, 30, 30}, {10, 11, 12, 11, 20, 25}, draws);
  field.Step({kStop, kStop, kStop, kFirstAttack, kStop, kStop});
  EXPECT_EQ(field.units().health[2], 45 - 9);
  EXPECT_EQ(field.units().health[0], 45);
}

TEST(SmaxBattleTest, PushesOverlappingUnitsApartToTheSumOfTheirRadii) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 10.3f, 1, 20, 20, 30}, {10, 10.4f, 20, 10, 11, 25}, draws);
  const Units& units = field.units();
  EXPECT_NEAR(std::hypot(units.x[0] - units.x[1], units.y[0] - units.y[1]), 2 * 0.375, 1e-4);
  EXPECT_NEAR((units.x[0] + units.x[1]) / 2, 10.15, kNear) << "each by half";
  EXPECT_EQ(units.y[3], 10) << "a cell apart: nobody is pushed";
}

TEST(SmaxBattleTest, WallsKillUnlessTheyMayNot) {
  for (const char* deadly : {"true", "false"}) {
    SameDraws draws(0);
    Field field(BothSides({{"walls_cause_death", deadly}}));
    field.Begin({1, 10, 15, 20, 25, 31}, {10, 10, 10, 10, 10, 10}, draws);
    const float reward = field.Step({kLeft, kStop, kStop, kStop, kStop, kRight});
    const bool dead = std::string(deadly) == "true";
    EXPECT_EQ(field.units().alive[0], dead ? 0 : 1);
    EXPECT_NEAR(reward, dead ? 1.0 / 3 : 0, kNear) << "an enemy lost to the wall counts as one shot";
    if (!dead) {
      EXPECT_EQ(field.units().x[0], 0);
      EXPECT_EQ(field.units().x[5], 32);
    }
  }
}

// Both last units shoot each other dead in the same tick.
TEST(SmaxEpisodeTest, TwoDeadTeamsAreADraw) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 1, 1, 14, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
  Units& units = field.units();
  units.health = {9, 0, 0, 9, 0, 0};
  units.alive = {1, 0, 0, 1, 0, 0};
  EXPECT_NEAR(field.Step({kFirstAttack, kStop, kStop, kFirstAttack + 2, kStop, kStop}), 9.0 / 45 / 3, kNear);
  EXPECT_TRUE(field.outcome().terminated);
  EXPECT_FALSE(field.outcome().truncated);
  EXPECT_EQ(field.Statistic("won"), 0);
  EXPECT_EQ(field.Statistic("lost"), 0);
  EXPECT_EQ(field.Statistic("enemies_killed"), 3);
}

TEST(SmaxEpisodeTest, PaysTheWinnersForHealthAndVictory) {
  SameDraws draws(0);
  Field field(BothSides({{"won_battle_bonus", "2.5"}}));
  field.Begin({10, 1, 1, 14, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
  field.units().health = {45, 45, 45, 9, 0, 0};
  field.units().alive = {1, 1, 1, 1, 0, 0};
  EXPECT_NEAR(field.Step({kFirstAttack, kStop, kStop, kStop, kStop, kStop}), 9.0 / 45 / 3 + 2.5, kNear);
  EXPECT_EQ(field.outcome().rewards[1][0], 0);
  EXPECT_TRUE(field.outcome().terminated);
  EXPECT_EQ(field.Statistic("won"), 1);
}

TEST(SmaxEpisodeTest, SelfPlayRewardIsZeroSum) {
  SameDraws draws(0);
  Field field(BothSides({{"self_play_reward", "true"}}));
  field.Begin({10, 1, 1, 14, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
  EXPECT_EQ(field.Step({kFirstAttack, kStop, kStop, kStop, kStop, kStop}), 0) << "health alone is worth nothing";
  field.units().health = {9, 0, 0, 45, 45, 45};
  field.units().alive = {1, 0, 0, 1, 1, 1};
  EXPECT_EQ(field.Step({kStop, kStop, kStop, kFirstAttack + 2, kStop, kStop}), -1);
  EXPECT_EQ(field.outcome().rewards[1][2], 1);
  EXPECT_EQ(field.Statistic("lost"), 1);
}

// jaxmarl compares its clock with the limit before it counts the decision.
TEST(SmaxEpisodeTest, TheClockCutsAfterOneDecisionMoreThanItsLimit) {
  Field field(SettingsMap{{"enemy_shoots", "false"}, {"walls_cause_death", "false"}});
  ASSERT_TRUE(field.smax.Reset(3).ok());
  for (int decision = 1; decision <= 101; ++decision) {
    field.Step(kStop);
    ASSERT_EQ(field.outcome().truncated, decision == 101) << decision;
    ASSERT_FALSE(field.outcome().terminated);
  }
  EXPECT_EQ(field.Statistic("decisions"), 101);
}

TEST(SmaxEpisodeTest, TheDeadSeeNothingMayOnlyStopAndAreStillPaid) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 1, 1, 14, 30, 30}, {10, 20, 25, 10, 20, 25}, draws);
  field.units().health[1] = 0;
  field.units().alive[1] = 0;
  field.Observe();
  EXPECT_EQ(field.copy().observation.groups[0].alive[1], 0);
  EXPECT_EQ(field.Mask(1), "00001000");
  for (const float number : field.Observation(1)) EXPECT_EQ(number, 0);
  EXPECT_GT(field.Step({kFirstAttack, kStop, kStop, kStop, kStop, kStop}), 0);  // the same for all: Field::Step
}

TEST(SmaxObservationTest, ListsFriendsThenFoesAndLeavesOutWhoIsTooFar) {
  SameDraws draws(0);
  Field field(BothSides());
  field.Begin({10, 12, 10, 14, 25, 30}, {10, 10, 20, 10, 10, 10}, draws);
  field.Step({kStop, kUp, kStop, kFirstAttack + 2, kStop, kStop});
  field.Observe();
  const absl::Span<const float> seen = field.Observation(0);
  EXPECT_NEAR(seen[1], 2.0 / 9, kNear) << "ally 1 is 2 cells to the right, in sight ranges";
  EXPECT_NEAR(seen[2], 3.15 / 2 / 9, kNear);
  EXPECT_EQ(seen[4], 1) << "it moved up";
  EXPECT_EQ(seen[kSeenSize], 0) << "ally 2 is 10 cells away";
  const absl::Span<const float> foe = seen.subspan(2 * kSeenSize);
  EXPECT_NEAR(foe[1], 4.0 / 9, kNear);
  EXPECT_EQ(foe[5], 1) << "it shot at ally 0, its last action";
  EXPECT_NEAR(foe[6], (0.61 - 1.0 / 16 - 7.0 / 16) / 0.61, kNear);
  EXPECT_EQ(foe[7 + kMarine], 1);
  const absl::Span<const float> own = seen.subspan(seen.size() - kOwnSize);
  EXPECT_NEAR(own[0], 36.0 / 45, kNear);
  EXPECT_NEAR(own[1], 10.0 / 32, kNear);
}

// Sector 16 begins at the right, 24 above. Of jaxmarl's quirks: ally 0 is seen by nobody.
TEST(SmaxObservationTest, ConicViewSortsIntoSectors) {
  SameDraws draws(0);
  Field field(BothSides({{"observations", "conic"}}));
  field.Begin({10, 10, 12, 14, 10.1f, 30}, {10.5f, 10, 10.1f, 10.1f, 15, 10}, draws);
  field.Observe();
  const absl::Span<const float> seen = field.Observation(1);
  std::set<int> filled;
  for (int slot = 0; slot < kSectors * kSeenPerSector; ++slot) {
    if (seen[slot * kSeenSize] > 0) filled.insert(slot);
  }
  EXPECT_EQ(filled, (std::set<int>{2 * 16, 2 * 16 + 1, 2 * 23})) << "ally 2 and enemy 0 to the right, enemy 1 above";
}

TEST(SmaxObservationTest, StateIsRawOrScaled) {
  for (const bool raw : {true, false}) {
    SameDraws draws(0);
    Field field(BothSides({{"state", raw ? "raw" : "scaled"}}));
    field.Begin({8, 10, 15, 20, 25, 30}, {16, 10, 10, 10, 10, 10}, draws);
    field.Step(kStop);
    field.Observe();
    const absl::Span<const float> state = field.copy().observation.state_extras;
    ASSERT_EQ(state.size(), 6 * 12);
    EXPECT_NEAR(state[1], raw ? 8 : 0.25, kNear);
    EXPECT_NEAR(state[2], raw ? 16 : 0.5, kNear);
    EXPECT_NEAR(state[3], raw ? -0.5 : 0, kNear);
    EXPECT_EQ(state[4 + kMarine], 1);
    EXPECT_EQ(state[60], 0);
    EXPECT_EQ(state[65], 1) << "the team of the last enemy";
  }
}

TEST(SmaxDeploymentTest, TeamsStartWithinTwoCellsOfTheirPoints) {
  Field field(SettingsMap{{"map", "3s5z_vs_3s6z"}});
  ASSERT_TRUE(field.smax.Reset(5).ok());
  const Battle& battle = field.smax.battle();
  ASSERT_EQ(battle.num_units(), 17);
  // Pushing apart may lead a little beyond.
  for (int unit = 0; unit < battle.num_units(); ++unit) {
    EXPECT_NEAR(battle.units().x[unit], battle.is_ally(unit) ? 8 : 24, 3);
    EXPECT_NEAR(battle.units().y[unit], 16, 3);
  }
  EXPECT_EQ(std::string(battle.type(2).name), "stalker");
  EXPECT_EQ(std::string(battle.type(3).name), "zealot");
}

TEST(SmaxDeploymentTest, Smacv2DrawsTheSameKindsForBothTeams) {
  Field field(SettingsMap{{"map", "smacv2_10_units"}});
  std::set<int> kinds;
  int enemies_right = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    ASSERT_TRUE(field.smax.Reset(seed).ok());
    const Units& units = field.units();
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(units.kind[i], units.kind[10 + i]);
      kinds.insert(units.kind[i]);
    }
    enemies_right += std::all_of(units.x.begin() + 10, units.x.end(), [](float x) { return x > 15; });
  }
  EXPECT_EQ(kinds.size(), kNumUnitKinds);
  // Half of the episodes are reflected; a team that surrounds hardly ever stands on one side.
  EXPECT_GT(enemies_right, 8);
  EXPECT_LT(enemies_right, 32);
}

TEST(SmaxHeuristicTest, ShootsOnAtItsTargetAndElseAtTheNearest) {
  SameDraws draws(0);
  Field field(SettingsMap{{"map", "3m"}});
  field.Begin({16, 16, 16, 19, 30, 30}, {16, 18, 21, 16, 2, 30}, draws);
  Heuristic heuristic(6, {});
  EXPECT_EQ(heuristic.Act(field.smax.battle(), 3, draws), kFirstAttack + 2) << "ally 0 is nearest";
  field.units().x[1] = 18;
  EXPECT_EQ(heuristic.Act(field.smax.battle(), 3, draws), kFirstAttack + 2) << "ally 1 came nearer";
  field.units().alive[0] = 0;
  EXPECT_EQ(heuristic.Act(field.smax.battle(), 3, draws), kFirstAttack + 1);
}

TEST(SmaxHeuristicTest, WalksToAFoeInSightAndElseOppositeItsStart) {
  SameDraws draws(0);
  Field field(SettingsMap{{"map", "3m"}});
  field.Begin({16, 1, 1, 23, 24, 30}, {16, 2, 30, 17, 30, 10}, draws);
  Heuristic heuristic(6, {});
  EXPECT_EQ(heuristic.Act(field.smax.battle(), 3, draws), kLeft) << "7 cells left, in sight and out of range";
  EXPECT_EQ(heuristic.Act(field.smax.battle(), 4, draws), kDown) << "from (24, 30) to (8, 2)";
}

TEST(SmaxSettingsTest, AMapThatIsNotThereIsRefusedByName) {
  const auto refused = SmaxEntry().create({{"map", "4m"}});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(refused.status().message().find("environment.settings.map"), std::string::npos) << refused.status();
}

TEST(SmaxSettingsTest, BothSidesAreTeamsWhereBothAreAgents) {
  EXPECT_EQ(Field(BothSides()).smax.spec().teams(), (std::vector<std::string>{"allies", "enemies"}));
  EXPECT_EQ(Field(SettingsMap{}).smax.spec().teams(), std::vector<std::string>{""});
}

TEST(SmaxSettingsTest, EveryMapHasItsNumberOfAgentsAndActions) {
  // Allies and enemies by jaxmarl's table.
  const std::vector<std::tuple<std::string, int, int>> maps = {{"3m", 3, 3},
                                                               {"8m", 8, 8},
                                                               {"25m", 25, 25},
                                                               {"2s3z", 5, 5},
                                                               {"3s5z", 8, 8},
                                                               {"5m_vs_6m", 5, 6},
                                                               {"10m_vs_11m", 10, 11},
                                                               {"27m_vs_30m", 27, 30},
                                                               {"3s5z_vs_3s6z", 8, 9},
                                                               {"3s_vs_5z", 3, 5},
                                                               {"6h_vs_8z", 6, 8},
                                                               {"smacv2_5_units", 5, 5},
                                                               {"smacv2_10_units", 10, 10},
                                                               {"smacv2_20_units", 20, 20}};
  EXPECT_EQ(AllMaps().size(), maps.size());
  for (const auto& [map, allies, enemies] : maps) {
    Field field(SettingsMap{{"map", map}});
    const AgentGroupSpec& group = field.smax.spec().groups[0];
    EXPECT_EQ(group.num_agents(), allies) << map;
    EXPECT_EQ(group.action_size, 5 + enemies) << map;
    EXPECT_EQ(group.observation_size, 13 * (allies + enemies - 1) + 10) << map;
    EXPECT_EQ(field.smax.spec().state_size(), 12 * (allies + enemies)) << map;
  }
}

}  // namespace
}  // namespace troupe::smax
