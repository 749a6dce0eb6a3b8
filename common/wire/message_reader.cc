#include "common/wire/message_reader.h"

#include <algorithm>
#include <bit>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream.h"

namespace troupe {
namespace {

using google::protobuf::io::CodedInputStream;

class Pieces final : public google::protobuf::io::ZeroCopyInputStream {
 public:
  explicit Pieces(absl::Span<const absl::string_view> pieces) : pieces_(pieces) {
    for (const absl::string_view piece : pieces) {
      begins_.push_back(size_);
      size_ += piece.size();
    }
  }

  size_t size() const { return size_; }

  // The bytes from `begin` on, which must be there.
  TensorPieces Range(size_t begin, size_t count) const {
    TensorPieces range;
    if (count == 0) return range;
    size_t i = std::ranges::upper_bound(begins_, begin) - begins_.begin() - 1;
    for (size_t offset = begin - begins_[i]; count > 0; offset = 0, ++i) {
      const absl::string_view part = pieces_[i].substr(offset, count);
      if (!part.empty()) range.push_back(part);
      count -= part.size();
    }
    return range;
  }

  bool Next(const void** data, int* size) override {
    while (at_ < pieces_.size() && offset_ == pieces_[at_].size()) {
      at_ += 1;
      offset_ = 0;
    }
    if (at_ == pieces_.size()) return false;
    *data = pieces_[at_].data() + offset_;
    *size = static_cast<int>(pieces_[at_].size() - offset_);
    offset_ += *size;
    read_ += *size;
    return true;
  }
  void BackUp(int count) override {
    offset_ -= count;
    read_ -= count;
  }
  bool Skip(int count) override {
    const void* data;
    for (int size; count > 0; count -= size) {
      if (!Next(&data, &size)) return false;
      if (size > count) {
        BackUp(size - count);
        return true;
      }
    }
    return true;
  }
  int64_t ByteCount() const override { return read_; }

 private:
  const absl::Span<const absl::string_view> pieces_;
  std::vector<size_t> begins_;
  size_t size_ = 0;
  size_t at_ = 0, offset_ = 0;  // the next byte
  int64_t read_ = 0;
};

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr uint32_t Tag(uint32_t field, WireType type) { return field << 3 | type; }

// A field of a newer proto file.
bool SkipField(uint32_t tag, CodedInputStream& in) {
  uint64_t number;
  int size;
  if (tag >> 3 == 0) return false;
  switch (tag & 7) {
    case kVarint:
      return in.ReadVarint64(&number);
    case kFixed64:
      return in.Skip(8);
    case kBytes:
      return in.ReadVarintSizeAsInt(&size) && in.Skip(size);
    case kFixed32:
      return in.Skip(4);
    default:
      return false;
  }
}

// The tensors that messages of a type have.
struct TensorsOf {
  explicit TensorsOf(const google::protobuf::Descriptor& type)
      : reflection(google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->GetReflection()) {
    for (int i = 0; i < type.field_count(); ++i) {
      const google::protobuf::FieldDescriptor* const field = type.field(i);
      if (field->message_type() != wire::Tensor::descriptor()) continue;
      by_number.resize(std::max<size_t>(by_number.size(), field->number() + 1));
      by_number[field->number()] = field;
    }
  }
  // Null: no tensor.
  const google::protobuf::FieldDescriptor* Find(uint32_t number) const {
    return number < by_number.size() ? by_number[number] : nullptr;
  }

  const google::protobuf::Reflection* reflection;
  std::vector<const google::protobuf::FieldDescriptor*> by_number;
};

// Each of the following reads one message up to the limit set on the stream. False: that is no such message.
class ChunkReader {
 public:
  ChunkReader(const Pieces& pieces, const ChunkCounts& most, CodedInputStream& in)
      : pieces_(pieces), most_(most), in_(in) {}

  // Why something was not read, where it is more than was to come.
  const absl::Status& too_much() const { return too_much_; }

