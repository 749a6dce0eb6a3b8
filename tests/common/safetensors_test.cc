#include "common/files/safetensors.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/files/atomic_file.h"
#include "common/files/crc32c.h"
#include "common/files/safetensors_bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/common/temporary_folder.h"

namespace troupe {
namespace {

using testing::HasSubstr;

SafetensorsFile Example() {
  const float floats[] = {1.5f, -2.0f, 3.25f, 0.0f, 5.0f, -6.0f};
  SafetensorsFile file;
  file.metadata = {{"format", "test"}, {"odd \"key\"\n", "ünï\\cödé"}};
  file.tensors.push_back(HostTensor::Float32("layer/weight", {2, 3}, floats));
  file.tensors.push_back({"a byte", DataType::kUint8, {3}, {1, 2, 3}});
  file.tensors.push_back({"empty", DataType::kFloat32, {0, 7}, {}});
  file.tensors.push_back({"scalar", DataType::kInt64, {}, {1, 0, 0, 0, 0, 0, 0, 0}});
  return file;
}

std::string Bytes(const std::string& header, const std::string& data) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + data;
}

std::string ExampleBytes() {
  TemporaryFolder folder;
  EXPECT_TRUE(WriteSafetensors(folder / "f", Example()).ok());
  return *ReadWholeFile(folder / "f");
}

std::string Refusal(const std::string& bytes) {
  const absl::Status status = ParseSafetensors(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  return std::string(status.message());
}

// A file of a million brackets would need a stack of hundreds of megabytes to be copied or printed.
TEST(SafetensorsTest, AHeaderThatIsNestedDeeplyIsRefused) {
  const std::string checksum = R"({"__metadata__":{"header_checksum":"00000000"},"t":)";
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair("{\"a\":", "}")}) {
    std::string header = checksum;
    for (int i = 0; i < 1'000'000; ++i) header += open;
    header += "1";
    for (int i = 0; i < 1'000'000; ++i) header += close;
    EXPECT_THAT(Refusal(Bytes(header + "}", "")), HasSubstr("nested more than 16 deep"));
    EXPECT_THAT(Refusal(Bytes(header, "")), HasSubstr("nested more than 16 deep")) << "and cut short";
  }
}

TEST(SafetensorsTest, ReadsWhatItWrote) {
  TemporaryFolder folder;
  ASSERT_TRUE(WriteSafetensors(folder / "f", Example()).ok());
  auto file = ReadSafetensors(folder / "f");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->metadata.erase("checksum"), 1);
  EXPECT_EQ(file->metadata.erase(kHeaderChecksum), 1);
  EXPECT_EQ(file->metadata, Example().metadata);
  EXPECT_EQ(file->tensors, Example().tensors);
}

TEST(SafetensorsTest, ReadsWhatTheReferenceDescribes) {
  const std::string header = R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]},)"
                             R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   )";
  const auto file = ParseSafetensors(Bytes(header, std::string("\x07\x08\x00\x00\x80\x3f", 6)));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->tensors.size(), 2);
  EXPECT_EQ(file->tensors[0].name, "a");
  EXPECT_EQ(file->tensors[1].floats()[0], 1.0f);
}

TEST(SafetensorsTest, AlignsTheTensorsToEightBytes) {
  const std::string bytes = ExampleBytes();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  EXPECT_EQ(header_bytes % 8, 0);
}

TEST(SafetensorsTest, RefusesAFileCutAtAnyByte) {
  const std::string bytes = ExampleBytes();
  ASSERT_TRUE(ParseSafetensors(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(ParseSafetensors(bytes.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_THAT(Refusal(bytes.substr(0, 5)), HasSubstr("cut short"));
  EXPECT_THAT(Refusal(bytes.substr(0, 50)), HasSubstr("cut short"));
  EXPECT_THAT(Refusal(bytes.substr(0, bytes.size() - 1)), HasSubstr("cut short"));
}

TEST(SafetensorsTest, NoticesEveryFlippedBitOfTheTensors) {
  const std::string bytes = ExampleBytes();
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 8);
  for (size_t at = 8 + header_bytes; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] ^= 1 << bit;
      ASSERT_THAT(Refusal(damaged), HasSubstr("checksum")) << at;
    }
  }
}

// What is read is what was written, or nothing: the names of the checksums' own entries alone may be damaged unseen.
TEST(SafetensorsTest, NoticesEveryFlippedBitOfTheHeader) {
  const std::string bytes = ExampleBytes();
  const auto whole = ParseSafetensors(bytes);
  ASSERT_TRUE(whole.ok()) << whole.status();
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] ^= 1 << bit;
      const auto file = ParseSafetensors(damaged);
      if (!file.ok()) {
        ASSERT_EQ(file.status().code(), absl::StatusCode::kDataLoss);
        continue;
      }
      ASSERT_EQ(file->tensors, whole->tensors) << at;
      for (const auto& [name, value] : Example().metadata) ASSERT_EQ(file->metadata.at(name), value) << at;
    }
  }
}

