#include "learner/replay/replay_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "common/files/crc32c.h"
#include "learner/replay/replay_record.h"

namespace troupe {
namespace {

constexpr char kEnding[] = ".batches";
constexpr int64_t kSegments = 16;

struct RecordHead {
  uint64_t number = 0, bytes = 0, checksum = 0;
};

template <typename T>
std::string_view BytesOf(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

uint32_t ChecksumOf(const RecordHead& head, std::string_view batch) {
  return Crc32c(batch, Crc32c(BytesOf(head.bytes), Crc32c(BytesOf(head.number))));
}

absl::Status DiskError(const std::string& action, const std::string& path) {
  const std::string message = absl::StrCat(action, " ", path, ": ", std::generic_category().message(errno));
  return errno == ENOSPC || errno == EDQUOT ? absl::ResourceExhaustedError(message) : absl::InternalError(message);
}

absl::Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return DiskError("write", path);
    bytes.remove_prefix(written);
  }
  return absl::OkStatus();
}

// Cuts the next record off `bytes`; false: there is none that is whole.
bool TakeRecord(std::string_view* bytes, RecordHead* head, std::string_view* batch) {
  if (bytes->size() < sizeof(RecordHead)) return false;
  std::memcpy(head, bytes->data(), sizeof(RecordHead));
  if (head->bytes > bytes->size() - sizeof(RecordHead)) return false;
  *batch = bytes->substr(sizeof(RecordHead), head->bytes);
  if (ChecksumOf(*head, *batch) != head->checksum) return false;
  bytes->remove_prefix(sizeof(RecordHead) + head->bytes);
  return true;
}

}  // namespace

ReplayFile::ReplayFile(std::string folder, int64_t most_bytes) : folder_(std::move(folder)), most_bytes_(most_bytes) {}

ReplayFile::~ReplayFile() { Close(); }

void ReplayFile::Close() {
  if (descriptor_ >= 0) close(std::exchange(descriptor_, -1));
}

std::string ReplayFile::PathOf(uint64_t first) const { return absl::StrFormat("%s/%012u%s", folder_, first, kEnding); }

absl::Status ReplayFile::List(std::deque<Segment>* found) const {
  const absl::StatusOr<std::vector<std::string>> names = ListFolder(folder_);
  if (absl::IsNotFound(names.status())) return absl::OkStatus();
  RETURN_IF_ERROR(names.status());
  for (const std::string& name : *names) {
    uint64_t first = 0;
    if (!absl::EndsWith(name, kEnding)) continue;
    if (absl::SimpleAtoi(name.substr(0, name.size() - (sizeof(kEnding) - 1)), &first)) found->push_back({first, 0});
  }
  std::ranges::sort(*found, {}, &Segment::first);
  return absl::OkStatus();
}

absl::Status ReplayFile::Clear() {
  Close();
  std::deque<Segment> found;
  RETURN_IF_ERROR(List(&found));
  for (const Segment& segment : found) RETURN_IF_ERROR(RemoveFile(PathOf(segment.first)));
  segments_.clear();
  end_ = checksum_ = 0;
  bytes_ = 0;
  is_synced_ = true;
  return MakeFolder(folder_);
}

ReplayFile::Range ReplayFile::range() const {
  return {segments_.empty() ? end_ : segments_.front().first, end_, checksum_};
}

