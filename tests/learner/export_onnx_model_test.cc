// Bytes of ONNX's messages, by hand from onnx.proto and protobuf's documentation of its encoding.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "learner/export/onnx_model.h"
#include "learner/export/wire_message.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

// "08 96 01" as bytes; what is between quotes is text.
std::string Bytes(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
    } else if (text[i] == '\'') {
      for (++i; text[i] != '\''; ++i) bytes.push_back(text[i]);
      ++i;
    } else {
      bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
      i += 2;
    }
  }
  return bytes;
}

// The examples of protobuf.dev/programming-guides/encoding.
TEST(WireMessage, WritesFieldsAsTheDocumentationDoes) {
  WireMessage number, text, outer, negative;
  number.AddInteger(1, 150);
  EXPECT_EQ(number.bytes(), Bytes("08 96 01"));
  text.AddBytes(2, "testing");
  EXPECT_EQ(text.bytes(), Bytes("12 07 74 65 73 74 69 6e 67"));
  outer.AddMessage(3, number);
  EXPECT_EQ(outer.bytes(), Bytes("1a 03 08 96 01"));
  negative.AddInteger(1, -2);
  EXPECT_EQ(negative.bytes(), Bytes("08 fe ff ff ff ff ff ff ff ff 01"));
}

TEST(WireMessage, FieldsAboveFifteenTakeTwoBytesAndFloatsAreLittleEndian) {
  WireMessage message;
  message.AddInteger(20, 1);  // 20 << 3 = 160 = 0x20 + 1 · 128
  message.AddFloat(2, 1.5f);  // 0x3fc00000
  EXPECT_EQ(message.bytes(), Bytes("a0 01 01 15 00 00 c0 3f"));
}

// y = Concat(x, w) along axis 1: a model of everything that messages are made of.
TEST(OnnxModel, IsTheMessagesOfTheFormat) {
  OnnxModel model("g");
  model.AddInput({"x", OnnxType::kFloat, {"batch", int64_t{2}}, "in"});
  model.AddFloats("w", {1, 2}, {1.0f, -2.0f});
  model.Add("Concat", {"x", "w"}, "y", {{"axis", int64_t{1}}, {"e", 0.5f}});
  model.AddOutput({"y", OnnxType::kInt64, {int64_t{300}}, ""});
  const std::string graph =
      // GraphProto.input = 11: name = 1, type = 2 (tensor_type = 1: elem_type = 1, shape = 2, of dim = 1 each), doc = 3
      "5a 1c 0a 01 'x' 12 13 0a 11 08 01 12 0d 0a 07 12 05 'batch' 0a 02 08 02 1a 02 'in' "
      // initializer = 5: dims = 1, data_type = 2, name = 8, raw_data = 9
      "2a 13 08 01 08 02 10 01 42 01 'w' 4a 08 00 00 80 3f 00 00 00 c0 "
      // node = 1: input = 1, output = 2, name = 3, op_type = 4, attribute = 5 (name = 1, f = 2, i = 3, type = 20)
      "0a 2e 0a 01 'x' 0a 01 'w' 12 01 'y' 1a 01 'y' 22 06 'Concat' 2a 0b 0a 04 'axis' 18 01 a0 01 02 "
      "2a 0b 0a 01 'e' 15 00 00 00 3f a0 01 01 "
      // output = 12
      "62 10 0a 01 'y' 12 0b 0a 09 08 07 12 05 0a 03 08 ac 02 "
      // name = 2
      "12 01 'g' ";
  // ModelProto: ir_version = 1, producer_name = 2, producer_version = 3, graph = 7, opset_import = 8 (version = 2),
  // metadata_props = 14 (key = 1, value = 2)
  EXPECT_EQ(model.Encode("1.2", {{"key", "text"}}),
            Bytes("08 08 12 06 'troupe' 1a 03 '1.2' 3a 78 " + graph + "42 02 10 11 72 0b 0a 03 'key' 12 04 'text'"));
}

TEST(OnnxModel, SplitsAreToldTheirSizesByAConstant) {
  OnnxModel model("g");
  model.AddSplit("x", {1, 2}, {"a", "b"});
  EXPECT_THAT(model.Encode("", {}),
              HasSubstr(Bytes(
                  // initializer: dims [2], data_type 7 (INT64)
                  "2a 1f 08 02 10 07 42 07 'a.sizes' 4a 10 01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 "
                  "0a 29 0a 01 'x' 0a 07 'a.sizes' 12 01 'a' 12 01 'b' 1a 01 'a' 22 05 'Split' "
                  "2a 0b 0a 04 'axis' 18 01 a0 01 02")));
}

}  // namespace
}  // namespace troupe
