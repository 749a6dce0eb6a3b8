#include "actor_worker/environments/traffic/sumo/net_file.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr double kHeadingMetres = 15;

double NumberOr(const std::string& text, double fallback) {
  double value = 0;
  return absl::SimpleAtod(text, &value) && std::isfinite(value) ? value : fallback;
}

int IntegerOr(const std::string& text, int fallback) {
  int value = 0;
  return absl::SimpleAtoi(text, &value) ? value : fallback;
}

bool ForPedestriansOnly(const std::string& allow) { return allow == "pedestrian" || allow == "bicycle pedestrian"; }

void ReadShape(const std::string& shape, NetLane& lane) {
  std::vector<MapPoint>& points = lane.shape;
  for (const absl::string_view point : absl::StrSplit(shape, ' ', absl::SkipEmpty())) {
    const std::vector<std::string> numbers = absl::StrSplit(point, ',');
    if (numbers.size() >= 2) points.push_back({NumberOr(numbers[0], 0), NumberOr(numbers[1], 0)});
  }
  if (points.empty()) return;
  for (size_t i = points.size() - 1; i-- > 0;) {
    lane.heading_x = points.back().x - points[i].x;
    lane.heading_y = points.back().y - points[i].y;
    if (std::hypot(lane.heading_x, lane.heading_y) >= kHeadingMetres) return;
  }
}

// Files elements into a NetFile and knows what is open.
class NetBuilder {
 public:
  explicit NetBuilder(NetFile& net) : net_(net) {
    for (size_t i = 0; i < net.edges.size(); ++i) edges_[net.edges[i].id] = static_cast<int>(i);
    for (size_t i = 0; i < net.signals.size(); ++i) signals_[net.signals[i].id] = static_cast<int>(i);
  }

  void Start(const XmlReader& xml) {
    if (xml.name() == "edge") {
      StartEdge(xml);
    } else if (xml.name() == "lane" && open_edge_ >= 0) {
      AddLane(xml);
    } else if (xml.name() == "tlLogic") {
      open_signal_ = SignalIndex(xml.Attribute("id"));
      net_.signals[open_signal_].program.clear();
    } else if (xml.name() == "phase" && open_signal_ >= 0) {
      net_.signals[open_signal_].program.push_back({NumberOr(xml.Attribute("duration"), 0), xml.Attribute("state")});
    } else if (xml.name() == "connection") {
      AddConnection(xml);
    } else {
      NoteWrittenFile(xml);
    }
  }

  void End(absl::string_view name) {
    if (name == "edge") open_edge_ = -1;
    if (name == "tlLogic") open_signal_ = -1;
  }

 private:
  void StartEdge(const XmlReader& xml) {
    if (!xml.Attribute("function").empty() && xml.Attribute("function") != "normal") return;
    open_edge_ = static_cast<int>(net_.edges.size());
    net_.edges.push_back({xml.Attribute("id"), {}});
    edges_[xml.Attribute("id")] = open_edge_;
  }

  void AddLane(const XmlReader& xml) {
    NetLane lane;
    lane.id = xml.Attribute("id");
    lane.length_m = NumberOr(xml.Attribute("length"), 0);
    if (ForPedestriansOnly(xml.Attribute("allow"))) lane.id.clear();
    ReadShape(xml.Attribute("shape"), lane);
    net_.edges[open_edge_].lanes.push_back(std::move(lane));
  }

  void AddConnection(const XmlReader& xml) {
    const auto from = edges_.find(xml.Attribute("from"));
    const auto to = edges_.find(xml.Attribute("to"));
    if (from == edges_.end() || to == edges_.end()) return;
    NetConnection connection;
    connection.from_edge = from->second;
    connection.to_edge = to->second;
    connection.from_lane = IntegerOr(xml.Attribute("fromLane"), 0);
    connection.to_lane = IntegerOr(xml.Attribute("toLane"), 0);
    connection.turnaround = xml.Attribute("dir") == "t";
    connection.through = xml.Attribute("dir") == "s";
    const auto lane_exists = [&](int edge, int lane) {
      return lane >= 0 && lane < static_cast<int>(net_.edges[edge].lanes.size()) &&
             !net_.edges[edge].lanes[lane].id.empty();
    };
    if (!lane_exists(connection.from_edge, connection.from_lane)) return;
    if (!lane_exists(connection.to_edge, connection.to_lane)) return;
    if (!xml.Attribute("tl").empty()) {
      connection.signal = SignalIndex(xml.Attribute("tl"));
      connection.link = IntegerOr(xml.Attribute("linkIndex"), -1);
    }
    net_.connections.push_back(connection);
  }

  void NoteWrittenFile(const XmlReader& xml) {
    static constexpr absl::string_view kWriters[] = {"e1Detector",        "inductionLoop",    "instantInductionLoop",
                                                     "e2Detector",        "laneAreaDetector", "e3Detector",
                                                     "entryExitDetector", "edgeData",         "laneData",
                                                     "routeProbe"};
    const std::string& file = xml.Attribute("file");
    if (file.empty() || file == "NUL" || file == "nul" || file == "/dev/null") return;
    if (std::find(std::begin(kWriters), std::end(kWriters), xml.name()) == std::end(kWriters)) return;
    net_.written_files.push_back(file);
  }

  int SignalIndex(const std::string& id) {
    const auto [found, inserted] = signals_.try_emplace(id, static_cast<int>(net_.signals.size()));
    if (inserted) net_.signals.push_back({id, {}});
    return found->second;
  }

  NetFile& net_;
  absl::flat_hash_map<std::string, int> edges_;
  absl::flat_hash_map<std::string, int> signals_;
  int open_edge_ = -1;
  int open_signal_ = -1;
};

}  // namespace

absl::Status ParseNet(XmlReader& xml, NetFile& net) {
  NetBuilder builder(net);
  while (xml.Next()) {
    if (xml.is_end()) {
      builder.End(xml.name());
    } else {
      builder.Start(xml);
    }
  }
  return xml.status();
}

absl::StatusOr<NetFile> ReadNetFile(const SumoConfiguration& configuration) {
  NetFile net;
  std::vector<std::string> files = configuration.additional_files;
  files.insert(files.begin(), configuration.net_file);
  for (const std::string& file : files) {
    XmlReader xml(file);
    RETURN_IF_ERROR(ParseNet(xml, net));
  }
  return net;
}

}  // namespace troupe
