// SUMO's files: a network that is accepted is one that the environment can be made of, no number of it points outside,
// and of a configuration no option gets by that the environment must set itself.
//
// Input: a byte (odd: a .sumocfg, even: a network), the file.
#include <algorithm>
#include <cmath>
#include <string>

#include "actor_worker/environments/traffic/sumo/net_file.h"
#include "actor_worker/environments/traffic/sumo/scenario.h"
#include "actor_worker/environments/traffic/sumo/sumo_configuration.h"
#include "actor_worker/environments/traffic/sumo/xml_reader.h"
#include "tests/fuzz/support/byte_source.h"
#include "tests/fuzz/support/sumo_net.h"
#include "tests/fuzz/support/target.h"

namespace troupe::fuzz {
namespace {

void CheckScenario(const SumoScenario& scenario) {
  const TrafficNetwork& network = scenario.network;
  const auto lanes = static_cast<int>(network.lanes.size()), junctions = static_cast<int>(network.junctions.size());
  const auto is_junction = [junctions](int index) { return index >= 0 && index < junctions; };
  Must(junctions > 0 && scenario.signals.size() == network.junctions.size(), "a signal for each junction");
  int next_lane = 0;
  for (int j = 0; j < junctions; ++j) {
    const TrafficJunction& junction = network.junctions[j];
    Must(junction.first_lane == next_lane && junction.num_lanes > 0, "a junction's lanes");
    next_lane += junction.num_lanes;
    const size_t phases = junction.phases.size();
    Must(phases >= 2 && phases <= 64 && phases == scenario.signals[j].phases.size(), "phases");
    Must(junction.program_green_seconds.size() == phases && junction.clearing_seconds.size() == phases, "seconds");
    Must(std::ranges::all_of(junction.neighbours, is_junction), "neighbours");
    for (size_t phase = 0; phase < phases; ++phase) {
      SignalState state;
      state.phase = static_cast<int>(phase);
      (void)LightsOf(scenario.signals[j], state);
    }
  }
  Must(next_lane == lanes, "every lane is a junction's");
  for (const TrafficLane& lane : network.lanes) {
    Must(is_junction(lane.junction), "a lane's junction");
    const size_t phases = network.junctions[lane.junction].phases.size();
    Must(phases == 64 || lane.green_phases >> phases == 0, "green phases that there are not");
    for (const int other : lane.downstream_lanes) Must(other >= 0 && other < lanes, "a lane downstream");
    Must(std::isfinite(lane.length_m), "a lane's length");
  }
  for (const SumoLane& lane : scenario.lanes) Must(lane.lane >= 0 && lane.lane < lanes, "a piece of a lane");
}

void ReadNetwork(std::string_view text) {
  XmlReader xml({text.data(), text.size()}, "net.xml");
  NetFile net;
  if (const absl::Status status = ParseNet(xml, net); !status.ok()) return MustRefuse(status);
  const auto scenario = MakeScenario(net, "fuzz");
  if (!scenario.ok()) return MustRefuse(scenario.status());
  CheckScenario(*scenario);
}

void ReadConfiguration(std::string_view text) {
  XmlReader xml({text.data(), text.size()}, "it.sumocfg");
  const auto configuration = ParseSumoConfiguration(xml, "/folder/it.sumocfg");
  if (!configuration.ok()) return MustRefuse(configuration.status());
  Must(!configuration->net_file.empty(), "a network");
  // Options and their values in turn.
  Must(configuration->overrides.size() % 2 == 0, "overrides");
  for (size_t i = 0; i < configuration->overrides.size(); i += 2) {
    const absl::Status twice = CheckSumoOptions({configuration->overrides[i], "x"}, configuration->overrides);
    if (configuration->overrides[i].size() > 2) MustRefuse(twice);
  }
}

void RunSumoXml(std::string_view input) {
  ByteSource source(input);
  const bool is_configuration = source.Byte() % 2 == 1;
  is_configuration ? ReadConfiguration(source.Rest()) : ReadNetwork(source.Rest());
}

std::vector<std::string> Seeds() {
  return {
      std::string(1, '\0') + kSumoNet,
      "\1<configuration><input><net-file value=\"a.net.xml\"/><route-files value=\"a.rou.xml\"/>"
      "<additional-files value=\"b.add.xml, c.add.xml\"/></input><time><begin v=\"25200\"/><step-length value=\"0.5\"/>"
      "</time><output><summary-output value=\"s.xml\"/><log value=\"l\"/></output></configuration>"};
}

const Register kRegister(
    {.name = "sumo_xml", .run = RunSumoXml, .seeds = Seeds, .most_bytes = 1 << 20, .most_bytes_per_byte = 1024});

}  // namespace
}  // namespace troupe::fuzz
