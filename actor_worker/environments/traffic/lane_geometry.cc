#include "actor_worker/environments/traffic/lane_geometry.h"

#include <algorithm>
#include <cmath>

namespace troupe {
namespace {

double Distance(ScenePoint a, ScenePoint b) { return std::hypot(b.x - a.x, b.y - a.y); }

ScenePoint Between(ScenePoint a, ScenePoint b, double share) {
  return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

// Of length 1, to the right of the way's direction at this point; zero where the way does not move.
ScenePoint RightAt(const std::vector<MapPoint>& way, size_t point) {
  const MapPoint& before = way[point == 0 ? 0 : point - 1];
  const MapPoint& after = way[std::min(point + 1, way.size() - 1)];
  const double dx = after.x - before.x, dy = after.y - before.y, length = std::hypot(dx, dy);
  return length > 0 ? ScenePoint{dy / length, -dx / length} : ScenePoint{};
}

}  // namespace

std::vector<ScenePoint> Beside(const std::vector<MapPoint>& way, double metres) {
  std::vector<ScenePoint> line;
  if (way.size() < 2) return line;
  for (size_t i = 0; i < way.size(); ++i) {
    const ScenePoint right = RightAt(way, i);
    line.push_back({way[i].x + metres * right.x, way[i].y + metres * right.y});
  }
  return line;
}

double LengthOf(const std::vector<ScenePoint>& line) {
  double length = 0;
  for (size_t i = 1; i < line.size(); ++i) length += Distance(line[i - 1], line[i]);
  return length;
}

std::vector<ScenePoint> BeforeEnd(const std::vector<ScenePoint>& line, double far, double near) {
  const double length = LengthOf(line);
  const double from = length - std::min(far, length), to = length - std::min(near, length);
  std::vector<ScenePoint> part;
  double passed = 0;
  for (size_t i = 1; i < line.size(); ++i) {
    const double piece = Distance(line[i - 1], line[i]);
    const auto at = [&](double metres) {
      return piece > 0 ? Between(line[i - 1], line[i], std::clamp((metres - passed) / piece, 0.0, 1.0)) : line[i];
    };
    const bool last = i + 1 == line.size();
    if (part.empty() && (from < passed + piece || last)) part.push_back(at(from));
    if (!part.empty() && (to <= passed + piece || last)) {
      part.push_back(at(to));
      return part;
    }
    if (!part.empty()) part.push_back(line[i]);
    passed += piece;
  }
  return part;
}

}  // namespace troupe
