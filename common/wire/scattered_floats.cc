#include "common/wire/scattered_floats.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <utility>

#include "common/base/finite.h"
#include "common/base/half.h"

namespace troupe {
namespace {

size_t NumberBytes(FloatFormat format) { return format == FloatFormat::kHalf ? sizeof(uint16_t) : sizeof(float); }

bool Finite(FloatFormat format, const void* bytes, size_t count) {
  return format == FloatFormat::kHalf ? FiniteHalfBytes(bytes, count) : FiniteBytes(bytes, count);
}

}  // namespace

ScatteredFloats::ScatteredFloats(std::vector<absl::string_view> pieces, FloatFormat format)
    : pieces_(std::move(pieces)), format_(format) {
  size_t bytes = 0;
  for (const absl::string_view piece : pieces_) bytes += piece.size();
  assert(bytes % NumberBytes(format) == 0);
  size_ = bytes / NumberBytes(format);
}

bool ScatteredFloats::AllFinite() const {
  const size_t number_bytes = NumberBytes(format_);
  char cut[sizeof(float)];  // a number that lies in more than one piece
  size_t have = 0;
  for (absl::string_view piece : pieces_) {
    if (have > 0) {
      const size_t rest = std::min(number_bytes - have, piece.size());
      std::memcpy(cut + have, piece.data(), rest);
      have += rest;
      piece.remove_prefix(rest);
      if (have < number_bytes) continue;
      have = 0;
      if (!Finite(format_, cut, 1)) return false;
    }
    const size_t whole = piece.size() / number_bytes;
    if (!Finite(format_, piece.data(), whole)) return false;
    piece.remove_prefix(whole * number_bytes);
    have = piece.size();
    std::memcpy(cut, piece.data(), have);
  }
  return true;
}

void ScatteredFloats::Reader::Read(size_t count, float* to) {
  if (floats_.format_ == FloatFormat::kFloat32) return ReadBytes(count * sizeof(float), to);
  std::array<uint16_t, 512> halves;
  for (size_t done = 0; done < count;) {
    const size_t now = std::min(halves.size(), count - done);
    ReadBytes(now * sizeof(uint16_t), halves.data());
    HalvesToFloats(absl::MakeConstSpan(halves.data(), now), to + done);
    done += now;
  }
}

void ScatteredFloats::Reader::ReadBytes(size_t count, void* to) {
  for (char* at = static_cast<char*>(to); count > 0;) {
    const absl::string_view piece = floats_.pieces_[piece_];
    const size_t bytes = std::min(count, piece.size() - offset_);
    std::memcpy(at, piece.data() + offset_, bytes);
    at += bytes;
    count -= bytes;
    offset_ += bytes;
    if (offset_ == piece.size()) {
      piece_ += 1;
      offset_ = 0;
    }
  }
}

}  // namespace troupe
