#include "common/files/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "common/files/crc32c.h"
#include "common/files/safetensors_bytes.h"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr size_t kAlignment = 8;
constexpr char kMetadata[] = "__metadata__";
constexpr char kChecksum[] = "checksum";
static_assert(std::endian::native == std::endian::little);

struct TypeName {
  DataType type;
  const char* name;
};
constexpr TypeName kTypeNames[] = {{DataType::kFloat32, "F32"},
                                   {DataType::kInt32, "I32"},
                                   {DataType::kUint8, "U8"},
                                   {DataType::kInt64, "I64"},
                                   {DataType::kFloat64, "F64"}};

std::string_view BytesOf(const HostTensor& tensor) { return {tensor.bytes.data(), tensor.bytes.size()}; }

// Of everything the header says but the checksum itself, however its members are ordered and spaced.
std::string HeaderChecksum(const Json& header) {
  nlohmann::json sorted = header;
  sorted[kMetadata].erase(kHeaderChecksum);
  return absl::StrFormat("%08x", Crc32c(sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

std::string MakeHeader(const SafetensorsFile& file) {
  uint32_t crc = 0;
  for (const HostTensor& tensor : file.tensors) crc = Crc32c(BytesOf(tensor), crc);
  Json metadata = Json::object();
  for (const auto& [key, value] : file.metadata) metadata[key] = value;
  metadata[kChecksum] = absl::StrFormat("%08x", crc);
  Json header = Json::object();
  header[kMetadata] = std::move(metadata);
  size_t offset = 0;
  for (const HostTensor& tensor : file.tensors) {
    const auto name = std::find_if(std::begin(kTypeNames), std::end(kTypeNames),
                                   [&](const TypeName& row) { return row.type == tensor.data_type; });
    header[tensor.name] = {
        {"dtype", name->name}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  header[kMetadata][kHeaderChecksum] = HeaderChecksum(header);
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((kAlignment - text.size() % kAlignment) % kAlignment, ' ');
  return text;
}

absl::Status Damaged(const std::string& what) { return absl::DataLossError(what); }

// Members given twice are kept by neither side of the format; the parser's callback sees every key. Nor is anything
// that is nested deeper than a header's lists: to copy and to print it takes a stack as deep.
absl::StatusOr<Json> ParseHeader(std::string_view text) {
  constexpr int kDeepest = 16;
  std::vector<std::set<std::string>> keys;
  std::string twice;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    too_deep = too_deep || depth > kDeepest;
    if (too_deep) return false;
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second && twice.empty()) {
      twice = parsed.get<std::string>();
    }
    return true;
  };
  Json header = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep) return Damaged(absl::StrCat("the header is nested more than ", kDeepest, " deep"));
  if (header.is_discarded() || !header.is_object()) return Damaged("the header is not a JSON object");
  if (!twice.empty()) return Damaged(absl::StrCat("the header holds \"", twice, "\" twice"));
  return header;
}

absl::Status ReadMetadata(const Json& json, std::map<std::string, std::string>* metadata) {
  if (!json.is_object()) return Damaged("__metadata__ is not an object");
  for (const auto& item : json.items()) {
    if (!item.value().is_string()) return Damaged(absl::StrCat("__metadata__.", item.key(), " is not text"));
    (*metadata)[item.key()] = item.value().get<std::string>();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ReadSizes(const std::string& field, const Json* json) {
  if (json == nullptr || !json->is_array()) return Damaged(field + " is not a list");
  std::vector<int64_t> sizes;
  for (const Json& element : *json) {
    if (!element.is_number_unsigned() || element.get<uint64_t>() > uint64_t{1} << 48) {
      return Damaged(field + " holds something other than a size");
    }
    sizes.push_back(element.get<int64_t>());
  }
  return sizes;
}

// Product of `shape` and the element size, or nothing when it passes `limit`.
bool FitsExactly(const std::vector<int64_t>& shape, size_t element_bytes, size_t num_bytes) {
  size_t product = element_bytes;
  for (const int64_t size : shape) {
    if (size == 0) return num_bytes == 0;
    if (product > num_bytes / size) return false;
    product *= size;
  }
  return product == num_bytes;
}

// One tensor, which must begin at `*offset` of `data`; moves the offset to its end. `sound`: the header is as it was
// written, so what it says and this version does not know is another's.
absl::StatusOr<HostTensor> ReadTensor(const std::string& name, const Json& json, bool sound, std::string_view data,
                                      size_t* offset) {
  const std::string field = absl::StrCat("tensor \"", name, "\"");
  const auto member = [&](const char* key) -> const Json* {
    const auto found = json.find(key);
    return found == json.end() ? nullptr : &*found;
  };
  if (!json.is_object()) return Damaged(field + " is not an object");
  HostTensor tensor;
  tensor.name = name;
  const Json* const type = member("dtype");
  const auto row = std::find_if(std::begin(kTypeNames), std::end(kTypeNames), [&](const TypeName& candidate) {
    return type != nullptr && type->is_string() && type->get<std::string>() == candidate.name;
  });
  if (row == std::end(kTypeNames)) {
    const std::string what = field + ": dtype is none of F32, F64, I32, I64, U8";
    return sound ? absl::UnimplementedError(what + ", which this version of Troupe reads") : Damaged(what);
  }
  tensor.data_type = row->type;
  ASSIGN_OR_RETURN(tensor.shape, ReadSizes(field + ".shape", member("shape")));
  ASSIGN_OR_RETURN(const std::vector<int64_t> offsets, ReadSizes(field + ".data_offsets", member("data_offsets")));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || static_cast<size_t>(offsets[0]) != *offset) {
    return Damaged(absl::StrCat(field, ".data_offsets: expected [", *offset, ", end]"));
  }
  if (static_cast<size_t>(offsets[1]) > data.size()) {
    return Damaged(absl::StrCat(field, " ends at byte ", offsets[1], " but the file holds only ", data.size(),
                                " bytes of tensors: it is cut short"));
  }
  const size_t num_bytes = offsets[1] - offsets[0];
  if (!FitsExactly(tensor.shape, SizeOf(tensor.data_type), num_bytes)) {
    return Damaged(absl::StrCat(field, ": its shape does not make its ", num_bytes, " bytes"));
  }
  tensor.bytes.assign(data.begin() + offsets[0], data.begin() + offsets[1]);
  *offset = offsets[1];
  return tensor;
}

// Whether there is one, and it is right.
absl::StatusOr<bool> CheckHeader(const std::map<std::string, std::string>& metadata, const Json& header) {
  const auto stored = metadata.find(kHeaderChecksum);
  if (stored == metadata.end()) return false;
  const std::string computed = HeaderChecksum(header);
  if (stored->second == computed) return true;
  return Damaged(absl::StrCat("header_checksum: the header's is ", computed, ", the file says ", stored->second));
}

absl::Status CheckTensorBytes(const std::map<std::string, std::string>& metadata, std::string_view data) {
  const auto stored = metadata.find(kChecksum);
  if (stored == metadata.end()) return absl::OkStatus();
  const std::string computed = absl::StrFormat("%08x", Crc32c(data));
  if (stored->second == computed) return absl::OkStatus();
  return Damaged(absl::StrCat("checksum: the tensors' is ", computed, ", the file says ", stored->second));
}

}  // namespace

absl::StatusOr<SafetensorsFile> ParseSafetensors(std::string_view content) {
  if (content.size() < kLengthBytes) {
    return Damaged(absl::StrCat(content.size(), " bytes are too few for a header length: the file is cut short"));
  }
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, content.data(), kLengthBytes);
  content.remove_prefix(kLengthBytes);
  if (header_bytes > kMaxHeaderBytes || header_bytes > content.size()) {
    return Damaged(absl::StrCat("the header should have ", header_bytes, " bytes but ", content.size(),
                                " follow: the file is cut short or no safetensors file"));
  }
  ASSIGN_OR_RETURN(const Json header, ParseHeader(content.substr(0, header_bytes)));
  content.remove_prefix(header_bytes);

  SafetensorsFile file;
  struct Entry {
    uint64_t begin;
    std::string name;
    const Json* json;
  };
  std::vector<Entry> entries;
  for (const auto& item : header.items()) {
    if (item.key() == kMetadata) {
      RETURN_IF_ERROR(ReadMetadata(item.value(), &file.metadata));
      continue;
    }
    const Json& json = item.value();
    const bool has_begin = json.is_object() && json.contains("data_offsets") && json["data_offsets"].is_array() &&
                           !json["data_offsets"].empty() && json["data_offsets"][0].is_number_unsigned();
    entries.push_back({has_begin ? json["data_offsets"][0].get<uint64_t>() : 0, item.key(), &json});
  }
  ASSIGN_OR_RETURN(const bool sound, CheckHeader(file.metadata, header));
  // Other writers need not list the tensors in the order of their bytes.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.begin < b.begin; });
  size_t offset = 0;
  for (const Entry& entry : entries) {
    ASSIGN_OR_RETURN(HostTensor tensor, ReadTensor(entry.name, *entry.json, sound, content, &offset));
    file.tensors.push_back(std::move(tensor));
  }
  if (offset != content.size()) {
    return Damaged(absl::StrCat("the tensors end at byte ", offset, " but ", content.size(), " follow the header"));
  }
  RETURN_IF_ERROR(CheckTensorBytes(file.metadata, content));
  return file;
}

namespace {

// INTERNAL: what no reader would take.
absl::Status CheckTensors(const SafetensorsFile& file) {
  std::set<std::string_view> names;
  for (const HostTensor& tensor : file.tensors) {
    if (tensor.name == kMetadata || !names.insert(tensor.name).second) {
      return absl::InternalError(absl::StrCat("two tensors are called \"", tensor.name, "\""));
    }
    if (!FitsExactly(tensor.shape, SizeOf(tensor.data_type), tensor.bytes.size())) {
      return absl::InternalError(absl::StrCat("tensor \"", tensor.name, "\": its shape does not make its bytes"));
    }
  }
  return absl::OkStatus();
}

// The length of the header and the header.
std::string MakeBeginning(const SafetensorsFile& file) {
  const std::string header = MakeHeader(file);
  const uint64_t header_bytes = header.size();
  return std::string(reinterpret_cast<const char*>(&header_bytes), kLengthBytes) + header;
}

}  // namespace

absl::Status WriteSafetensors(const std::string& path, const SafetensorsFile& file) {
  if (absl::Status status = CheckTensors(file); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
  }
  const std::string beginning = MakeBeginning(file);
  std::vector<std::string_view> pieces = {beginning};
  for (const HostTensor& tensor : file.tensors) pieces.push_back(BytesOf(tensor));
  return WriteFileAtomically(path, pieces);
}

absl::StatusOr<std::string> FormatSafetensors(const SafetensorsFile& file) {
  RETURN_IF_ERROR(CheckTensors(file));
  std::string content = MakeBeginning(file);
  for (const HostTensor& tensor : file.tensors) content += BytesOf(tensor);
  return content;
}

absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string content, ReadWholeFile(path));
  absl::StatusOr<SafetensorsFile> file = ParseSafetensors(content);
  if (!file.ok()) return absl::Status(file.status().code(), absl::StrCat(path, ": ", file.status().message()));
  return file;
}

}  // namespace troupe
