// A model in ONNX's file format: a graph of operators over named values, its weights and what is said about it.
//
// IR version 8, operators of opset 17 (https://github.com/onnx/onnx: docs/IR.md, docs/Operators.md, onnx/onnx.proto).
#ifndef TROUPE_LEARNER_EXPORT_ONNX_MODEL_H_
#define TROUPE_LEARNER_EXPORT_ONNX_MODEL_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "learner/export/wire_message.h"

namespace troupe {

// A file of more bytes is none: protobuf reads no longer message.
inline constexpr int64_t kMaxOnnxBytes = (int64_t{1} << 31) - 1;

// TensorProto.DataType.
enum class OnnxType { kFloat = 1, kInt64 = 7, kBool = 9 };

// What goes in or comes out.
struct OnnxValue {
  std::string name;
  OnnxType type = OnnxType::kFloat;
  std::vector<std::variant<int64_t, std::string>> shape;  // a name stands for any number, everywhere the same
  std::string meaning;
};

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, float> value;
};

// Every value has a name of its own and is added before what uses it. Not thread-safe.
class OnnxModel {
 public:
  explicit OnnxModel(std::string name) : name_(std::move(name)) {}

  void AddInput(const OnnxValue& value);
  void AddOutput(const OnnxValue& value);
  // Constants. They return `name`. `values` has product(shape) elements.
  std::string AddFloats(const std::string& name, absl::Span<const int64_t> shape, absl::Span<const float> values);
  std::string AddIntegers(const std::string& name, absl::Span<const int64_t> values);
  // An operator with one output, whose name it returns.
  std::string Add(const std::string& operation, const std::vector<std::string>& inputs, const std::string& output,
                  const std::vector<OnnxAttribute>& attributes = {});
  // `input` [batch, sum of sizes] in parts side by side.
  void AddSplit(const std::string& input, absl::Span<const int64_t> sizes, const std::vector<std::string>& outputs);

  // The whole file. `producer_version` and `metadata` are for who reads it.
  std::string Encode(const std::string& producer_version, const std::map<std::string, std::string>& metadata) const;

 private:
  void AddNode(const std::string& operation, const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs, const std::vector<OnnxAttribute>& attributes);

  const std::string name_;
  WireMessage graph_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_EXPORT_ONNX_MODEL_H_
