// What is made of SUMO's networks, without SUMO: signals, lanes, neighbours, vehicles.
#include <string>

#include "actor_worker/environments/traffic/sumo/network_export.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/vehicle_ledger.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

absl::Status ParseText(absl::string_view text, const std::string& file_name, NetFile& net) {
  XmlReader xml(text, file_name);
  return ParseNet(xml, net);
}

// Two signals in a row from west to east; the road into the second is cut in two at n. W -> A -> n -> B -> E, a side
// road S -> A; a pedestrian crossing at B.
constexpr char kNet[] = R"(<net>
  <edge id=":A_0" function="internal"><lane id=":A_0_0" index="0" length="5" shape="0,0 1,0"/></edge>
  <edge id="wa" from="W" to="A"><lane id="wa_0" index="0" length="200" shape="-200,0 0,0"/>
    <lane id="wa_1" index="1" length="200" shape="-200,3 0,3"/></edge>
  <edge id="sa" from="S" to="A"><lane id="sa_0" index="0" length="90" shape="0,-90 0,0"/></edge>
  <edge id="an" from="A" to="n"><lane id="an_0" index="0" length="80" shape="0,0 80,0"/></edge>
  <edge id="nb" from="n" to="B"><lane id="nb_0" index="0" length="20" shape="80,0 100,0"/></edge>
  <edge id="be" from="B" to="E"><lane id="be_0" index="0" length="100" shape="100,0 200,0"/></edge>
  <tlLogic id="A" type="static" programID="0" offset="0">
    <phase duration="31" state="GGgr"/><phase duration="3" state="yyyr"/>
    <phase duration="9" state="rrGr"/><phase duration="3" state="rryr"/>
    <phase duration="17" state="rrrG"/><phase duration="3" state="rrry"/>
  </tlLogic>
  <tlLogic id="B" type="static" programID="0" offset="0">
    <phase duration="60" state="Gr"/><phase duration="3" state="yr"/>
    <phase duration="9" state="rG"/><phase duration="5" state="rr"/>
  </tlLogic>
  <connection from="wa" to="an" fromLane="0" toLane="0" tl="A" linkIndex="0" dir="s"/>
  <connection from="wa" to="an" fromLane="1" toLane="0" tl="A" linkIndex="1" dir="s"/>
  <connection from="wa" to="be" fromLane="1" toLane="0" tl="A" linkIndex="2" dir="l"/>
  <connection from="sa" to="an" fromLane="0" toLane="0" tl="A" linkIndex="3" dir="r"/>
  <connection from="an" to="nb" fromLane="0" toLane="0" dir="s"/>
  <connection from="nb" to="be" fromLane="0" toLane="0" tl="B" linkIndex="0" dir="s"/>
</net>)";