  // `received` is empty but for memory of an earlier use.
  bool Read(ReceivedChunk* received) {
    wire::Chunk& chunk = received->chunk;
    while (const uint32_t tag = in_.ReadTag()) {
      bool read = false;
      switch (tag) {
        case Tag(wire::Chunk::kShardFieldNumber, kVarint):
          read = Varint([&](uint64_t value) { chunk.set_shard(static_cast<uint32_t>(value)); });
          break;
        case Tag(wire::Chunk::kLeaseEpochFieldNumber, kVarint):
          read = Varint([&](uint64_t value) { chunk.set_lease_epoch(static_cast<uint32_t>(value)); });
          break;
        case Tag(wire::Chunk::kSequenceFieldNumber, kVarint):
          read = Varint([&](uint64_t value) { chunk.set_sequence(value); });
          break;
        case Tag(wire::Chunk::kPolicyVersionFieldNumber, kVarint):
          read = Varint([&](uint64_t value) { chunk.set_policy_version(value); });
          break;
        case Tag(wire::Chunk::kGroupsFieldNumber, kBytes):
          if (!Room("groups", chunk.groups_size(), most_.groups)) return false;
          received->groups.resize(chunk.groups_size() + 1);
          read = Within([&] { return ReadGroup(chunk.add_groups(), &received->groups.back()); });
          break;
        case Tag(wire::Chunk::kEpisodesFieldNumber, kBytes):
          if (!Room("episodes", chunk.episodes_size(), most_.episodes)) return false;
          read = Within([&] { return ReadEpisode(chunk.add_episodes()); });
          break;
        case Tag(wire::Chunk::kEnvironmentSecondsFieldNumber, kFixed64):
          read = Double([&](double value) { chunk.set_environment_seconds(value); });
          break;
        case Tag(wire::Chunk::kInferenceSecondsFieldNumber, kFixed64):
          read = Double([&](double value) { chunk.set_inference_seconds(value); });
          break;
        default:
          read = ReadTensorField(tag, &chunk, received);
      }
      if (!read) return false;
    }
    return in_.ConsumedEntireMessage();
  }

  // The rest of a message whose length comes first.
  template <typename ReadContents>
  bool Within(const ReadContents& read_contents) {
    int size;
    if (!in_.ReadVarintSizeAsInt(&size)) return false;
    // A limit beyond the message's end would be read as the end.
    if (in_.CurrentPosition() + static_cast<int64_t>(size) > static_cast<int64_t>(pieces_.size())) return false;
    const CodedInputStream::Limit limit = in_.PushLimit(size);
    if (in_.BytesUntilLimit() != size || !read_contents() || in_.BytesUntilLimit() != 0) return false;
    in_.PopLimit(limit);
    return true;
  }

 private:
  static constexpr size_t kMaxDimensions = 8;

  // Whether one more of `field` may come, of which there are `count`.
  bool Room(const char* field, int count, size_t most) {
    if (static_cast<size_t>(count) < most) return true;
    too_much_ = absl::InvalidArgumentError(absl::StrCat("chunk.", field, ": came more than ", most));
    return false;
  }

  bool ReadEpisode(wire::FinishedEpisode* episode) {
    if (const auto came = static_cast<size_t>(in_.BytesUntilLimit()); came > most_.episode_bytes) {
      too_much_ = absl::InvalidArgumentError(
          absl::StrCat("chunk.episodes: came one of ", came, " bytes, expected at most ", most_.episode_bytes));
      return false;
    }
    // Lengths within it first: for one that says more than there is protobuf's parser takes up to 50 MB.
    std::string bytes;
    return in_.ReadString(&bytes, in_.BytesUntilLimit()) && UnpackedBytes(*episode->GetDescriptor(), bytes).ok() &&
           episode->MergeFromString(bytes);
  }

  bool ReadDimension(wire::Tensor* tensor) {
    return Room("…shape", tensor->shape_size(), kMaxDimensions) &&
           Varint([&](uint64_t value) { tensor->add_shape(static_cast<uint32_t>(value)); });
  }

  template <typename Large>
  bool ReadGroup(wire::GroupTrajectory* group, Large* large) {
    while (const uint32_t tag = in_.ReadTag()) {
      if (!ReadTensorField(tag, group, large)) return false;
    }
    return in_.ConsumedEntireMessage();
  }

  // A tensor of the message, which goes where the table of trajectory_fields.h has it; anything else is skipped.
  template <typename Message, typename Large>
  bool ReadTensorField(uint32_t tag, Message* message, Large* large) {
    static const auto& tensors = *new TensorsOf(*Message::descriptor());
    const uint32_t number = tag >> 3;
    const google::protobuf::FieldDescriptor* const field = tensors.Find(number);
    if (field == nullptr || (tag & 7) != kBytes) return SkipField(tag, in_);
    TensorPieces* pieces = nullptr;
    ForEachField(
        [&](const TrajectoryField& row, auto& where) {
          if constexpr (std::is_same_v<std::decay_t<decltype(where)>, TensorPieces>) {
            if (row.number == static_cast<int>(number)) pieces = &where;
          }
        },
        *large);
    return ReadTensor(static_cast<wire::Tensor*>(tensors.reflection->MutableMessage(message, field)), pieces);
  }

