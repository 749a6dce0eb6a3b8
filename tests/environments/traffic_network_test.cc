#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "actor_worker/environments/traffic/road_network.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kCross[] = R"(
network cross   # one junction, four boundaries
junction C 0 0
boundary n 0 300
boundary s 0 -300
boundary e 300 0
boundary w -300 0 in=3 out=0
road n C
road s C
road e C lanes=2
road w C
)";

TEST(RoadNetworkTest, NineJunctionsHaveTheirNamesAndFourPhasesEach) {
  const RoadNetwork network = *LoadRoadNetwork("nine_junctions");
  std::vector<std::string> names;
  for (const TrafficJunction& junction : network.traffic.junctions) {
    names.push_back(junction.name);
    EXPECT_THAT(junction.phases, ElementsAre("NS", "NS-left", "EW", "EW-left"));
    EXPECT_EQ(junction.num_lanes, 12);
    EXPECT_GE(junction.observed_neighbours[1], 0);
  }
  EXPECT_THAT(names, ElementsAre("J0", "J1", "J5", "J6", "J7", "J10", "J11", "J12", "J22"));
}

TEST(RoadNetworkTest, JunctionZeroFeedsJunctionElevenAndHasJustTwoNeighbours) {
  const RoadNetwork network = *LoadRoadNetwork("nine_junctions");
  EXPECT_GE(network.FindEdge("J0_J11"), 0);
  const TrafficJunction& zero = network.traffic.junctions[0];
  std::set<std::string> neighbours;
  for (const int k : zero.neighbours) neighbours.insert(network.traffic.junctions[k].name);
  EXPECT_EQ(neighbours, (std::set<std::string>{"J11", "J6"}));
}

TEST(RoadNetworkTest, ComparisonGridHasFortyEightEdgesAndItsProgram) {
  const RoadNetwork network = *LoadRoadNetwork("grid_3x3");
  EXPECT_EQ(network.edges.size(), 48u);
  EXPECT_EQ(network.traffic.lanes.size(), 9u * 12);
  EXPECT_THAT(network.traffic.junctions[4].program_green_seconds, ElementsAre(25, 8, 25, 8));
}

TEST(RoadNetworkTest, LanesSplitByTurnAndLeftTurnsYieldToOncomingThroughLanes) {
  const RoadNetwork network = *ParseRoadNetwork(kCross);
  const int from = network.FindEdge("n_C");
  const int first = network.edges[from].first_lane;
  const RoadConnection& through = network.connections[network.FindConnection(from, network.FindEdge("C_s"))];
  const RoadConnection& left = network.connections[network.FindConnection(from, network.FindEdge("C_e"))];
  const RoadConnection& right = network.connections[network.FindConnection(from, network.FindEdge("C_w"))];
  EXPECT_EQ(through.turn, Turn::kThrough);
  EXPECT_EQ(left.turn, Turn::kLeft);
  EXPECT_EQ(right.turn, Turn::kRight);
  EXPECT_EQ(through.first_lane, first);
  EXPECT_EQ(through.last_lane, first + 1);
  EXPECT_EQ(left.first_lane, first + 2);
  EXPECT_EQ(right.last_lane, first);
  EXPECT_EQ(left.protected_phases, 0b10u);
  EXPECT_EQ(left.yielding_phases, 0b01u);
  const int oncoming = network.edges[network.FindEdge("s_C")].first_lane;
  EXPECT_THAT(left.opposing_lanes, ElementsAre(oncoming, oncoming + 1));
}

TEST(RoadNetworkTest, TripSharesFollowTheWeightsOfTheirEnds) {
  const RoadNetwork network = *ParseRoadNetwork(kCross);
  double total = 0, from_west = 0;
  for (const Route& route : network.routes) {
    total += route.share;
    if (network.edges[network.steps[route.first].edge].name == "w_C") from_west += route.share;
    EXPECT_NE(network.edges[network.steps[route.last].edge].name, "C_w");
  }
  EXPECT_NEAR(total, 1, 1e-12);
  EXPECT_NEAR(from_west, 9.0 / 15, 1e-12);  // west 3 · 3 exits; north, south, east 1 · 2 exits each
}

