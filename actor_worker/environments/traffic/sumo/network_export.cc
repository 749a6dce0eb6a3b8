#include "actor_worker/environments/traffic/sumo/network_export.h"

#include <algorithm>
#include <array>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "actor_worker/environments/traffic/queue_model.h"
#include "common/base/status_macros.h"
#include "common/processes/limited_process.h"

namespace troupe {
namespace {

constexpr double kYellowSeconds = 3;
constexpr double kGreenSeconds = 20;  // of phases the network has no program for
constexpr absl::Duration kNetconvertTimeout = absl::Seconds(60);

// One lane-to-lane way of a movement.
struct LaneLink {
  const RoadConnection* connection;
  int from_lane, to_lane;  // SUMO's lane indices, 0 = rightmost
};

// Right turns end on the rightmost lanes, left turns on the leftmost, through vehicles keep their lane.
int TargetLane(Turn turn, int from_lane, int from_lanes, int to_lanes) {
  if (turn == Turn::kRight) return std::min(from_lane, to_lanes - 1);
  if (turn == Turn::kLeft) return std::max(0, to_lanes - (from_lanes - from_lane));
  return std::min(from_lane, to_lanes - 1);
}

std::vector<LaneLink> LinksOf(const RoadNetwork& network, int junction) {
  std::vector<LaneLink> links;
  for (const RoadConnection& connection : network.connections) {
    if (junction >= 0 && connection.junction != junction) continue;
    const RoadEdge &from = network.edges[connection.from_edge], &to = network.edges[connection.to_edge];
    for (int lane = connection.first_lane; lane <= connection.last_lane; ++lane) {
      const int index = lane - from.first_lane;
      links.push_back({&connection, index, TargetLane(connection.turn, index, from.lanes, to.lanes)});
    }
  }
  return links;
}

std::string LinkAttributes(const RoadNetwork& network, const LaneLink& link) {
  return absl::StrFormat("from=\"%s\" to=\"%s\" fromLane=\"%d\" toLane=\"%d\"",
                         network.edges[link.connection->from_edge].name, network.edges[link.connection->to_edge].name,
                         link.from_lane, link.to_lane);
}

char LightOf(const RoadConnection& connection, int phase) {
  if (connection.protected_phases >> phase & 1) return 'G';
  return connection.yielding_phases >> phase & 1 ? 'g' : 'r';
}

absl::Status WriteText(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat(path, ": cannot be written"));
  return absl::OkStatus();
}

}  // namespace

std::string SumoNodes(const RoadNetwork& network) {
  std::string text = "<nodes>\n";
  for (const RoadNode& node : network.nodes) {
    absl::StrAppendFormat(&text, "  <node id=\"%s\" x=\"%.2f\" y=\"%.2f\" type=\"%s\"%s/>\n", node.name, node.x, node.y,
                          node.junction >= 0 ? "traffic_light" : "priority",
                          node.junction >= 0 ? absl::StrCat(" tl=\"", node.name, "\"") : "");
  }
  return text + "</nodes>\n";
}

std::string SumoEdges(const RoadNetwork& network) {
  std::string text = "<edges>\n";
  for (const RoadEdge& edge : network.edges) {
    absl::StrAppendFormat(&text, "  <edge id=\"%s\" from=\"%s\" to=\"%s\" numLanes=\"%d\" speed=\"%.2f\"/>\n",
                          edge.name, network.nodes[edge.from].name, network.nodes[edge.to].name, edge.lanes,
                          edge.speed);
  }
  return text + "</edges>\n";
}

std::string SumoConnections(const RoadNetwork& network) {
  std::string text = "<connections>\n";
  for (const LaneLink& link : LinksOf(network, -1)) {
    absl::StrAppend(&text, "  <connection ", LinkAttributes(network, link), "/>\n");
  }
  return text + "</connections>\n";
}

