#include "learner/export/onnx_model.h"

#include <bit>
#include <string_view>

namespace troupe {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// Numbers of fields in onnx.proto.
namespace model {
constexpr int kIrVersion = 1, kProducerName = 2, kProducerVersion = 3, kGraph = 7, kOpsetImport = 8, kMetadata = 14;
}
namespace opset {
constexpr int kVersion = 2;
}
namespace entry {
constexpr int kKey = 1, kValue = 2;
}
namespace graph {
constexpr int kNode = 1, kName = 2, kInitializer = 5, kInput = 11, kOutput = 12;
}
namespace node {
constexpr int kInput = 1, kOutput = 2, kName = 3, kOperation = 4, kAttribute = 5;
}
namespace attribute {
constexpr int kName = 1, kFloat = 2, kInteger = 3, kType = 20;
constexpr int kTypeFloat = 1, kTypeInteger = 2;
}  // namespace attribute
namespace tensor {
constexpr int kDimension = 1, kDataType = 2, kName = 8, kRawData = 9;
}
namespace value {
constexpr int kName = 1, kType = 2, kMeaning = 3;
constexpr int kTensorType = 1;                  // TypeProto
constexpr int kElementType = 1, kShape = 2;     // TypeProto.Tensor
constexpr int kDimension = 1;                   // TensorShapeProto
constexpr int kDimensionValue = 1, kAnyOf = 2;  // TensorShapeProto.Dimension
}  // namespace value

constexpr int kIrVersion = 8;
constexpr int kOpsetVersion = 17;

WireMessage EncodeValue(const OnnxValue& of) {
  WireMessage shape;
  for (const auto& size : of.shape) {
    WireMessage dimension;
    if (const int64_t* const fixed = std::get_if<int64_t>(&size)) {
      dimension.AddInteger(value::kDimensionValue, *fixed);
    } else {
      dimension.AddBytes(value::kAnyOf, std::get<std::string>(size));
    }
    shape.AddMessage(value::kDimension, dimension);
  }
  WireMessage tensor_type, type, message;
  tensor_type.AddInteger(value::kElementType, static_cast<int>(of.type));
  tensor_type.AddMessage(value::kShape, shape);
  type.AddMessage(value::kTensorType, tensor_type);
  message.AddBytes(value::kName, of.name);
  message.AddMessage(value::kType, type);
  if (!of.meaning.empty()) message.AddBytes(value::kMeaning, of.meaning);
  return message;
}

WireMessage EncodeTensor(const std::string& name, OnnxType type, absl::Span<const int64_t> shape,
                         std::string_view bytes) {
  WireMessage message;
  for (const int64_t size : shape) message.AddInteger(tensor::kDimension, size);
  message.AddInteger(tensor::kDataType, static_cast<int>(type));
  message.AddBytes(tensor::kName, name);
  message.AddBytes(tensor::kRawData, bytes);
  return message;
}

WireMessage EncodeAttribute(const OnnxAttribute& of) {
  WireMessage message;
  message.AddBytes(attribute::kName, of.name);
  if (const float* const number = std::get_if<float>(&of.value)) {
    message.AddFloat(attribute::kFloat, *number);
    message.AddInteger(attribute::kType, attribute::kTypeFloat);
  } else {
    message.AddInteger(attribute::kInteger, std::get<int64_t>(of.value));
    message.AddInteger(attribute::kType, attribute::kTypeInteger);
  }
  return message;
}

template <typename T>
std::string_view BytesOf(absl::Span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

void OnnxModel::AddInput(const OnnxValue& value) { graph_.AddMessage(graph::kInput, EncodeValue(value)); }

void OnnxModel::AddOutput(const OnnxValue& value) { graph_.AddMessage(graph::kOutput, EncodeValue(value)); }

std::string OnnxModel::AddFloats(const std::string& name, absl::Span<const int64_t> shape,
                                 absl::Span<const float> values) {
  graph_.AddMessage(graph::kInitializer, EncodeTensor(name, OnnxType::kFloat, shape, BytesOf(values)));
  return name;
}

std::string OnnxModel::AddIntegers(const std::string& name, absl::Span<const int64_t> values) {
  const int64_t size = static_cast<int64_t>(values.size());
  graph_.AddMessage(graph::kInitializer,
                    EncodeTensor(name, OnnxType::kInt64, absl::MakeConstSpan(&size, 1), BytesOf(values)));
  return name;
}

std::string OnnxModel::Add(const std::string& operation, const std::vector<std::string>& inputs,
                           const std::string& output, const std::vector<OnnxAttribute>& attributes) {
  AddNode(operation, inputs, {output}, attributes);
  return output;
}

void OnnxModel::AddSplit(const std::string& input, absl::Span<const int64_t> sizes,
                         const std::vector<std::string>& outputs) {
  AddNode("Split", {input, AddIntegers(outputs[0] + ".sizes", sizes)}, outputs, {{"axis", int64_t{1}}});
}

void OnnxModel::AddNode(const std::string& operation, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::vector<OnnxAttribute>& attributes) {
  WireMessage message;
  for (const std::string& input : inputs) message.AddBytes(node::kInput, input);
  for (const std::string& output : outputs) message.AddBytes(node::kOutput, output);
  message.AddBytes(node::kName, outputs[0]);
  message.AddBytes(node::kOperation, operation);
  for (const OnnxAttribute& attribute : attributes) message.AddMessage(node::kAttribute, EncodeAttribute(attribute));
  graph_.AddMessage(graph::kNode, message);
}

std::string OnnxModel::Encode(const std::string& producer_version,
                              const std::map<std::string, std::string>& metadata) const {
  WireMessage graph = graph_, opset, message;
  graph.AddBytes(graph::kName, name_);
  opset.AddInteger(opset::kVersion, kOpsetVersion);
  message.AddInteger(model::kIrVersion, kIrVersion);
  message.AddBytes(model::kProducerName, "troupe");
  message.AddBytes(model::kProducerVersion, producer_version);
  message.AddMessage(model::kGraph, graph);
  message.AddMessage(model::kOpsetImport, opset);
  for (const auto& [key, text] : metadata) {
    WireMessage pair;
    pair.AddBytes(entry::kKey, key);
    pair.AddBytes(entry::kValue, text);
    message.AddMessage(model::kMetadata, pair);
  }
  return message.bytes();
}

}  // namespace troupe