TEST(RoadNetworkTest, EveryRouteIsConnectedAndLeavesTheNetwork) {
  for (const char* name : {"nine_junctions", "grid_3x3"}) {
    const RoadNetwork network = *LoadRoadNetwork(name);
    EXPECT_EQ(network.routes.size(), 12u * 11);
    for (const Route& route : network.routes) {
      for (int s = route.first; s < route.last; ++s) {
        const RoadConnection& connection = network.connections[network.steps[s].connection];
        EXPECT_EQ(connection.from_edge, network.steps[s].edge);
        EXPECT_EQ(connection.to_edge, network.steps[s + 1].edge);
      }
      EXPECT_EQ(network.steps[route.last].connection, -1);
      EXPECT_LT(network.nodes[network.edges[network.steps[route.last].edge].to].junction, 0);
    }
  }
}

TEST(RoadNetworkTest, WrittenPhasesReplaceTheAutomaticOnes) {
  const RoadNetwork network = *ParseRoadNetwork(std::string(kCross) +
                                                "phase C all-but-west G:n>s,s>n,n>w,s>e g:n>e,s>w\n"
                                                "phase C east-west G:e>w,w>e,e>n,w>s,e>s,w>n\n"
                                                "green C 20,15\n");
  EXPECT_THAT(network.traffic.junctions[0].phases, ElementsAre("all-but-west", "east-west"));
  EXPECT_THAT(network.traffic.junctions[0].program_green_seconds, ElementsAre(20, 15));
}

TEST(RoadNetworkTest, WebsterGivesTheBusierPhaseTheLongerGreen) {
  RoadNetwork network = *LoadRoadNetwork("nine_junctions");
  SetWebsterPrograms(network, 5400, 3);
  const std::vector<double>& green = network.traffic.junctions[1].program_green_seconds;  // J1, on the arterial
  ASSERT_EQ(green.size(), 4u);
  EXPECT_GT(green[2], green[0]);
  for (const double seconds : green) EXPECT_GE(seconds, 5);
}

struct BadNetwork {
  const char* text;
  const char* told;
};

class BadNetworkTest : public ::testing::TestWithParam<BadNetwork> {};

TEST_P(BadNetworkTest, IsRefusedByNameAndLine) {
  const auto network = ParseRoadNetwork(GetParam().text);
  ASSERT_FALSE(network.ok());
  EXPECT_EQ(network.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(network.status().message()), HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadNetworkTest,
    ::testing::Values(BadNetwork{"junction A 0 0\nrood A B\n", "line 2: unknown item \"rood\""},
                      BadNetwork{"junction A 0 0\nroad A B\n", "\"B\""},
                      BadNetwork{"junction A 0 zero\n", "\"zero\" is not a number"},
                      BadNetwork{"junction A 0 0\njunction A 1 1\n", "\"A\" is there twice"},
                      BadNetwork{"junction A 0 0\nboundary b 5 0\nroad A b\n", "at least 30 m"},
                      BadNetwork{"boundary b 5 0\n", "no junction"},
                      BadNetwork{"junction A 0 0\nboundary b 300 0 inn=2\n", "unknown option \"inn=2\""},
                      BadNetwork{"junction A 0 0\nboundary b 300 0\nboundary c -300 0\noneway b A\nroad A c\n",
                                 "no way leads from boundary \"c\" to \"b\""},
                      BadNetwork{"junction A 0 0\nboundary b 300 0\nboundary c -300 0\nroad b A\nroad A c\n"
                                 "green A 3,4,5\n",
                                 "green A: 3 values, expected 1"}));

TEST(RoadNetworkTest, UnknownNetworkNamesTheBuiltInOnes) {
  const auto network = LoadRoadNetwork("/nowhere/at/all.net");
  EXPECT_EQ(network.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(network.status().message()), HasSubstr("nine_junctions, grid_3x3"));
}

}  // namespace
}  // namespace troupe
