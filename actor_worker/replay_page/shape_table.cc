#include "actor_worker/replay_page/shape_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {
namespace {

constexpr double kFurthest = 1e6;  // units from the corner of the map; what is drawn beyond is moved there

// At most kMaxShapePoints of them, the first and the last always.
std::vector<ScenePoint> Thinned(const std::vector<ScenePoint>& points) {
  if (points.size() <= kMaxShapePoints) return points;
  std::vector<ScenePoint> kept;
  for (size_t i = 0; i < kMaxShapePoints; ++i) kept.push_back(points[i * (points.size() - 1) / (kMaxShapePoints - 1)]);
  return kept;
}

// Cut so that no character of UTF-8 is halved.
absl::string_view Shortened(absl::string_view text) {
  if (text.size() <= kMaxTextBytes) return text;
  size_t end = kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

int32_t ShapeTable::TextIndex(absl::string_view text) {
  text = Shortened(text);
  const auto [found, inserted] = text_of_.try_emplace(std::string(text), static_cast<int32_t>(texts_.size()));
  if (inserted) {
    texts_.emplace_back(text);
    size_ += 1 + text.size() / 4;
  }
  return found->second;
}

void ShapeTable::Cover(const Scene& scene) {
  if (units_per_length_ == 0) {
    left_ = scene.left();
    bottom_ = scene.bottom();
    units_per_length_ = kMapUnits / std::max(scene.right() - scene.left(), scene.top() - scene.bottom());
  }
  map_.left = std::min(map_.left, Units(scene.left() - left_));
  map_.bottom = std::min(map_.bottom, Units(scene.bottom() - bottom_));
  map_.right = std::max(map_.right, Units(scene.right() - left_));
  map_.top = std::max(map_.top, Units(scene.top() - bottom_));
}

int32_t ShapeTable::Units(double length) const {
  const double units = length * units_per_length_;
  return std::isfinite(units) ? static_cast<int32_t>(std::lround(std::clamp(units, -kFurthest, kFurthest))) : 0;
}

int32_t ShapeTable::ShapeIndex(const Scene& scene, const Shape& shape) {
  Cover(scene);
  const Brush& brush = shape.brush;
  std::vector<int32_t> values = {static_cast<int32_t>(shape.kind),
                                 static_cast<int32_t>(brush.ink),
                                 static_cast<int32_t>(std::lround(100 * std::clamp(brush.opacity, 0.0, 1.0))),
                                 Units(brush.outline),
                                 Units(shape.size),
                                 static_cast<int32_t>(shape.align),
                                 TextIndex(shape.text),
                                 TextIndex(brush.note)};
  for (const ScenePoint& point : Thinned(shape.points)) {
    values.push_back(Units(point.x - left_));
    values.push_back(Units(point.y - bottom_));
  }
  const auto [found, inserted] = shape_of_.try_emplace(values, static_cast<int32_t>(shapes_.size()));
  if (inserted) {
    size_ += values.size();
    shapes_.push_back({std::move(values)});
  }
  return found->second;
}

}  // namespace troupe
