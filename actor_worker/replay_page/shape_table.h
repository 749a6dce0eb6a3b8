// Scenes as numbers: every text and every shape gets an index, equal ones the same.
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_SHAPE_TABLE_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_SHAPE_TABLE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "actor_worker/environments/scene.h"
#include "actor_worker/replay_page/recording.h"

namespace troupe {

inline constexpr int kMapUnits = 4000;         // along the longer side of the first map declared
inline constexpr size_t kMaxTextBytes = 400;   // of one text; longer ones are cut
inline constexpr size_t kMaxShapePoints = 64;  // of one shape; the points between are thinned out

// Not thread-safe.
class ShapeTable {
 public:
  ShapeTable() = default;

  int32_t TextIndex(absl::string_view text);
  // The scene must have a map. The first one's decides the units.
  int32_t ShapeIndex(const Scene& scene, const Shape& shape);
  // Grows around this scene's map.
  void Cover(const Scene& scene);

  // Numbers and, four for one, bytes of text held.
  size_t size() const { return size_; }
  const RecordedMap& map() const { return map_; }
  std::vector<std::string> TakeTexts() { return std::move(texts_); }
  std::vector<RecordedShape> TakeShapes() { return std::move(shapes_); }

 private:
  int32_t Units(double length) const;

  double left_ = 0, bottom_ = 0, units_per_length_ = 0;  // 0: no map yet
  RecordedMap map_;
  size_t size_ = 0;
  std::vector<std::string> texts_;
  std::vector<RecordedShape> shapes_;
  absl::flat_hash_map<std::string, int32_t> text_of_;
  absl::flat_hash_map<std::vector<int32_t>, int32_t> shape_of_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_SHAPE_TABLE_H_
