#include "actor_worker/stream/shared_encoding.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream.h"
#include "grpcpp/support/slice.h"

namespace troupe {
namespace {

using MessageOwner = std::shared_ptr<const wire::WorkerMessage>;

// Collects slices: blocks of its own for what protobuf writes, the message's memory for what it lends.
class SliceStream final : public google::protobuf::io::ZeroCopyOutputStream {
 public:
  explicit SliceStream(MessageOwner owner) : owner_(std::move(owner)) {}

  bool Next(void** data, int* size) override {
    Seal();
    block_ = grpc::Slice(kBlockBytes);
    used_ = kBlockBytes;
    *data = const_cast<uint8_t*>(block_.begin());
    *size = kBlockBytes;
    count_ += kBlockBytes;
    return true;
  }
  void BackUp(int count) override {
    used_ -= count;
    count_ -= count;
  }
  int64_t ByteCount() const override { return count_; }

  bool AllowsAliasing() const override { return true; }
  bool WriteAliasedRaw(const void* data, int size) override {
    if (size < kSharedBytes) return Copy(data, size);
    Seal();
    slices_.emplace_back(
        const_cast<void*>(data), size, [](void* held) { delete static_cast<MessageOwner*>(held); },
        new MessageOwner(owner_));
    count_ += size;
    return true;
  }

  grpc::ByteBuffer Finish() {
    Seal();
    return {slices_.data(), slices_.size()};
  }

 private:
  // Field tags and small tensors between two large ones.
  static constexpr int kBlockBytes = 1024;

  void Seal() {
    if (used_ > 0) slices_.push_back(used_ == kBlockBytes ? block_ : block_.sub(0, used_));
    used_ = 0;
  }
  bool Copy(const void* data, int size) {
    const char* from = static_cast<const char*>(data);
    while (size > 0) {
      void* to;
      int room;
      Next(&to, &room);
      const int part = std::min(size, room);
      std::memcpy(to, from, part);
      if (part < room) BackUp(room - part);
      from += part;
      size -= part;
    }
    return true;
  }

  const MessageOwner owner_;
  std::vector<grpc::Slice> slices_;
  grpc::Slice block_;
  int used_ = 0;  // bytes of block_
  int64_t count_ = 0;
};

}  // namespace

grpc::ByteBuffer EncodeShared(std::shared_ptr<const wire::WorkerMessage> message) {
  const wire::WorkerMessage& contents = *message;
  SliceStream stream(std::move(message));
  {
    google::protobuf::io::CodedOutputStream out(&stream);
    out.EnableAliasing(true);
    contents.SerializeToCodedStream(&out);
  }
  return stream.Finish();
}

}  // namespace troupe
