// A replay page's picture: cells, goals as frames, walkers as discs.
#include "absl/strings/str_cat.h"
#include "actor_worker/environments/grid_world/grid_world.h"
#include "actor_worker/environments/scene.h"

namespace troupe {
namespace {

// The middle of a cell: columns from the left, the first row on top.
ScenePoint MiddleOf(int size, int cell) { return {cell % size + 0.5, size - cell / size - 0.5}; }

}  // namespace

void GridWorld::Draw(Scene& scene) const {
  const int size = settings_.size;
  scene.Map(0, 0, size, size);
  for (int cell = 0; cell < size * size; ++cell) {
    const auto [x, y] = MiddleOf(size, cell);
    scene.Box(
        {x - 0.5, y - 0.5}, {x + 0.5, y + 0.5},
        {.ink = Ink::kGround, .outline = 0.02, .note = absl::StrCat("row ", cell / size, ", column ", cell % size)});
  }
  for (int agent = 0; agent < 2; ++agent) {
    const auto [x, y] = MiddleOf(size, goals_[agent]);
    const std::string note = absl::StrCat("goal of walker ", agent);
    scene.Box({x - 0.4, y - 0.4}, {x + 0.4, y + 0.4}, {.ink = TeamInk(agent), .opacity = 0.15, .note = note});
    scene.Box({x - 0.4, y - 0.4}, {x + 0.4, y + 0.4}, {.ink = TeamInk(agent), .outline = 0.05, .note = note});
  }
  for (int agent = 0; agent < 2; ++agent) {
    const ScenePoint at = MiddleOf(size, cells_[agent]);
    scene.Circle(at, 0.27, {.ink = TeamInk(agent), .note = absl::StrCat("walker ", agent)});
    scene.Text(at, 0.28, absl::StrCat(agent), {.ink = Ink::kPaper});
  }
  scene.Fact("wall hits", absl::StrCat(wall_hits_));
  scene.Fact("collisions", absl::StrCat(collisions_));
  for (int agent = 0; agent < 2; ++agent) {
    scene.Figure("distance to the goal, cells", absl::StrCat("walker ", agent),
                 GridDistance(size, cells_[agent], goals_[agent]));
  }
}

}  // namespace troupe
