#include "actor_worker/environments/traffic/road_network.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "actor_worker/environments/traffic/builtin_networks.h"
#include "actor_worker/environments/traffic/road_network_builder.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

class Parser {
 public:
  absl::StatusOr<RoadNetwork> Parse(absl::string_view text) {
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_;
      line = line.substr(0, line.find('#'));
      words_ = absl::StrSplit(line, absl::ByAnyChar(" \t\r"), absl::SkipEmpty());
      if (!words_.empty()) RETURN_IF_ERROR(Line());
    }
    for (const auto& [junction, names] : observed_) {
      for (size_t i = 0; i < names.size() && i < 2; ++i) {
        ASSIGN_OR_RETURN(const int node, Node(names[i]));
        network_.traffic.junctions[junction].observed_neighbours[i] = network_.nodes[node].junction;
      }
    }
    if (network_.traffic.junctions.empty()) return absl::InvalidArgumentError("the network has no junction");
    RETURN_IF_ERROR(BuildRoadNetwork(phases_, network_));
    RETURN_IF_ERROR(BuildRoutes(network_));
    return std::move(network_);
  }

 private:
  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat("network line ", line_, ": ", what));
  }
  absl::Status Need(size_t words, const char* form) const {
    return words_.size() >= words ? absl::OkStatus() : Error(absl::StrCat("expected \"", form, "\""));
  }
  absl::StatusOr<double> Number(absl::string_view text) const {
    double value = 0;
    if (absl::SimpleAtod(text, &value) && std::isfinite(value)) return value;
    return Error(absl::StrCat("\"", text, "\" is not a number"));
  }
  absl::StatusOr<int> Node(absl::string_view name) const {
    const auto found = node_of_.find(std::string(name));
    if (found != node_of_.end()) return found->second;
    return Error(absl::StrCat("no junction or boundary is called \"", name, "\""));
  }
  absl::StatusOr<int> Junction(absl::string_view name) const {
    ASSIGN_OR_RETURN(const int node, Node(name));
    if (network_.nodes[node].junction >= 0) return network_.nodes[node].junction;
    return Error(absl::StrCat("\"", name, "\" is a boundary, not a junction"));
  }
  // Reads KEY=NUMBER words from `first` on into the named targets.
  absl::Status Options(size_t first, const std::map<std::string, double*>& targets) {
    for (size_t i = first; i < words_.size(); ++i) {
      const std::pair<std::string, std::string> option = absl::StrSplit(words_[i], absl::MaxSplits('=', 1));
      const auto target = targets.find(option.first);
      if (target == targets.end()) return Error(absl::StrCat("unknown option \"", words_[i], "\""));
      ASSIGN_OR_RETURN(*target->second, Number(option.second));
      if (*target->second < 0) return Error(absl::StrCat("\"", words_[i], "\" is negative"));
    }
    return absl::OkStatus();
  }

  absl::Status Line() {
    const std::string& kind = words_[0];
    if (kind == "network") {
      RETURN_IF_ERROR(Need(2, "network NAME"));
      network_.traffic.name = words_[1];
      return absl::OkStatus();
    }
    if (kind == "lanes" || kind == "speed" || kind == "box") {
      RETURN_IF_ERROR(Need(2, "lanes|speed|box NUMBER"));
      ASSIGN_OR_RETURN(const double value, Number(words_[1]));
      if (value <= 0) return Error(absl::StrCat(kind, " must be positive"));
      (kind == "lanes" ? lanes_ : kind == "speed" ? speed_ : box_m_) = value;
      return absl::OkStatus();
    }
    if (kind == "junction" || kind == "boundary") return NodeLine(kind == "junction");
    if (kind == "road" || kind == "oneway") return EdgeLine(kind == "road");
    if (kind == "phase") return PhaseLineOf();
    if (kind == "green") return GreenLine();
    return Error(absl::StrCat("unknown item \"", kind, "\""));
  }

  absl::Status NodeLine(bool is_junction) {
    RETURN_IF_ERROR(Need(4, "junction|boundary NAME X Y"));
    RoadNode node;
    node.name = words_[1];
    ASSIGN_OR_RETURN(node.x, Number(words_[2]));
    ASSIGN_OR_RETURN(node.y, Number(words_[3]));
    if (!node_of_.emplace(node.name, static_cast<int>(network_.nodes.size())).second) {
      return Error(absl::StrCat("\"", node.name, "\" is there twice"));
    }
    if (is_junction) {
      node.junction = static_cast<int>(network_.traffic.junctions.size());
      if (words_.size() > 4) {
        absl::string_view names = words_[4];
        if (!absl::ConsumePrefix(&names, "observe=")) return Error(absl::StrCat("unknown option \"", names, "\""));
        observed_[node.junction] = absl::StrSplit(names, ',');
      }
      network_.traffic.junctions.push_back({.name = node.name});
    } else {
      node.in_weight = node.out_weight = 1;
      RETURN_IF_ERROR(Options(4, {{"in", &node.in_weight}, {"out", &node.out_weight}}));
    }
    network_.nodes.push_back(std::move(node));
    return absl::OkStatus();
  }

  absl::Status EdgeLine(bool both_ways) {
    RETURN_IF_ERROR(Need(3, "road|oneway FROM TO"));
    ASSIGN_OR_RETURN(const int from, Node(words_[1]));
    ASSIGN_OR_RETURN(const int to, Node(words_[2]));
    double lanes = lanes_, speed = speed_;
    RETURN_IF_ERROR(Options(3, {{"lanes", &lanes}, {"speed", &speed}}));
    if (lanes < 1 || lanes > 16 || speed <= 0) return Error("expected 1..16 lanes and a positive speed");
    const RoadNode &a = network_.nodes[from], &b = network_.nodes[to];
    const double boxes = box_m_ * ((a.junction >= 0) + (b.junction >= 0));
    const double length = std::hypot(a.x - b.x, a.y - b.y) - boxes;
    if (length < 30) return Error(absl::StrCat("the way is ", length, " m long, expected at least 30 m"));
    const auto add = [&](int start, int end) {
      RoadEdge edge{.from = start, .to = end, .length_m = length, .speed = speed, .lanes = static_cast<int>(lanes)};
      edge.name = absl::StrCat(network_.nodes[start].name, "_", network_.nodes[end].name);
      network_.edges.push_back(std::move(edge));
    };
    add(from, to);
    if (both_ways) add(to, from);
    return absl::OkStatus();
  }

  absl::Status PhaseLineOf() {
    RETURN_IF_ERROR(Need(4, "phase JUNCTION NAME G:A>B,C>D [g:A>D]"));
    PhaseLine phase;
    ASSIGN_OR_RETURN(phase.junction, Junction(words_[1]));
    phase.name = words_[2];
    for (size_t i = 3; i < words_.size(); ++i) {
      absl::string_view list = words_[i];
      const bool yields = absl::ConsumePrefix(&list, "g:");
      if (!yields && !absl::ConsumePrefix(&list, "G:")) {
        return Error(absl::StrCat("expected G: or g: in \"", list, "\""));
      }
      for (absl::string_view movement : absl::StrSplit(list, ',')) {
        const std::vector<std::string> ends = absl::StrSplit(movement, '>');
        if (ends.size() != 2) return Error(absl::StrCat("expected FROM>TO, got \"", movement, "\""));
        ASSIGN_OR_RETURN(const int from, Node(ends[0]));
        ASSIGN_OR_RETURN(const int to, Node(ends[1]));
        phase.movements.push_back({from, to, yields});
      }
    }
    phases_.push_back(std::move(phase));
    return absl::OkStatus();
  }

  absl::Status GreenLine() {
    RETURN_IF_ERROR(Need(3, "green JUNCTION SECONDS,SECONDS"));
    ASSIGN_OR_RETURN(const int junction, Junction(words_[1]));
    for (absl::string_view seconds : absl::StrSplit(words_[2], ',')) {
      ASSIGN_OR_RETURN(const double value, Number(seconds));
      network_.traffic.junctions[junction].program_green_seconds.push_back(value);
    }
    return absl::OkStatus();
  }

  RoadNetwork network_;
  std::map<std::string, int> node_of_;
  std::map<int, std::vector<std::string>> observed_;
  std::vector<PhaseLine> phases_;
  std::vector<std::string> words_;
  int line_ = 0;
  double lanes_ = 3, speed_ = 13.89, box_m_ = 13.6;
};

}  // namespace

