// What an environment draws of its current state: shapes on a map, facts beside it, points of charts. A scene knows
// inks and no colours, map units and no pixels: whoever shows it chooses those (replay_page/ does, in light and dark).
//
// A drawing that begins with the same shapes in the same order at every step lets viewers glide from one to the next:
// draw what is gone without ink (kNone) rather than not at all.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_SCENE_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_SCENE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

// What a shape means to say by its colour. kFirst and those after it tell agents, teams and series apart.
enum class Ink : uint8_t {
  kNone,
  kText,
  kFaint,   // what is written or marked in passing
  kGround,  // roads, cells, frames
  kPaper,   // what the map itself has
  kGood,
  kWarning,
  kBad,
  kFirst,
};
inline constexpr int kNumTeamInks = 8;

// The ink of agent, team or series i ≥ 0; from the ninth on they begin again.
inline Ink TeamInk(int i) { return static_cast<Ink>(static_cast<int>(Ink::kFirst) + i % kNumTeamInks); }

// In map units, y upwards.
struct ScenePoint {
  double x = 0, y = 0;
};

struct Brush {
  Ink ink = Ink::kText;
  double opacity = 1;  // in [0, 1]
  double outline = 0;  // 0: filled; else only a line of this width, in map units, around the shape
  std::string note{};  // for whoever points at the shape
};

enum class ShapeKind : uint8_t { kCircle, kBox, kPolygon, kLine, kArrow, kText };
enum class TextAlign : uint8_t { kMiddle, kLeft, kRight };

struct Shape {
  ShapeKind kind = ShapeKind::kCircle;
  Brush brush;
  // Circle: the centre. Box: two opposite corners. Polygon, line, arrow: its points. Text: where it is anchored, its
  // middle in height.
  std::vector<ScenePoint> points;
  double size = 0;  // circle: radius; line, arrow: width; text: height
  std::string text{};
  TextAlign align = TextAlign::kMiddle;
};

// A short statement about the state, such as {"burst", "3 steps left"}.
struct SceneFact {
  std::string name, value;
};

// This state's value of a line in a chart over the episode. Series of one chart share its axis.
struct SceneFigure {
  std::string chart, series;
  double value = 0;
};

class Scene {
 public:
  // What is bound to be seen. Viewers show what all steps of the episode together declare.
  void Map(double left, double bottom, double right, double top);

  void Circle(ScenePoint centre, double radius, Brush brush);
  void Box(ScenePoint corner, ScenePoint opposite, Brush brush);
  void Polygon(std::vector<ScenePoint> points, Brush brush);
  void Line(std::vector<ScenePoint> points, double width, Brush brush);
  void Arrow(ScenePoint from, ScenePoint to, double width, Brush brush);
  void Text(ScenePoint at, double height, std::string text, Brush brush = {}, TextAlign align = TextAlign::kMiddle);

  void Fact(std::string name, std::string value);
  // The same charts and series in the same order at every step of an episode.
  void Figure(std::string chart, std::string series, double value);

  bool has_map() const { return right_ > left_ && top_ > bottom_; }
  double left() const { return left_; }
  double bottom() const { return bottom_; }
  double right() const { return right_; }
  double top() const { return top_; }
  const std::vector<Shape>& shapes() const { return shapes_; }
  const std::vector<SceneFact>& facts() const { return facts_; }
  const std::vector<SceneFigure>& figures() const { return figures_; }

 private:
  double left_ = 0, bottom_ = 0, right_ = 0, top_ = 0;
  std::vector<Shape> shapes_;
  std::vector<SceneFact> facts_;
  std::vector<SceneFigure> figures_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_SCENE_H_
