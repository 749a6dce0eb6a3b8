#include "actor_worker/environments/traffic/sumo/traci_codec.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace troupe::traci {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

TEST(TraciMessage, EncodesABigEndianStepCommand) {
  Message message;
  message.Begin(kSimulationStep).Double(1.5);
  EXPECT_EQ(message.Encode(), Bytes({0, 0, 0, 14, 10, 0x02, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0}));
}

TEST(TraciMessage, PutsSeveralCommandsIntoOneMessage) {
  Message message;
  message.Get(kGetLane, kHalting, "a").Get(kGetSimulation, kTime, "");
  EXPECT_EQ(message.Encode(), Bytes({0, 0, 0, 4 + 8 + 7, 8, 0xa3, 0x14, 0, 0, 0, 1, 'a', 7, 0xab, 0x66, 0, 0, 0, 0}));
  EXPECT_EQ(message.commands(), (std::vector<uint8_t>{kGetLane, kGetSimulation}));
}

TEST(TraciMessage, GrowsFromACopyWithoutChangingIt) {
  Message questions;
  questions.Get(kGetLane, kHalting, "a");
  const std::string before = questions.Encode();
  Message more = questions;
  more.Get(kGetVehicle, kVehicleClass, "b");
  Message whole;
  whole.Get(kGetLane, kHalting, "a").Get(kGetVehicle, kVehicleClass, "b");
  EXPECT_EQ(more.Encode(), whole.Encode());
  EXPECT_EQ(questions.Encode(), before);
  EXPECT_EQ(Message().Encode(), Bytes({0, 0, 0, 4}));
}

TEST(TraciMessage, UsesTheLongFormFromTwoHundredAndFiftySixBytesOn) {
  for (const size_t length : {248u, 249u, 250u, 251u}) {
    Message message;
    message.Get(kGetLane, kHalting, std::string(length, 'x'));
    const std::string bytes = message.Encode();
    const size_t command = 1 + 1 + 1 + 4 + length;  // length byte, id, variable, string
    if (command <= 255) {
      EXPECT_EQ(static_cast<uint8_t>(bytes[4]), command);
      EXPECT_EQ(bytes.size(), 4 + command);
    } else {
      EXPECT_EQ(bytes.substr(4, 5), Bytes({0, 0, 0, 1, static_cast<int>(command + 4 - 256)}));
      EXPECT_EQ(bytes.size(), 4 + command + 4);
    }
    Reader reader(absl::string_view(bytes).substr(4));
    uint8_t id = 0;
    Reader payload = reader.Command(id);
    EXPECT_EQ(id, kGetLane);
    EXPECT_EQ(payload.Byte(), kHalting);
    EXPECT_EQ(payload.String().size(), length);
    EXPECT_TRUE(payload.at_end() && payload.ok() && reader.at_end() && reader.ok());
  }
}

