#include "common/wire/scattered_floats.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <utility>

#include "common/finite.h"

namespace troupe {

ScatteredFloats::ScatteredFloats(std::vector<absl::string_view> pieces) : pieces_(std::move(pieces)) {
  size_t bytes = 0;
  for (const absl::string_view piece : pieces_) bytes += piece.size();
  assert(bytes % sizeof(float) == 0);
  size_ = bytes / sizeof(float);
}

bool ScatteredFloats::AllFinite() const {
  float cut = 0;  // a number that lies in more than one piece
  size_t have = 0;
  for (absl::string_view piece : pieces_) {
    if (have > 0) {
      const size_t rest = std::min(sizeof(float) - have, piece.size());
      std::memcpy(reinterpret_cast<char*>(&cut) + have, piece.data(), rest);
      have += rest;
      piece.remove_prefix(rest);
      if (have < sizeof(float)) continue;
      have = 0;
      if (!troupe::AllFinite(absl::MakeConstSpan(&cut, 1))) return false;
    }
    const size_t whole = piece.size() / sizeof(float);
    if (!FiniteBytes(piece.data(), whole)) return false;
    piece.remove_prefix(whole * sizeof(float));
    have = piece.size();
    std::memcpy(&cut, piece.data(), have);
  }
  return true;
}

void ScatteredFloats::Reader::Read(size_t count, float* to) {
  char* at = reinterpret_cast<char*>(to);
  for (size_t left = count * sizeof(float); left > 0;) {
    const absl::string_view piece = floats_.pieces_[piece_];
    const size_t bytes = std::min(left, piece.size() - offset_);
    std::memcpy(at, piece.data() + offset_, bytes);
    at += bytes;
    left -= bytes;
    offset_ += bytes;
    if (offset_ == piece.size()) {
      piece_ += 1;
      offset_ = 0;
    }
  }
}

}  // namespace troupe