  // `large`: gets the bytes instead of tensor->data; null: they go there.
  bool ReadTensor(wire::Tensor* tensor, TensorPieces* large) {
    return Within([&] {
      while (const uint32_t tag = in_.ReadTag()) {
        bool read = false;
        switch (tag) {
          case Tag(wire::Tensor::kDataTypeFieldNumber, kVarint):
            read = Varint([&](uint64_t value) { tensor->set_data_type(static_cast<wire::DataType>(value)); });
            break;
          case Tag(wire::Tensor::kShapeFieldNumber, kVarint):
            read = ReadDimension(tensor);
            break;
          case Tag(wire::Tensor::kShapeFieldNumber, kBytes):
            read = Within([&] {
              while (in_.BytesUntilLimit() > 0) {
                if (!ReadDimension(tensor)) return false;
              }
              return true;
            });
            break;
          case Tag(wire::Tensor::kDataFieldNumber, kBytes):
            read = ReadData(tensor, large);
            break;
          default:
            read = SkipField(tag, in_);
        }
        if (!read) return false;
      }
      return in_.ConsumedEntireMessage();
    });
  }

  bool ReadData(wire::Tensor* tensor, TensorPieces* large) {
    int size;
    if (!in_.ReadVarintSizeAsInt(&size) || size > in_.BytesUntilLimit()) return false;
    if (large == nullptr) return in_.ReadString(tensor->mutable_data(), size);
    *large = pieces_.Range(in_.CurrentPosition(), size);
    return in_.Skip(size);
  }

  template <typename Set>
  bool Varint(const Set& set) {
    uint64_t value;
    if (!in_.ReadVarint64(&value)) return false;
    set(value);
    return true;
  }
  template <typename Set>
  bool Double(const Set& set) {
    uint64_t bits;
    if (!in_.ReadLittleEndian64(&bits)) return false;
    set(std::bit_cast<double>(bits));
    return true;
  }

  const Pieces& pieces_;
  const ChunkCounts& most_;
  CodedInputStream& in_;
  absl::Status too_much_;
};

absl::Status Unreadable() { return absl::InvalidArgumentError("message: came bytes that are no WorkerMessage"); }
absl::Status NotAlone() {
  return absl::InvalidArgumentError("message: came more than a chunk, expected one of WorkerMessage's");
}
absl::Status TooLarge(const char* what, size_t bytes, size_t most) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": came ", bytes, " bytes, expected at most ", most));
}

absl::Status ReadControl(absl::Span<const absl::string_view> pieces, const MessageLimits& limits,
                         ReceivedMessage* received) {
  if (received->num_bytes > limits.control_bytes) {
    return TooLarge("message", received->num_bytes, limits.control_bytes);
  }
  RETURN_IF_ERROR(ParseBounded(absl::StrJoin(pieces, ""), &received->message));
  return received->message.has_chunk() ? NotAlone() : absl::OkStatus();
}

}  // namespace

void ReceivedMessage::Clear() {
  num_bytes = 0;
  has_chunk = false;
  chunk.chunk.Clear();
  chunk.groups.clear();
  ForEachField(
      [](const TrajectoryField&, auto& where) {
        if constexpr (std::is_same_v<std::decay_t<decltype(where)>, TensorPieces>) where.clear();
      },
      chunk);
  message.Clear();
}

MessageLimits LimitsOfChunks(const EnvironmentSpec& spec, const ChunkShape& shape) {
  constexpr size_t kFieldsBytes = 128;  // tags, lengths, data type and shape of one tensor, or the chunk's own numbers
  constexpr size_t kEpisodeNumbersBytes = 64;
  const size_t tensors = spec.groups.size() * CountFields<GroupFields>() + CountFields<JointFields>();
  const ChunkCounts counts{
      .groups = spec.groups.size(),
      .episodes = static_cast<size_t>(shape.rollout_length) * shape.copies,
      .episode_bytes = kEpisodeNumbersBytes + sizeof(float) * (spec.groups.size() + spec.num_statistics())};
  return {
      .chunk_bytes = MaxChunkBytes(spec, shape) + (tensors + 1) * kFieldsBytes + counts.episodes * counts.episode_bytes,
      .counts = counts};
}

absl::Status ReadMessage(absl::Span<const absl::string_view> pieces, const MessageLimits& limits,
                         ReceivedMessage* received) {
  Pieces stream(pieces);
  received->Clear();
  received->num_bytes = stream.size();
  CodedInputStream in(&stream);
  if (in.ReadTag() != Tag(wire::WorkerMessage::kChunkFieldNumber, kBytes)) return ReadControl(pieces, limits, received);
  received->has_chunk = true;
  if (!limits.counts.has_value()) return absl::OkStatus();
  if (received->num_bytes > limits.chunk_bytes) return TooLarge("chunk", received->num_bytes, limits.chunk_bytes);
  ChunkReader reader(stream, *limits.counts, in);
  if (!reader.Within([&] { return reader.Read(&received->chunk); })) {
    return reader.too_much().ok() ? Unreadable() : reader.too_much();
  }
  return static_cast<size_t>(in.CurrentPosition()) == stream.size() ? absl::OkStatus() : NotAlone();
}

}  // namespace troupe