TEST(SafetensorsTest, AHeaderWithoutItsChecksumIsReadUnchecked) {
  std::string bytes = ExampleBytes();
  const size_t at = bytes.find(kHeaderChecksum);
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at, 6, "former");  // an entry nobody knows
  EXPECT_TRUE(ParseSafetensors(bytes).ok());
}

// A header that is as it was written tells of another version, one that is not of damage.
TEST(SafetensorsTest, NumbersOfATypeThatCameLaterAreNoDamage) {
  nlohmann::json header = {{"__metadata__", {{"format", "x"}}},
                           {"t", {{"dtype", "BF16"}, {"shape", {2}}, {"data_offsets", {0, 4}}}}};
  const std::string four("\0\0\0\0", 4);
  EXPECT_TRUE(absl::IsDataLoss(ParseSafetensors(Bytes(header.dump(), four)).status()));
  const std::string sum = absl::StrFormat("%08x", Crc32c(header.dump()));
  header["__metadata__"][kHeaderChecksum] = sum;
  const absl::Status status = ParseSafetensors(Bytes(header.dump(), four)).status();
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("tensor \"t\": dtype is none of"));
  header["t"]["dtype"] = "BF61";
  EXPECT_TRUE(absl::IsDataLoss(ParseSafetensors(Bytes(header.dump(), four)).status()));
}

TEST(SafetensorsTest, SaysWhatIsWrongWithAHeader) {
  const std::string four("\0\0\0\0", 4);
  const auto tensor = [](const std::string& type, const std::string& shape, const std::string& offsets) {
    return absl::StrCat(R"({"t":{"dtype":)", type, R"(,"shape":)", shape, R"(,"data_offsets":)", offsets, "}}");
  };
  EXPECT_THAT(Refusal(Bytes("nonsense", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(Bytes("[]", "")), HasSubstr("not a JSON object"));
  EXPECT_THAT(Refusal(Bytes(R"({"t":3})", "")), HasSubstr("tensor \"t\" is not an object"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F8\"", "[1]", "[0,4]"), four)), HasSubstr("dtype"));
  EXPECT_THAT(Refusal(Bytes(tensor("3", "[1]", "[0,4]"), four)), HasSubstr("dtype"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[-1]", "[0,4]"), four)), HasSubstr("shape"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "1", "[0,4]"), four)), HasSubstr("shape"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[2]", "[0,4]"), four)), HasSubstr("shape does not make its 4 bytes"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[281474976710656,281474976710656]", "[0,4]"), four)),
              HasSubstr("shape"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[1]", "[0]"), four)), HasSubstr("data_offsets"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[1]", "[4,0]"), four)), HasSubstr("data_offsets"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[1]", "[1,5]"), four)), HasSubstr("data_offsets"));
  EXPECT_THAT(Refusal(Bytes(tensor("\"F32\"", "[2]", "[0,8]"), four)), HasSubstr("cut short"));
  EXPECT_THAT(Refusal(Bytes("{}", four)), HasSubstr("4 follow the header"));
  EXPECT_THAT(Refusal(Bytes(R"({"__metadata__":7})", "")), HasSubstr("__metadata__"));
  EXPECT_THAT(Refusal(Bytes(R"({"__metadata__":{"a":7}})", "")), HasSubstr("__metadata__.a"));
  EXPECT_THAT(Refusal(Bytes(R"({"__metadata__":{},"__metadata__":{}})", "")), HasSubstr("twice"));
}

TEST(SafetensorsTest, NamesTheFileInErrors) {
  TemporaryFolder folder;
  EXPECT_EQ(ReadSafetensors(folder / "none").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(folder / "bad", {"xx"}).ok());
  EXPECT_EQ(ReadSafetensors(folder / "bad").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(ReadSafetensors(folder / "bad").status().message()), HasSubstr(folder / "bad"));
  EXPECT_EQ(WriteSafetensors(folder / "none/f", Example()).code(), absl::StatusCode::kNotFound);
}

TEST(SafetensorsTest, RefusesToWriteTensorsThatCannotBeReadBack) {
  TemporaryFolder folder;
  SafetensorsFile twice = Example();
  twice.tensors.push_back(twice.tensors[0]);
  EXPECT_EQ(WriteSafetensors(folder / "f", twice).code(), absl::StatusCode::kInternal);
  SafetensorsFile short_bytes = Example();
  short_bytes.tensors[0].bytes.pop_back();
  EXPECT_EQ(WriteSafetensors(folder / "f", short_bytes).code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(folder.Names().empty());
}

TEST(Crc32cTest, GivesTheKnownAnswers) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32cTest, ContinuesWhereItStopped) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Crc32c(text.substr(cut), Crc32c(text.substr(0, cut))), Crc32c(text));
  }
}

}  // namespace
}  // namespace troupe
