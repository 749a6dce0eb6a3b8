#include "actor_worker/environments/traffic/lane_geometry.h"

#include "actor_worker/environments/traffic/road_network.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

void ExpectPoint(ScenePoint point, double x, double y) {
  EXPECT_NEAR(point.x, x, 1e-9);
  EXPECT_NEAR(point.y, y, 1e-9);
}

TEST(LaneGeometryTest, RightIsRightOfTheDirectionOfTravel) {
  const auto east = Beside({{0, 0}, {10, 0}}, 2);
  ExpectPoint(east[0], 0, -2);
  ExpectPoint(east[1], 10, -2);
  const auto north = Beside({{0, 0}, {0, 10}}, 2);
  ExpectPoint(north[1], 2, 10);
  EXPECT_THAT(Beside({{0, 0}}, 2), IsEmpty());
}

TEST(LaneGeometryTest, PartsAreMeasuredFromTheStopLine) {
  const std::vector<ScenePoint> bend = {{0, 0}, {10, 0}, {10, 5}};
  EXPECT_DOUBLE_EQ(LengthOf(bend), 15);
  const auto across = BeforeEnd(bend, 8, 2);
  ASSERT_THAT(across, SizeIs(3));
  ExpectPoint(across[0], 7, 0);
  ExpectPoint(across[1], 10, 0);
  ExpectPoint(across[2], 10, 3);
  const auto last = BeforeEnd(bend, 4, 0);
  ASSERT_THAT(last, SizeIs(2));
  ExpectPoint(last[0], 10, 1);
  ExpectPoint(last[1], 10, 5);
}

TEST(LaneGeometryTest, WhatIsLongerThanTheLineEndsAtItsBeginning) {
  const std::vector<ScenePoint> line = {{0, 0}, {10, 0}};
  ExpectPoint(BeforeEnd(line, 100, 4)[0], 0, 0);
  const auto nothing = BeforeEnd(line, 100, 60);
  ASSERT_THAT(nothing, SizeIs(2));
  ExpectPoint(nothing[0], 0, 0);
  ExpectPoint(nothing[1], 0, 0);
  const auto none = BeforeEnd(line, 3, 3);
  ExpectPoint(none[0], 7, 0);
  ExpectPoint(none[1], 7, 0);
}

TEST(LaneGeometryTest, BuiltInNetworksSayWhereTheirLanesLie) {
  const auto network = LoadRoadNetwork("nine_junctions");
  ASSERT_TRUE(network.ok()) << network.status();
  // From J0 at (0, 0) east to J11 at (400, 0): 13.6 m of box at both ends, three lanes, number 2 the leftmost.
  int found = 0;
  for (const TrafficLane& lane : network->traffic.lanes) {
    if (lane.edge != "J0_J11") continue;
    ++found;
    EXPECT_NEAR(lane.way.front().x, 13.6, 1e-9);
    EXPECT_NEAR(lane.way.back().x, 400 - 13.6, 1e-9);
    EXPECT_EQ(lane.place, lane.name == "J0_J11_2" ? 0 : lane.name == "J0_J11_1" ? 1 : 2);
  }
  EXPECT_EQ(found, 3);
  EXPECT_THAT(network->traffic.other_ways, SizeIs(12 * 3));
}

}  // namespace
}  // namespace troupe
