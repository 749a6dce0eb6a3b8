#include "learner/export/wire_message.h"

#include <bit>

namespace troupe {
namespace {

constexpr int kVarint = 0, kLengthDelimited = 2, kFourBytes = 5;

}  // namespace

void WireMessage::AddVarint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void WireMessage::AddTag(int field, int wire_type) { AddVarint(static_cast<uint64_t>(field) << 3 | wire_type); }

void WireMessage::AddInteger(int field, int64_t value) {
  AddTag(field, kVarint);
  AddVarint(static_cast<uint64_t>(value));
}

void WireMessage::AddFloat(int field, float value) {
  AddTag(field, kFourBytes);
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift));
}

void WireMessage::AddBytes(int field, std::string_view value) {
  AddTag(field, kLengthDelimited);
  AddVarint(value.size());
  bytes_.append(value);
}

}  // namespace troupe
