// Lanes as lines on a map: moved aside from the middle of their road, and cut.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_LANE_GEOMETRY_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_LANE_GEOMETRY_H_

#include <vector>

#include "actor_worker/environments/scene.h"
#include "actor_worker/environments/traffic/simulation.h"

namespace troupe {

// The way, moved so many metres to the right of its direction; left of it below 0. Empty for fewer than two points.
std::vector<ScenePoint> Beside(const std::vector<MapPoint>& way, double metres);

double LengthOf(const std::vector<ScenePoint>& line);

// The part of a line of two points or more that lies between so many metres before its end, 0 ≤ near ≤ far; at least
// two points, equal ones where nothing lies between. What is beyond its beginning is cut.
std::vector<ScenePoint> BeforeEnd(const std::vector<ScenePoint>& line, double far, double near);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_LANE_GEOMETRY_H_
