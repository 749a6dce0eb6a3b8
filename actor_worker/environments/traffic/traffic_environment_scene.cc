// A replay page's picture: the network's roads, on every lane that meets a signal who stands (from the stop line back)
// and who drives behind them, and its light. Lanes are drawn wider than they are where the map is large.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "actor_worker/environments/scene.h"
#include "actor_worker/environments/traffic/lane_geometry.h"
#include "actor_worker/environments/traffic/traffic_environment.h"

namespace troupe {
namespace {

constexpr double kLaneMetres = 3.2, kVehicleMetres = 7.5;
constexpr double kLanesAcross = 130;   // lanes are at least the map's longer side over this wide
constexpr double kLettersAcross = 52;  // the same of the height of letters

struct Extent {
  double left = std::numeric_limits<double>::infinity(), bottom = left, right = -left, top = -left;

  void Add(const std::vector<MapPoint>& way) {
    for (const MapPoint& point : way) {
      left = std::min(left, point.x);
      bottom = std::min(bottom, point.y);
      right = std::max(right, point.x);
      top = std::max(top, point.y);
    }
  }
  double side() const { return std::max(right - left, top - bottom); }
};

Extent ExtentOf(const TrafficNetwork& network) {
  Extent extent;
  for (const TrafficLane& lane : network.lanes) extent.Add(lane.way);
  for (const std::vector<MapPoint>& way : network.other_ways) extent.Add(way);
  return extent;
}

Ink LightOf(const TrafficLane& lane, const SignalState& state) {
  const bool now = lane.green_phases >> state.phase & 1, next = lane.green_phases >> state.next_phase & 1;
  if (state.stage == SignalStage::kGreen) return now ? Ink::kGood : Ink::kBad;
  if (now && (next || state.stage == SignalStage::kClearing)) return Ink::kGood;
  return now && state.stage == SignalStage::kYellow ? Ink::kWarning : Ink::kBad;
}

std::string LightsOf(const TrafficJunction& junction, const SignalTiming& signal) {
  const SignalState& state = signal.state();
  if (state.stage == SignalStage::kGreen) {
    return absl::StrFormat("%s %d s", junction.phases[state.phase], signal.seconds_in_stage());
  }
  return absl::StrCat(junction.phases[state.phase], " → ", junction.phases[state.next_phase]);
}

// Names of real networks may be as long as a street.
std::string ShortName(const std::string& name) {
  constexpr size_t kMost = 14;
  return name.size() <= kMost ? name : absl::StrCat(name.substr(0, kMost - 1), "…");
}

class MapDrawing {
 public:
  MapDrawing(const TrafficNetwork& network, const Extent& extent, Scene& scene)
      : network_(network),
        scene_(scene),
        width_(std::max(kLaneMetres, extent.side() / kLanesAcross)),
        letters_(extent.side() / kLettersAcross),
        stops_(network.lanes.size()) {
    const double margin = extent.side() / 80;
    scene.Map(extent.left - margin, extent.bottom - margin, extent.right + margin, extent.top + margin);
  }

  void OtherRoads() {
    size_t place = 0;
    for (size_t i = 0; i < network_.other_ways.size(); ++i) {
      const std::vector<MapPoint>& way = network_.other_ways[i];
      const bool same = i > 0 && way.size() > 1 && network_.other_ways[i - 1].size() == way.size() &&
                        network_.other_ways[i - 1].front().x == way.front().x &&
                        network_.other_ways[i - 1].front().y == way.front().y;
      place = same ? place + 1 : 0;
      const std::vector<ScenePoint> line = Beside(way, width_ * (static_cast<double>(place) + 0.5));
      if (!line.empty()) scene_.Line(line, 0.86 * width_, {.ink = Ink::kGround, .opacity = 0.6});
    }
  }

  // First the roads of all lanes, so that nothing of a lane lies below another one's.
  void Roads() {
    for (size_t i = 0; i < network_.lanes.size(); ++i) {
      const TrafficLane& lane = network_.lanes[i];
      std::vector<ScenePoint>& line = stops_[i];
      line = Beside(lane.way, width_ * (lane.place + 0.5));
      if (line.empty()) continue;
      // Room in the junction for lanes that are drawn too wide.
      const double room = std::min(3 * (width_ - kLaneMetres), 0.3 * LengthOf(line));
      line = BeforeEnd(line, LengthOf(line), room);
      scene_.Line(line, 0.86 * width_, {.ink = Ink::kGround});
    }
  }