SumoScenario TwoSignals() {
  NetFile net;
  EXPECT_TRUE(ParseText(kNet, "net.xml", net).ok());
  auto scenario = MakeScenario(net, "two");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

std::vector<std::string> GreenLights(const SumoSignal& signal) {
  std::vector<std::string> lights;
  for (const SumoPhase& phase : signal.phases) lights.push_back(phase.lights);
  return lights;
}

SumoSignal PhasesOf(const std::vector<NetPhase>& program, const std::vector<int>& vehicle_links) {
  auto signal = ReadSignalPhases({"s", program}, vehicle_links);
  EXPECT_TRUE(signal.ok()) << signal.status();
  return *std::move(signal);
}

TEST(SignalPhases, ShortStepsThatOnlyTakeGreenAwayBelongToLeavingThePhase) {
  const SumoSignal signal = PhasesOf({{30, "GGgrrrGGgrrr"},
                                      {2, "GGgrrrrrrrrr"},
                                      {3, "yyyrrrrrrrrr"},
                                      {30, "rrrGGgrrrGGg"},
                                      {3, "rrrrrrrrrGGg"},
                                      {2, "rrrrrrrrrrrg"},
                                      {3, "rrrrrrrrryyy"}},
                                     {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  ASSERT_EQ(GreenLights(signal), (std::vector<std::string>{"GGgrrrGGgrrr", "rrrGGgrrrGGg"}));
  EXPECT_EQ(signal.phases[0].program_seconds, 30);
  EXPECT_EQ(signal.phases[0].clearing_lights, (std::vector<std::string>{"GGgrrrrrrrrr"}));
  EXPECT_EQ(signal.phases[0].clearing_seconds, (std::vector<int>{2}));
  EXPECT_EQ(signal.phases[1].clearing_lights, (std::vector<std::string>{"rrrrrrrrrGGg", "rrrrrrrrrrrg"}));
  EXPECT_EQ(signal.phases[1].clearing_seconds, (std::vector<int>{3, 2}));
}

TEST(SignalPhases, PedestriansClearTheRoadHoweverLongWhileVehiclesGoOn) {
  const SumoSignal signal = PhasesOf({{20, "GrG"}, {11.5, "Grr"}, {3, "yrr"}, {20, "rGr"}, {3, "ryr"}}, {0, 1});
  ASSERT_EQ(GreenLights(signal), (std::vector<std::string>{"GrG", "rGr"}));
  EXPECT_EQ(signal.phases[0].clearing_seconds, (std::vector<int>{12})) << "whole seconds, rounded up";
}

TEST(SignalPhases, AStepIsAPhaseWhenItGivesGreenOrLastsOrFollowsYellow) {
  const auto phases = [](const NetPhase& second) {
    return PhasesOf({{20, "GGgr"}, second, {3, "yyyr"}, {20, "rrrG"}, {3, "rrry"}}, {0, 1, 2, 3}).phases.size();
  };
  EXPECT_EQ(phases({3, "GGrr"}), 2u);
  EXPECT_EQ(phases({3, "rGGr"}), 3u) << "the left turn gets priority";
  EXPECT_EQ(phases({20, "GGrr"}), 3u) << "long for a clearing";
  EXPECT_EQ(PhasesOf({{20, "GGgr"}, {3, "yygr"}, {4, "rrgr"}, {3, "rryr"}, {20, "rrrG"}, {3, "rrry"}}, {0, 1, 2, 3})
                .phases.size(),
            3u);
}

TEST(SignalPhases, AClearingMayStandAtTheBeginningOfTheProgram) {
  const SumoSignal signal = PhasesOf({{2, "Gr"}, {3, "yr"}, {20, "rG"}, {3, "ry"}, {20, "GG"}}, {0, 1});
  ASSERT_EQ(GreenLights(signal), (std::vector<std::string>{"rG", "GG"}));
  EXPECT_EQ(signal.phases[1].clearing_lights, (std::vector<std::string>{"Gr"}));
}

TEST(SumoScenario, TakesGreenPhasesAndTheirSecondsFromTheProgram) {
  const SumoScenario scenario = TwoSignals();
  ASSERT_EQ(scenario.network.junctions.size(), 2u);
  EXPECT_EQ(GreenLights(scenario.signals[0]), (std::vector<std::string>{"GGgr", "rrGr", "rrrG"}));
  EXPECT_EQ(scenario.network.junctions[0].program_green_seconds, (std::vector<double>{31, 9, 17}));
  EXPECT_EQ(scenario.network.junctions[0].phases.size(), 3u);
  EXPECT_EQ(GreenLights(scenario.signals[1]), (std::vector<std::string>{"Gr", "rG"}));
  EXPECT_TRUE(scenario.own_program_signals.empty());
}

TEST(SumoScenario, CountsALaneAsServedOnlyWhenItsMainMovementIs) {
  const SumoScenario scenario = TwoSignals();
  const auto& lanes = scenario.network.lanes;
  ASSERT_EQ(lanes.size(), 4u);
  EXPECT_EQ(lanes[0].name, "wa_0");
  EXPECT_EQ(lanes[0].green_phases, 0b001u);
  EXPECT_EQ(lanes[1].green_phases, 0b001u) << "the phase for its left turn alone leaves straight traffic standing";
  EXPECT_EQ(lanes[2].name, "sa_0");
  EXPECT_EQ(lanes[2].green_phases, 0b100u);
}

TEST(SumoScenario, FindsSidesNeighboursAndWhatLiesDownstream) {
  const SumoScenario scenario = TwoSignals();
  const auto& lanes = scenario.network.lanes;
  EXPECT_EQ(lanes[0].slot, CompassSlot::kWest);
  EXPECT_EQ(lanes[2].slot, CompassSlot::kSouth);
  EXPECT_EQ(lanes[0].downstream_lanes, (std::vector<int>{3})) << "through the junction n without signals";
  EXPECT_TRUE(lanes[3].downstream_lanes.empty());
  EXPECT_EQ(scenario.network.junctions[0].neighbours, (std::vector<int>{1}));
  EXPECT_EQ(scenario.network.junctions[1].observed_neighbours, (std::array<int, 2>{0, -1}));
}

TEST(SumoScenario, CountsTheRoadBeforeAShortStopLaneWithIt) {
  const SumoScenario scenario = TwoSignals();
  ASSERT_EQ(scenario.lanes.size(), 5u);
  EXPECT_EQ(scenario.lanes[4].id, "an_0");
  EXPECT_EQ(scenario.lanes[4].lane, 3);
  EXPECT_EQ(scenario.network.lanes[3].length_m, 100);
  EXPECT_EQ(scenario.network.lanes[0].length_m, 200);
}

TEST(SumoScenario, ShowsYellowOnlyToThoseWhoLoseTheirGreen) {
  const SumoSignal signal{"s", {{.lights = "GGgr"}, {.lights = "GrGg"}, {.lights = "rrrG"}}};
  const auto lights = [&](SignalStage stage, int phase, int next) { return LightsOf(signal, {stage, phase, next}); };
  EXPECT_EQ(lights(SignalStage::kGreen, 0, 0), "GGgr");
  EXPECT_EQ(lights(SignalStage::kYellow, 0, 1), "Gygr");
  EXPECT_EQ(lights(SignalStage::kAllRed, 0, 1), "Grgr");
  EXPECT_EQ(lights(SignalStage::kYellow, 1, 0), "Grgy");
  EXPECT_EQ(lights(SignalStage::kYellow, 1, 2), "yryg");
}

TEST(SumoScenario, LeavesAPhaseThroughItsClearingSteps) {
  SumoPhase first{.lights = "GGGr"};
  first.clearing_lights = {"GrGr", "rrGr"};
  first.clearing_seconds = {2, 2};
  const SumoSignal signal{"s", {first, {.lights = "rrrG"}, {.lights = "gGrG"}}};
  const auto lights = [&](SignalStage stage, int next, int step) { return LightsOf(signal, {stage, 0, next, step}); };
  EXPECT_EQ(lights(SignalStage::kGreen, 0, 0), "GGGr");
  EXPECT_EQ(lights(SignalStage::kClearing, 1, 0), "GrGr");
  EXPECT_EQ(lights(SignalStage::kClearing, 1, 1), "rrGr");
  EXPECT_EQ(lights(SignalStage::kYellow, 1, 0), "rryr") << "what was cleared before sees no yellow";
  EXPECT_EQ(lights(SignalStage::kAllRed, 1, 0), "rrrr");
  EXPECT_EQ(lights(SignalStage::kClearing, 2, 1), "gGGr") << "what the next phase lets go stays green";
  EXPECT_EQ(lights(SignalStage::kYellow, 2, 0), "gGyr");
}

TEST(SumoScenario, ASignalWithoutAChoiceOfGreensIsNoAgent) {
  std::string text = kNet;
  const size_t crossing = text.find("<phase duration=\"9\" state=\"rG\"/>");
  text.replace(crossing, 34, "<phase duration=\"9\" state=\"rr\"/>");
  NetFile net;
  ASSERT_TRUE(ParseText(text, "n", net).ok());
  const auto scenario = MakeScenario(net, "n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  ASSERT_EQ(scenario->signals.size(), 1u);
  EXPECT_EQ(scenario->signals[0].id, "A");
  EXPECT_EQ(scenario->own_program_signals, (std::vector<std::string>{"B"}));
  EXPECT_EQ(scenario->network.junctions.size(), 1u);
  EXPECT_EQ(scenario->network.lanes.size(), 3u) << "the lane that leads to it is nobody's";

  NetFile meter;
  ASSERT_TRUE(ParseText(R"(<net><edge id="i"><lane id="i_0" length="9" shape="0,0 9,0"/></edge>
    <edge id="o"><lane id="o_0" length="9" shape="9,0 18,0"/></edge>
    <tlLogic id="m">
      <phase duration="4" state="G"/><phase duration="2" state="y"/><phase duration="6" state="r"/></tlLogic>
    <connection from="i" to="o" fromLane="0" toLane="0" tl="m" linkIndex="0" dir="s"/></net>)",
                        "n", meter)
                  .ok());
  const absl::Status status = MakeScenario(meter, "n").status();
  EXPECT_NE(status.message().find("no traffic signal with two green phases to choose from (m)"), std::string::npos)
      << status;
}

TEST(SumoScenario, RefusesANetworkWithoutSignalsAndAProgramShorterThanItsLinks) {
  NetFile empty;
  ASSERT_TRUE(ParseText("<net><edge id='a'><lane id='a_0' length='5' shape='0,0 5,0'/></edge></net>", "n", empty).ok());
  EXPECT_EQ(MakeScenario(empty, "n").status().code(), absl::StatusCode::kInvalidArgument);

  std::string text = kNet;
  text.replace(text.find("state=\"GGgr\""), 12, "state=\"GG\"");
  NetFile short_program;
  ASSERT_TRUE(ParseText(text, "n", short_program).ok());
  const absl::Status status = MakeScenario(short_program, "n").status();
  EXPECT_NE(status.message().find("signal A: a phase of 2 lights, expected 4"), std::string::npos) << status;
}

TEST(VehicleLedger, CountsThoseWhoLeaveTheirJunctionsLanesByDriving) {
  TrafficNetwork network;
  network.junctions.resize(2);
  network.lanes.resize(3);
  network.lanes[2].junction = 1;
  std::vector<LaneMeasurement> lanes(3);
  VehicleLedger ledger;
  for (const char* id : {"drives on", "changes lane", "stays", "arrives", "teleports", "leaves"}) ledger.See(id, 0);
  ledger.EndStep(network, lanes);
  EXPECT_EQ(ledger.TakeUntyped().size(), 6u);
  ledger.SetType("stays", VehicleType::kEmergency);

  ledger.Gone("arrives");
  ledger.Lift("teleports");
  ledger.See("drives on", 2);
  ledger.See("changes lane", 1);
  ledger.See("stays", 0);
  ledger.EndStep(network, lanes);
  EXPECT_EQ(lanes[0].departed, 2) << "\"drives on\" and \"leaves\"";
  EXPECT_EQ(lanes[1].departed, 0);

  ledger.Count(lanes);
  EXPECT_EQ(lanes[0].vehicles, 1);
  EXPECT_EQ(lanes[0].emergency_vehicles, 1);
  EXPECT_EQ(lanes[0].weighted_vehicles, kVehicleWeights[static_cast<int>(VehicleType::kEmergency)]);
  EXPECT_EQ(lanes[2].vehicles, 1);
  EXPECT_TRUE(ledger.TakeUntyped().empty());

  ledger.EndStep(network, lanes);
  EXPECT_EQ(lanes[0].departed, 3) << "a vehicle is counted once";
}

TEST(NetworkExport, KeepsEdgesPhasesAndVehicles) {
  const auto network = LoadRoadNetwork("grid_3x3");
  ASSERT_TRUE(network.ok()) << network.status();
  const std::string signals = SumoSignals(*network);
  NetFile net;
  ASSERT_TRUE(ParseText(signals, "tll", net).ok());
  ASSERT_EQ(net.signals.size(), 9u);
  for (size_t j = 0; j < net.signals.size(); ++j) {
    const TrafficJunction& junction = network->traffic.junctions[j];
    EXPECT_EQ(net.signals[j].id, junction.name);
    ASSERT_EQ(net.signals[j].program.size(), 2 * junction.phases.size());
    for (size_t p = 0; p < junction.phases.size(); ++p) {
      EXPECT_EQ(net.signals[j].program[2 * p].seconds, junction.program_green_seconds[p]);
      EXPECT_EQ(net.signals[j].program[2 * p + 1].seconds, 3);
    }
  }
  const std::string routes = SumoRoutes({{12.5, {"west0_A0", "A0_B0"}, VehicleType::kBus}});
  EXPECT_NE(routes.find("<vehicle id=\"bus.0\" type=\"bus\" depart=\"12.50\""), std::string::npos) << routes;
  EXPECT_NE(routes.find("<route edges=\"west0_A0 A0_B0\"/>"), std::string::npos) << routes;
}

}  // namespace
}  // namespace troupe