std::string SumoSignals(const RoadNetwork& network) {
  std::string programs, connections;
  for (size_t j = 0; j < network.traffic.junctions.size(); ++j) {
    const TrafficJunction& junction = network.traffic.junctions[j];
    const std::vector<LaneLink> links = LinksOf(network, static_cast<int>(j));
    for (size_t i = 0; i < links.size(); ++i) {
      absl::StrAppendFormat(&connections, "  <connection %s tl=\"%s\" linkIndex=\"%d\"/>\n",
                            LinkAttributes(network, links[i]), junction.name, i);
    }
    absl::StrAppendFormat(&programs, "  <tlLogic id=\"%s\" type=\"static\" programID=\"0\" offset=\"0\">\n",
                          junction.name);
    const int phases = static_cast<int>(junction.phases.size());
    for (int p = 0; p < phases; ++p) {
      std::string green, yellow;
      for (const LaneLink& link : links) {
        const char now = LightOf(*link.connection, p), next = LightOf(*link.connection, (p + 1) % phases);
        green.push_back(now);
        yellow.push_back(now == 'r' || next == now ? now : next == 'r' ? 'y' : 'g');
      }
      const double seconds = junction.program_green_seconds.empty() ? kGreenSeconds : junction.program_green_seconds[p];
      absl::StrAppendFormat(&programs, "    <phase duration=\"%g\" state=\"%s\"/>\n", seconds, green);
      if (phases == 1) continue;
      absl::StrAppendFormat(&programs, "    <phase duration=\"%g\" state=\"%s\"/>\n", kYellowSeconds, yellow);
    }
    programs += "  </tlLogic>\n";
  }
  return absl::StrCat("<tlLogics>\n", programs, connections, "</tlLogics>\n");
}

std::string SumoRoutes(const std::vector<ListedVehicle>& vehicles) {
  static constexpr std::array<const char*, kVehicleTypes> kClasses = {"passenger", "motorcycle", "bus", "truck",
                                                                      "emergency"};
  std::string text = "<routes>\n";
  for (int type = 0; type < kVehicleTypes; ++type) {
    absl::StrAppendFormat(&text,
                          "  <vType id=\"%s\" vClass=\"%s\" length=\"%g\" speedFactor=\"normc(%g,0.1,0.2,2)\"/>\n",
                          kVehicleTypeNames[type], kClasses[type], kVehicleLengths[type], kSpeedFactors[type]);
  }
  for (size_t i = 0; i < vehicles.size(); ++i) {
    const char* const type = kVehicleTypeNames[static_cast<int>(vehicles[i].type)];
    absl::StrAppendFormat(&text,
                          "  <vehicle id=\"%s.%d\" type=\"%s\" depart=\"%.2f\" departLane=\"best\" departSpeed=\"max\">"
                          "<route edges=\"%s\"/></vehicle>\n",
                          type, i, type, vehicles[i].depart_seconds, absl::StrJoin(vehicles[i].edges, " "));
  }
  return text + "</routes>\n";
}

absl::StatusOr<std::string> ExportToSumo(const RoadNetwork& network, const std::vector<ListedVehicle>& vehicles,
                                         const SumoInstallation& installation, const std::string& folder) {
  const std::string stem = absl::StrCat(folder, "/", network.traffic.name);
  RETURN_IF_ERROR(WriteText(stem + ".nod.xml", SumoNodes(network)));
  RETURN_IF_ERROR(WriteText(stem + ".edg.xml", SumoEdges(network)));
  RETURN_IF_ERROR(WriteText(stem + ".con.xml", SumoConnections(network)));
  RETURN_IF_ERROR(WriteText(stem + ".tll.xml", SumoSignals(network)));
  RETURN_IF_ERROR(WriteText(stem + ".rou.xml", SumoRoutes(vehicles)));
  LimitedProcess::Options options;
  options.command = {installation.home + "/bin/netconvert",
                     "--node-files",
                     stem + ".nod.xml",
                     "--edge-files",
                     stem + ".edg.xml",
                     "--connection-files",
                     stem + ".con.xml",
                     "--tllogic-files",
                     stem + ".tll.xml",
                     "--no-turnarounds",
                     "true",
                     "--xml-validation",
                     "never",
                     "--output-file",
                     stem + ".net.xml"};
  options.environment_overrides = SumoVariables(installation);
  ASSIGN_OR_RETURN(const auto netconvert, LimitedProcess::Start(options));
  const absl::Status converted = netconvert->WaitForSuccess(kNetconvertTimeout);
  if (!converted.ok()) return absl::InternalError(absl::StrCat("netconvert: ", converted.message()));
  const std::string& name = network.traffic.name;
  RETURN_IF_ERROR(
      WriteText(stem + ".sumocfg", absl::StrFormat("<configuration>\n  <net-file value=\"%s.net.xml\"/>\n"
                                                   "  <route-files value=\"%s.rou.xml\"/>\n  <begin value=\"0\"/>\n"
                                                   "</configuration>\n",
                                                   name, name)));
  return stem + ".sumocfg";
}

}  // namespace troupe