absl::StatusOr<RoadNetwork> ParseRoadNetwork(absl::string_view text) { return Parser().Parse(text); }

absl::StatusOr<RoadNetwork> LoadRoadNetwork(const std::string& name_or_path) {
  if (const char* text = BuiltinNetwork(name_or_path)) return ParseRoadNetwork(text);
  std::ifstream file(name_or_path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat("network \"", name_or_path, "\" is neither built in (",
                                            BuiltinNetworkNames(), ") nor a file that can be read"));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return ParseRoadNetwork(text.str());
}

int RoadNetwork::FindEdge(absl::string_view name) const {
  for (size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

int RoadNetwork::FindConnection(int from_edge, int to_edge) const {
  for (size_t i = 0; i < connections.size(); ++i) {
    if (connections[i].from_edge == from_edge && connections[i].to_edge == to_edge) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<int> RoadNetwork::AddRoute(const std::vector<std::string>& edge_names) {
  std::vector<RouteStep> way;
  for (const std::string& name : edge_names) {
    const int edge = FindEdge(name);
    if (edge < 0) return absl::InvalidArgumentError(absl::StrCat("route: no edge is called \"", name, "\""));
    if (!way.empty()) {
      way.back().connection = FindConnection(way.back().edge, edge);
      if (way.back().connection < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("route: \"", edges[way.back().edge].name, "\" does not lead to \"", name, "\""));
      }
    }
    way.push_back({edge, -1});
  }
  if (way.empty() || nodes[edges[way.back().edge].to].junction >= 0) {
    return absl::InvalidArgumentError("route: the last edge must leave the network");
  }
  const int first = static_cast<int>(steps.size());
  steps.insert(steps.end(), way.begin(), way.end());
  routes.push_back({first, static_cast<int>(steps.size()) - 1, 0});
  return static_cast<int>(routes.size()) - 1;
}

}  // namespace troupe
