// A protobuf message as bytes, written field by field: for formats whose messages are not compiled in.
#ifndef TROUPE_LEARNER_EXPORT_WIRE_MESSAGE_H_
#define TROUPE_LEARNER_EXPORT_WIRE_MESSAGE_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

// Fields stand in the order in which they are added (https://protobuf.dev/programming-guides/encoding). A field that is
// added again is one more element of a repeated one, not packed.
class WireMessage {
 public:
  // int32, int64, uint64, bool and enums; negative ones take ten bytes.
  void AddInteger(int field, int64_t value);
  // float.
  void AddFloat(int field, float value);
  // string and bytes.
  void AddBytes(int field, std::string_view value);
  void AddMessage(int field, const WireMessage& message) { AddBytes(field, message.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void AddVarint(uint64_t value);
  void AddTag(int field, int wire_type);

  std::string bytes_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_WIRE_MESSAGE_H_