TEST(TraciReader, ReadsNumbersOfEveryWidth) {
  const std::string bytes =
      Bytes({0x09, 0xff, 0xff, 0xff, 0xfe, 0x0b, 0xc0, 0x04, 0, 0, 0, 0, 0, 0, 0x07, 200, 0x08, 200});
  Reader reader(bytes);
  EXPECT_EQ(reader.TypedNumber(), -2);
  EXPECT_EQ(reader.TypedNumber(), -2.5);
  EXPECT_EQ(reader.TypedNumber(), 200);
  EXPECT_EQ(reader.TypedNumber(), -56);
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST(TraciReader, ReadsStringLists) {
  const std::string bytes = Bytes({0x0e, 0, 0, 0, 2, 0, 0, 0, 1, 'p', 0, 0, 0, 0});
  Reader reader(bytes);
  std::vector<absl::string_view> values;
  reader.TypedStringList(values);
  EXPECT_EQ(values, (std::vector<absl::string_view>{"p", ""}));
  EXPECT_TRUE(reader.ok() && reader.at_end());
}

TEST(TraciReader, TurnsBadWhenCutAnywhereAndStaysSo) {
  const std::string whole = Bytes({0x0e, 0, 0, 0, 2, 0, 0, 0, 1, 'p', 0, 0, 0, 2, 'q', 'r'});
  for (size_t length = 0; length < whole.size(); ++length) {
    Reader reader(absl::string_view(whole).substr(0, length));
    std::vector<absl::string_view> values;
    reader.TypedStringList(values);
    EXPECT_FALSE(reader.ok()) << length;
    EXPECT_TRUE(values.empty()) << length;
    EXPECT_EQ(reader.Integer(), 0);
    EXPECT_EQ(reader.status().code(), absl::StatusCode::kInternal);
  }
}

TEST(TraciReader, RefusesNegativeLengthsHugeListsWrongTypesAndNumbersThatAreNone) {
  std::vector<absl::string_view> values;
  const std::string negative = Bytes({0x0c, 0xff, 0xff, 0xff, 0xff});
  Reader negative_string(negative);
  negative_string.TypedString();
  EXPECT_NE(negative_string.status().message().find("a string of length -1"), std::string::npos);

  const std::string huge = Bytes({0x0e, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0});
  Reader huge_list(huge);
  huge_list.TypedStringList(values);
  EXPECT_FALSE(huge_list.ok());

  const std::string text = Bytes({0x0c, 0, 0, 0, 1, 'x'});
  Reader not_a_number(text);
  EXPECT_EQ(not_a_number.TypedNumber(), 0);
  EXPECT_NE(not_a_number.status().message().find("0x0c where a number was expected"), std::string::npos);

  const std::string nan = Bytes({0x0b, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0});
  Reader not_finite(nan);
  EXPECT_EQ(not_finite.TypedNumber(), 0);
  EXPECT_FALSE(not_finite.ok());
}

TEST(TraciReader, RefusesACommandShorterThanItsHeader) {
  for (const std::string& bytes :
       {Bytes({1, 0x02}), Bytes({0, 0, 0, 0, 5, 0x02}), Bytes({0, 0xff, 0xff, 0xff, 0xff, 2})}) {
    Reader reader(bytes);
    uint8_t id = 0;
    reader.Command(id);
    EXPECT_FALSE(reader.ok());
  }
}

TEST(TraciStatus, TellsSumosReason) {
  const std::string bytes = Bytes({11, 0x02, 0xff, 0, 0, 0, 4, 'o', 'o', 'p', 's'});
  Reader reader(bytes);
  const absl::Status status = ReadCommandStatus(reader, kSimulationStep);
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("oops"), std::string::npos) << status;
}

TEST(TraciStatus, RefusesTheStatusOfAnotherCommand) {
  const std::string bytes = Bytes({7, 0xc2, 0, 0, 0, 0, 0});
  Reader reader(bytes);
  const absl::Status status = ReadCommandStatus(reader, kSimulationStep);
  EXPECT_NE(status.message().find("0xc2 where that of 0x02 was expected"), std::string::npos) << status;
}

TEST(TraciStatus, ReadsAGettersValueAndRefusesAnothersResponse) {
  const std::string status = Bytes({7, 0xab, 0, 0, 0, 0, 0});
  const std::string answer = Bytes({16, 0xbb, 0x66, 0, 0, 0, 0, 0x0b, 0x40, 0, 0, 0, 0, 0, 0, 0});
  const std::string good = status + answer;
  Reader reader(good), value;
  ASSERT_TRUE(ReadGetterResponse(reader, kGetSimulation, value).ok());
  EXPECT_EQ(value.TypedNumber(), 2.0);
  Reader number(good);
  EXPECT_EQ(ReadNumberResponse(number, kGetSimulation).value(), 2.0);

  std::string other = good;
  other[8] = static_cast<char>(0xb3);
  Reader wrong(other);
  EXPECT_FALSE(ReadGetterResponse(wrong, kGetSimulation, value).ok());

  for (size_t length = 0; length < good.size(); ++length) {
    Reader cut(absl::string_view(good).substr(0, length));
    EXPECT_FALSE(ReadGetterResponse(cut, kGetSimulation, value).ok()) << length;
  }
}

}  // namespace
}  // namespace troupe::traci
