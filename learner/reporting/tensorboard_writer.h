// TensorBoard event files: TFRecords of Event messages (proto/tensorboard.proto).
//
// A record: length (8 bytes, little-endian), masked CRC-32C of those 8 bytes (4), the message, masked CRC-32C of the
// message (4); mask(crc) = rotate_right(crc, 15) + 0xa282ead8 (TensorFlow, lib/io/record_writer and lib/hash/crc32c;
// CRC-32C: RFC 3720, B.4).
#ifndef TROUPE_LEARNER_REPORTING_TENSORBOARD_WRITER_H_
#define TROUPE_LEARNER_REPORTING_TENSORBOARD_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace troupe {

std::string FrameRecord(std::string_view message);

using NamedScalars = std::vector<std::pair<std::string, double>>;

// Not thread-safe. One file per start of a run; what an earlier start wrote at `first_step` or later is disowned, so
// that curves show what the weights really went through.
class TensorboardWriter {
 public:
  // Errors: UNAVAILABLE with path and errno's text.
  static absl::StatusOr<std::unique_ptr<TensorboardWriter>> Create(const std::string& folder, uint64_t first_step,
                                                                   absl::Time now);
  ~TensorboardWriter();

  // One event with all scalars of a step; those that are not finite are left out. Errors: RESOURCE_EXHAUSTED or
  // INTERNAL.
  absl::Status AddScalars(uint64_t step, absl::Time when, const NamedScalars& scalars);

  const std::string& path() const { return path_; }

 private:
  TensorboardWriter(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  absl::Status Append(const std::string& message);

  const std::string path_;
  std::FILE* const file_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPORTING_TENSORBOARD_WRITER_H_
