// A tensor's numbers where the network put them: in pieces, cut anywhere, not aligned.
#ifndef TROUPE_COMMON_WIRE_SCATTERED_FLOATS_H_
#define TROUPE_COMMON_WIRE_SCATTERED_FLOATS_H_

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"

namespace troupe {

enum class FloatFormat : unsigned char { kFloat32, kHalf };

// A view: good while the pieces' memory lives. Little-endian, as the wire and the machine.
class ScatteredFloats {
 public:
  using value_type = float;

  ScatteredFloats() = default;
  // The pieces one after the other are the numbers.
  ScatteredFloats(std::vector<absl::string_view> pieces, FloatFormat format);

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // No NaN, no infinity.
  bool AllFinite() const;

  // Reads the numbers one after the other.
  class Reader {
   public:
    explicit Reader(const ScatteredFloats& floats) : floats_(floats) {}
    // The next `count`, of which so many must be left.
    void Read(size_t count, float* to);

   private:
    void ReadBytes(size_t count, void* to);

    const ScatteredFloats& floats_;
    size_t piece_ = 0, offset_ = 0;
  };

 private:
  std::vector<absl::string_view> pieces_;
  FloatFormat format_ = FloatFormat::kFloat32;
  size_t size_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_SCATTERED_FLOATS_H_
