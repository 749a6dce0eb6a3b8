#include "learner/reporting/tensorboard_writer.h"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"
#include "common/files/crc32c.h"
#include "proto/tensorboard.pb.h"

namespace troupe {
namespace {

uint32_t MaskCrc32c(uint32_t crc) { return std::rotr(crc, 15) + 0xa282ead8; }

std::string LittleEndian(uint64_t value, int num_bytes) {
  std::string bytes;
  for (int i = 0; i < num_bytes; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

tensorboard::Event EventAt(uint64_t step, absl::Time when) {
  tensorboard::Event event;
  event.set_wall_time(absl::ToDoubleSeconds(when - absl::UnixEpoch()));
  event.set_step(static_cast<int64_t>(step));
  return event;
}

}  // namespace

std::string FrameRecord(std::string_view message) {
  const std::string length = LittleEndian(message.size(), 8);
  return absl::StrCat(length, LittleEndian(MaskCrc32c(Crc32c(length)), 4),
                      absl::string_view(message.data(), message.size()), LittleEndian(MaskCrc32c(Crc32c(message)), 4));
}

absl::StatusOr<std::unique_ptr<TensorboardWriter>> TensorboardWriter::Create(const std::string& folder,
                                                                             uint64_t first_step, absl::Time now) {
  char host[256] = "localhost";
  gethostname(host, sizeof(host) - 1);
  const std::string path = absl::StrFormat("%s/events.out.tfevents.%010d.%s.%d.%d", folder, absl::ToUnixSeconds(now),
                                           host, getpid(), first_step);
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  std::unique_ptr<TensorboardWriter> writer(new TensorboardWriter(path, file));
  tensorboard::Event version = EventAt(0, now);
  version.set_file_version("brain.Event:2");
  RETURN_IF_ERROR(writer->Append(version.SerializeAsString()));
  tensorboard::Event start = EventAt(first_step, now);
  start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  RETURN_IF_ERROR(writer->Append(start.SerializeAsString()));
  return writer;
}

TensorboardWriter::~TensorboardWriter() { std::fclose(file_); }

absl::Status TensorboardWriter::AddScalars(uint64_t step, absl::Time when, const NamedScalars& scalars) {
  tensorboard::Event event = EventAt(step, when);
  for (const auto& [tag, value] : scalars) {
    if (!std::isfinite(value)) continue;
    tensorboard::SummaryValue* entry = event.mutable_summary()->add_value();
    entry->set_tag(tag);
    entry->set_simple_value(static_cast<float>(value));
  }
  return event.has_summary() ? Append(event.SerializeAsString()) : absl::OkStatus();
}

absl::Status TensorboardWriter::Append(const std::string& message) {
  const std::string record = FrameRecord(message);
  if (std::fwrite(record.data(), 1, record.size(), file_) == record.size() && std::fflush(file_) == 0) {
    return absl::OkStatus();
  }
  const std::string text = absl::StrCat(path_, ": ", std::strerror(errno));
  return errno == ENOSPC ? absl::ResourceExhaustedError(text) : absl::InternalError(text);
}

}  // namespace troupe