  void Lane(size_t i, const LaneMeasurement& measured, const SignalState& state) {
    if (stops_[i].empty()) return;
    const TrafficLane& lane = network_.lanes[i];
    const double standing = kVehicleMetres * measured.halting, all = kVehicleMetres * measured.vehicles;
    const std::string note = absl::StrFormat("%s: %.0f standing, %.0f driving%s", lane.name, measured.halting,
                                             measured.vehicles - measured.halting,
                                             measured.emergency_vehicles > 0 ? ", an emergency vehicle" : "");
    const Ink queue = measured.emergency_vehicles > 0 ? TeamInk(3) : TeamInk(1);
    const double gap = width_;
    scene_.Line(BeforeEnd(stops_[i], gap + all, gap + standing), 0.62 * width_,
                {.ink = all > standing ? TeamInk(0) : Ink::kNone, .opacity = 0.75, .note = note});
    scene_.Line(BeforeEnd(stops_[i], gap + standing, gap), 0.62 * width_,
                {.ink = standing > 0 ? queue : Ink::kNone, .note = note});
    scene_.Line(BeforeEnd(stops_[i], 0.7 * width_, 0), 0.92 * width_, {.ink = LightOf(lane, state)});
  }

  void Junction(const TrafficJunction& junction, const SignalTiming& signal, double standing) {
    ScenePoint sum;
    int lanes = 0, most = 0;
    for (int i = junction.first_lane; i < junction.first_lane + junction.num_lanes; ++i) {
      if (network_.lanes[i].way.empty()) continue;
      sum.x += network_.lanes[i].way.back().x;
      sum.y += network_.lanes[i].way.back().y;
      most = std::max(most, network_.lanes[i].place + 1);
      ++lanes;
    }
    if (lanes == 0) return;
    const ScenePoint middle = {sum.x / lanes, sum.y / lanes};
    scene_.Circle(
        middle, 0.5 * letters_,
        {.ink = Ink::kFaint,
         .opacity = 0.5,
         .note = absl::StrFormat("%s: %s, %.0f standing", junction.name, LightsOf(junction, signal), standing)});
    const ScenePoint corner = {middle.x + (most + 0.8) * width_ + 0.2 * letters_,
                               middle.y + (most + 0.8) * width_ + 0.2 * letters_};
    scene_.Text({corner.x, corner.y + 1.7 * letters_}, letters_, ShortName(junction.name), {}, TextAlign::kLeft);
    scene_.Text({corner.x, corner.y + 0.5 * letters_}, 0.85 * letters_, LightsOf(junction, signal),
                {.ink = Ink::kFaint}, TextAlign::kLeft);
  }

 private:
  const TrafficNetwork& network_;
  Scene& scene_;
  const double width_, letters_;
  std::vector<std::vector<ScenePoint>> stops_;  // of each lane, as it is drawn
};

}  // namespace

void TrafficEnvironment::Draw(Scene& scene) const {
  double standing = 0, vehicles = 0, waiting = 0;
  for (const LaneMeasurement& lane : lanes_) {
    standing += lane.halting;
    vehicles += lane.vehicles;
    waiting += lane.waiting_seconds;
  }
  scene.Fact("time", absl::StrFormat("%d:%02d", seconds_ / 60, seconds_ % 60));
  scene.Fact("standing", absl::StrFormat("%.0f", standing));
  scene.Fact("before signals", absl::StrFormat("%.0f vehicles", vehicles));
  scene.Figure("vehicles before signals", "standing", standing);
  scene.Figure("vehicles before signals", "all", vehicles);
  scene.Figure("mean wait of those who stand, s", "wait", standing > 0 ? waiting / standing : 0);
  const Extent extent = ExtentOf(network());
  if (!(extent.side() > 0)) return;
  MapDrawing drawing(network(), extent, scene);
  drawing.OtherRoads();
  drawing.Roads();
  for (size_t i = 0; i < network().lanes.size(); ++i) {
    drawing.Lane(i, lanes_[i], signals_[network().lanes[i].junction].state());
  }
  for (size_t j = 0; j < signals_.size(); ++j) {
    drawing.Junction(network().junctions[j], signals_[j], sums_[j].halting);
  }
}

}  // namespace troupe
