#include "actor_worker/environments/scene.h"

namespace troupe {

void Scene::Map(double left, double bottom, double right, double top) {
  left_ = left;
  bottom_ = bottom;
  right_ = right;
  top_ = top;
}

void Scene::Circle(ScenePoint centre, double radius, Brush brush) {
  shapes_.push_back({.kind = ShapeKind::kCircle, .brush = std::move(brush), .points = {centre}, .size = radius});
}

void Scene::Box(ScenePoint corner, ScenePoint opposite, Brush brush) {
  shapes_.push_back({.kind = ShapeKind::kBox, .brush = std::move(brush), .points = {corner, opposite}});
}

void Scene::Polygon(std::vector<ScenePoint> points, Brush brush) {
  shapes_.push_back({.kind = ShapeKind::kPolygon, .brush = std::move(brush), .points = std::move(points)});
}

void Scene::Line(std::vector<ScenePoint> points, double width, Brush brush) {
  shapes_.push_back({.kind = ShapeKind::kLine, .brush = std::move(brush), .points = std::move(points), .size = width});
}

void Scene::Arrow(ScenePoint from, ScenePoint to, double width, Brush brush) {
  shapes_.push_back({.kind = ShapeKind::kArrow, .brush = std::move(brush), .points = {from, to}, .size = width});
}

void Scene::Text(ScenePoint at, double height, std::string text, Brush brush, TextAlign align) {
  shapes_.push_back({.kind = ShapeKind::kText,
                     .brush = std::move(brush),
                     .points = {at},
                     .size = height,
                     .text = std::move(text),
                     .align = align});
}

void Scene::Fact(std::string name, std::string value) { facts_.push_back({std::move(name), std::move(value)}); }

void Scene::Figure(std::string chart, std::string series, double value) {
  figures_.push_back({std::move(chart), std::move(series), value});
}

}  // namespace troupe