absl::Status ReplayFile::Restore(const Range& range, const Visit& visit) {
  Close();
  std::deque<Segment> found, kept;
  RETURN_IF_ERROR(List(&found));
  const auto lost = [&](uint64_t number) {
    return absl::DataLossError(absl::StrCat(folder_, ": batch ", number, " is not there or not whole"));
  };
  uint64_t next = range.first;
  uint32_t checksum = range.checksum;
  for (size_t i = 0; i < found.size() && next < range.end; ++i) {
    if (i + 1 < found.size() && found[i + 1].first <= range.first) continue;
    uint64_t number = found[i].first;
    if (number > next) return lost(next);
    ASSIGN_OR_RETURN(const std::string content, ReadWholeFile(PathOf(number)));
    std::string_view left = content, batch;
    RecordHead head;
    for (; next < range.end && TakeRecord(&left, &head, &batch) && head.number == number; ++number) {
      if (number < next) continue;
      ASSIGN_OR_RETURN(TrainingBatch decoded, DecodeReplayBatch(batch));
      RETURN_IF_ERROR(visit(std::move(decoded)));
      checksum = static_cast<uint32_t>(head.checksum);
      ++next;
    }
    kept.push_back({found[i].first, static_cast<int64_t>(content.size() - left.size())});
  }
  if (next < range.end) return lost(next);
  if (checksum != range.checksum) {
    return absl::DataLossError(absl::StrCat(folder_, ": batch ", range.end - 1, " is not the one it was"));
  }
  for (const Segment& segment : found) {
    const auto is_same = [&](const Segment& other) { return other.first == segment.first; };
    if (std::ranges::none_of(kept, is_same)) RETURN_IF_ERROR(RemoveFile(PathOf(segment.first)));
  }
  segments_ = std::move(kept);
  bytes_ = 0;
  for (const Segment& segment : segments_) bytes_ += segment.bytes;
  end_ = range.end;
  checksum_ = checksum;
  if (segments_.empty()) return MakeFolder(folder_);
  const std::string path = PathOf(segments_.back().first);
  if (truncate(path.c_str(), segments_.back().bytes) != 0) return DiskError("cut off", path);
  return OpenLast();
}

absl::Status ReplayFile::OpenLast() {
  const std::string path = PathOf(segments_.back().first);
  descriptor_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  return descriptor_ >= 0 ? absl::OkStatus() : DiskError("open", path);
}

absl::Status ReplayFile::RemoveFirst() {
  RETURN_IF_ERROR(RemoveFile(PathOf(segments_.front().first)));
  bytes_ -= segments_.front().bytes;
  segments_.pop_front();
  return absl::OkStatus();
}

absl::Status ReplayFile::Append(uint64_t number, const TrainingBatch& batch) {
  if (!segments_.empty() && number != end_) {
    return absl::InternalError(absl::StrCat(folder_, ": batch ", number, " comes after ", end_ - 1));
  }
  const std::string content = EncodeReplayBatch(batch);
  RecordHead head{.number = number, .bytes = content.size()};
  head.checksum = ChecksumOf(head, content);
  const auto bytes = static_cast<int64_t>(sizeof(head) + content.size());
  while (segments_.size() > 1 && bytes_ + bytes > most_bytes_) RETURN_IF_ERROR(RemoveFirst());
  if (descriptor_ < 0 || segments_.back().bytes >= most_bytes_ / kSegments) {
    RETURN_IF_ERROR(Sync());
    Close();
    segments_.push_back({number, 0});
    RETURN_IF_ERROR(OpenLast());
  }
  const std::string path = PathOf(segments_.back().first);
  is_synced_ = false;
  RETURN_IF_ERROR(WriteAll(descriptor_, BytesOf(head), path));
  RETURN_IF_ERROR(WriteAll(descriptor_, content, path));
  segments_.back().bytes += bytes;
  bytes_ += bytes;
  end_ = number + 1;
  checksum_ = static_cast<uint32_t>(head.checksum);
  return absl::OkStatus();
}

absl::Status ReplayFile::Forget(uint64_t first) {
  while (segments_.size() > 1 && segments_[1].first <= first) RETURN_IF_ERROR(RemoveFirst());
  return absl::OkStatus();
}

absl::Status ReplayFile::Sync() {
  if (is_synced_ || descriptor_ < 0) return absl::OkStatus();
  if (fdatasync(descriptor_) != 0) return DiskError("sync", PathOf(segments_.back().first));
  is_synced_ = true;
  return absl::OkStatus();
}

}  // namespace troupe
