// Bytes of TraCI, SUMO's control protocol (https://sumo.dlr.de/docs/TraCI/Protocol.html): everything big-endian,
// strings prefixed by an int32 length.
//
//   message  := int32 length of everything, itself included; command*
//   command  := u8 length, or u8 0 and int32 length (length counts itself); u8 id; payload
//   reply    := per command sent: status [, one response command]
//   status   := command whose payload is u8 result (0 = done), string description
//   typed value := u8 type; value
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CODEC_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CODEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe::traci {

inline constexpr uint8_t kGetVersion = 0x00;
inline constexpr uint8_t kSimulationStep = 0x02;
inline constexpr uint8_t kGetLane = 0xa3;
inline constexpr uint8_t kGetVehicle = 0xa4;
inline constexpr uint8_t kGetSimulation = 0xab;
inline constexpr uint8_t kSetTrafficLight = 0xc2;
inline constexpr uint8_t kSubscribeVehicle = 0xd4;
inline constexpr uint8_t kSubscribeSimulation = 0xdb;
inline constexpr uint8_t kVehicleResult = 0xe4;
inline constexpr uint8_t kSimulationResult = 0xeb;
// A getter is answered by its id plus this.
inline constexpr uint8_t kGetterResponseOffset = 0x10;

inline constexpr uint8_t kIdList = 0x00;
inline constexpr uint8_t kVehicleIds = 0x12;
inline constexpr uint8_t kOccupancy = 0x13;
inline constexpr uint8_t kHalting = 0x14;
inline constexpr uint8_t kSignalState = 0x20;
inline constexpr uint8_t kDepartDelay = 0x3b;
inline constexpr uint8_t kVehicleClass = 0x49;
inline constexpr uint8_t kTime = 0x66;
inline constexpr uint8_t kDepartedIds = 0x74;
inline constexpr uint8_t kTeleportingIds = 0x76;
inline constexpr uint8_t kArrivedIds = 0x7a;   // of the simulation
inline constexpr uint8_t kWaitingTime = 0x7a;  // of a lane or a vehicle
inline constexpr uint8_t kParameter = 0x7e;
inline constexpr uint8_t kTimeLoss = 0x8c;
inline constexpr uint8_t kPendingIds = 0x94;

inline constexpr uint8_t kTypeByte = 0x08;
inline constexpr uint8_t kTypeUnsignedByte = 0x07;
inline constexpr uint8_t kTypeInteger = 0x09;
inline constexpr uint8_t kTypeDouble = 0x0b;
inline constexpr uint8_t kTypeString = 0x0c;
inline constexpr uint8_t kTypeStringList = 0x0e;

// Builds the commands of one message. Payload calls follow the Begin of their command.
class Message {
 public:
  Message& Begin(uint8_t command);
  Message& Byte(uint8_t value);
  Message& Integer(int32_t value);
  Message& Double(double value);
  Message& String(absl::string_view value);

  // Getter of one variable of one object.
  Message& Get(uint8_t command, uint8_t variable, absl::string_view object);
  // The same for kParameter, which takes the parameter's name.
  Message& GetParameter(uint8_t command, absl::string_view object, absl::string_view key);
  // Subscribes to variables of an object for the rest of the simulation.
  Message& Subscribe(uint8_t command, absl::string_view object, std::initializer_list<uint8_t> variables);

  // Ids of the commands begun, in order.
  const std::vector<uint8_t>& commands() const { return commands_; }
  // The whole message with all lengths filled in.
  std::string Encode() const;

 private:
  std::vector<uint8_t> commands_;
  std::string ended_;    // the commands before the last, encoded
  std::string payload_;  // of the last command
};

// Reads bytes front to back. Reading past the end, a negative length or a value of another type than asked for makes
// the reader bad: it stays so, and returns zeros and empty strings. Views point into the bytes given.
class Reader {
 public:
  explicit Reader(absl::string_view bytes = {}) : bytes_(bytes) {}

  uint8_t Byte();
  int32_t Integer();
  double Double();
  absl::string_view String();

  // Values prefixed by their type.
  double TypedNumber();  // integer, byte or double
  absl::string_view TypedString();
  void TypedStringList(std::vector<absl::string_view>& values);

  // Takes one command off the front: its id, and a reader of its payload.
  Reader Command(uint8_t& id);

  bool at_end() const { return bytes_.empty(); }
  bool ok() const { return ok_; }
  // Marks the bytes as bad; the first reason is kept.
  void Fail(absl::string_view reason);
  // OK, or INTERNAL "malformed TraCI reply: REASON".
  absl::Status status() const;

 private:
  absl::string_view Take(size_t count);

  absl::string_view bytes_;
  bool ok_ = true;
  std::string reason_;
};

// Takes the status of `command` off the front of a reply. Errors: INTERNAL with SUMO's description when it refused the
// command, INTERNAL for malformed bytes or the status of another command.
absl::Status ReadCommandStatus(Reader& reply, uint8_t command);

// Takes a getter's status and response off the front of a reply; what is left in `value` is the typed value.
absl::Status ReadGetterResponse(Reader& reply, uint8_t command, Reader& value);

// The same where the value is a number.
absl::StatusOr<double> ReadNumberResponse(Reader& reply, uint8_t command);

}  // namespace troupe::traci

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_TRAFFIC_SUMO_TRACI_CODEC_H_
