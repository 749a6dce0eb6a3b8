#include "actor_worker/environments/traffic/sumo/traci_codec.h"

#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe::traci {
namespace {

void Append(std::string& bytes, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

void AppendCommand(std::string& bytes, uint8_t command, absl::string_view payload) {
  const size_t short_length = payload.size() + 2;
  if (short_length <= 255) {
    Append(bytes, short_length, 1);
  } else {
    Append(bytes, 0, 1);
    Append(bytes, short_length + 4, 4);
  }
  Append(bytes, command, 1);
  bytes.append(payload.data(), payload.size());
}

uint64_t BigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

}  // namespace

Message& Message::Begin(uint8_t command) {
  if (!commands_.empty()) AppendCommand(ended_, commands_.back(), payload_);
  payload_.clear();
  commands_.push_back(command);
  return *this;
}

Message& Message::Byte(uint8_t value) {
  payload_.push_back(static_cast<char>(value));
  return *this;
}

Message& Message::Integer(int32_t value) {
  Append(payload_, static_cast<uint32_t>(value), 4);
  return *this;
}

Message& Message::Double(double value) {
  Append(payload_, std::bit_cast<uint64_t>(value), 8);
  return *this;
}

Message& Message::String(absl::string_view value) {
  Integer(static_cast<int32_t>(value.size()));
  payload_.append(value.data(), value.size());
  return *this;
}

Message& Message::Get(uint8_t command, uint8_t variable, absl::string_view object) {
  return Begin(command).Byte(variable).String(object);
}

Message& Message::GetParameter(uint8_t command, absl::string_view object, absl::string_view key) {
  return Get(command, kParameter, object).Byte(kTypeString).String(key);
}

Message& Message::Subscribe(uint8_t command, absl::string_view object, std::initializer_list<uint8_t> variables) {
  constexpr double kFromNow = -1073741824.0;
  constexpr double kForEver = -1073741824.0;
  Begin(command).Double(kFromNow).Double(kForEver).String(object).Byte(static_cast<uint8_t>(variables.size()));
  for (const uint8_t variable : variables) Byte(variable);
  return *this;
}

std::string Message::Encode() const {
  std::string bytes(4, '\0');
  bytes += ended_;
  if (!commands_.empty()) AppendCommand(bytes, commands_.back(), payload_);
  std::string length;
  Append(length, bytes.size(), 4);
  bytes.replace(0, 4, length);
  return bytes;
}

absl::string_view Reader::Take(size_t count) {
  if (!ok_ || count > bytes_.size()) {
    Fail(absl::StrCat(count, " bytes wanted, ", bytes_.size(), " left"));
    return {};
  }
  const absl::string_view taken = bytes_.substr(0, count);
  bytes_.remove_prefix(count);
  return taken;
}

void Reader::Fail(absl::string_view reason) {
  if (ok_) reason_ = std::string(reason);
  ok_ = false;
  bytes_ = {};
}

absl::Status Reader::status() const {
  if (ok_) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("malformed TraCI reply: ", reason_));
}

uint8_t Reader::Byte() { return static_cast<uint8_t>(BigEndian(Take(1))); }
int32_t Reader::Integer() { return static_cast<int32_t>(static_cast<uint32_t>(BigEndian(Take(4)))); }
double Reader::Double() { return std::bit_cast<double>(BigEndian(Take(8))); }

absl::string_view Reader::String() {
  const int32_t length = Integer();
  if (length < 0) Fail(absl::StrCat("a string of length ", length));
  return ok_ ? Take(length) : absl::string_view();
}

double Reader::TypedNumber() {
  const uint8_t type = Byte();
  double value = 0;
  switch (type) {
    case kTypeInteger:
      value = Integer();
      break;
    case kTypeDouble:
      value = Double();
      break;
    case kTypeUnsignedByte:
      value = Byte();
      break;
    case kTypeByte:
      value = static_cast<int8_t>(Byte());
      break;
    default:
      Fail(absl::StrFormat("a value of type 0x%02x where a number was expected", type));
  }
  if (ok_ && !std::isfinite(value)) Fail("a number that is not finite");
  return ok_ ? value : 0.0;
}

absl::string_view Reader::TypedString() {
  const uint8_t type = Byte();
  if (type != kTypeString) Fail(absl::StrFormat("a value of type 0x%02x where a string was expected", type));
  return ok_ ? String() : absl::string_view();
}

void Reader::TypedStringList(std::vector<absl::string_view>& values) {
  values.clear();
  const uint8_t type = Byte();
  if (type != kTypeStringList) Fail(absl::StrFormat("a value of type 0x%02x where a list was expected", type));
  const int32_t count = ok_ ? Integer() : 0;
  if (count < 0) Fail(absl::StrCat("a list of ", count, " strings"));
  for (int32_t i = 0; ok_ && i < count; ++i) values.push_back(String());
  if (!ok_) values.clear();
}

Reader Reader::Command(uint8_t& id) {
  int64_t length = Byte();
  int64_t header = 1;
  if (ok_ && length == 0) {
    length = Integer();
    header = 5;
  }
  if (ok_ && length < header + 1) Fail(absl::StrCat("a command of length ", length));
  id = Byte();
  return Reader(ok_ ? Take(length - header - 1) : absl::string_view());
}

absl::Status ReadCommandStatus(Reader& reply, uint8_t command) {
  uint8_t id = 0;
  Reader payload = reply.Command(id);
  if (!reply.ok()) return reply.status();
  const uint8_t result = payload.Byte();
  const absl::string_view description = payload.String();
  if (!payload.ok()) return payload.status();
  if (id != command) {
    reply.Fail(absl::StrFormat("the status of command 0x%02x where that of 0x%02x was expected", id, command));
    return reply.status();
  }
  if (result == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("SUMO refused TraCI command 0x%02x (result 0x%02x): %s", command, result,
                                             std::string(description)));
}

absl::Status ReadGetterResponse(Reader& reply, uint8_t command, Reader& value) {
  if (const absl::Status status = ReadCommandStatus(reply, command); !status.ok()) return status;
  uint8_t id = 0;
  value = reply.Command(id);
  if (reply.ok() && id != command + kGetterResponseOffset) {
    reply.Fail(absl::StrFormat("response 0x%02x where 0x%02x was expected", id, command + kGetterResponseOffset));
  }
  if (!reply.ok()) return reply.status();
  value.Byte();
  value.String();
  return value.status();
}

absl::StatusOr<double> ReadNumberResponse(Reader& reply, uint8_t command) {
  Reader value;
  if (const absl::Status status = ReadGetterResponse(reply, command, value); !status.ok()) return status;
  const double number = value.TypedNumber();
  if (!value.ok()) return value.status();
  return number;
}

}  // namespace troupe::traci
