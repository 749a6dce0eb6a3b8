#include "learner/reporting/batch_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/wire/trajectory_fields.h"
#include "nlohmann/json.hpp"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

// Tensors that the run has not are empty and left out.
template <typename Fields, typename Tensors>
Json TensorsOf(const Tensors& tensors) {
  Json object = Json::object();
  Fields::ForEach(
      [&object](const TrajectoryField& field, const auto& values) {
        if (values.empty()) return;
        const absl::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
        object[std::string(field.name)] = absl::Base64Escape(bytes);
      },
      tensors);
  return object;
}

}  // namespace

std::string FormatBatch(uint64_t update, const TrainingBatch& batch) {
  Json line = {{"update", update}, {"rollout_length", batch.rollout_length}, {"streams", Json::array()}};
  for (size_t column = 0; column < batch.streams.size(); ++column) {
    const ColumnStream& stream = batch.streams[column];
    line["streams"].push_back(
        {stream.shard, stream.copy, stream.lease_epoch, stream.sequence, batch.policy_versions[column]});
  }
  line["joint"] = TensorsOf<JointFields>(batch);
  line["groups"] = Json::array();
  for (const GroupBatch& group : batch.groups) line["groups"].push_back(TensorsOf<GroupFields>(group));
  return line.dump();
}

absl::StatusOr<std::unique_ptr<BatchLog>> BatchLog::Open(const std::string& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return absl::InvalidArgumentError(absl::StrCat("--log_batches: ", path, ": ", std::strerror(errno)));
  return std::unique_ptr<BatchLog>(new BatchLog(path, file));
}

BatchLog::~BatchLog() { close(file_); }

absl::Status BatchLog::Append(uint64_t update, const TrainingBatch& batch) {
  if (!status_.ok()) return status_;
  const std::string line = FormatBatch(update, batch) + "\n";
  for (size_t at = 0; at < line.size();) {
    const ssize_t written = write(file_, line.data() + at, line.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      status_ = absl::InternalError(absl::StrCat(path_, ": ", std::strerror(errno)));
      return status_;
    }
    at += static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

}  // namespace troupe
