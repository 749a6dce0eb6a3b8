#include "learner/reporting/run_records.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/files/atomic_file.h"
#include "nlohmann/json.hpp"

namespace troupe {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const NamedFigures& figures) {
  Json object = Json::object();
  for (const auto& [name, value] : figures) object[name] = value;
  return object;
}

Json ToJson(const EpisodeMeans& means) {
  Json object = {{"count", means.count}};
  if (means.count == 0) return object;
  object["episode_return"] = means.episode_return;
  object["episode_length"] = means.episode_length;
  object["group_returns"] = ToJson(means.group_returns);
  object["statistics"] = ToJson(means.statistics);
  return object;
}

Json ToJson(const DivergenceRecord& record) {
  Json object = {{"skipped_minibatches", record.skipped_minibatches}, {"in_a_row", record.in_a_row}};
  if (!record.batch.empty()) object["batch"] = record.batch;
  if (record.back_to_update.has_value()) object["back_to_update"] = *record.back_to_update;
  object["rollbacks"] = record.rollbacks;
  object["learning_rate_scale"] = record.learning_rate_scale;
  return object;
}

double UnixSeconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

std::string Dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool IsSeen(const std::string& line, uint64_t update, uint64_t evaluated_env_steps) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("update") || !object["update"].is_number_unsigned()) return false;
  if (!object.contains("evaluation")) return object["update"].get<uint64_t>() <= update;
  return object.contains("env_steps") && object["env_steps"].is_number_unsigned() &&
         object["env_steps"].get<uint64_t>() <= evaluated_env_steps;
}

absl::Status CannotRewrite(const std::string& path) {
  return absl::InternalError(absl::StrCat(path, ": cannot be rewritten: ", std::strerror(errno)));
}

// Moves what was not seen from `path` to the end of `dropped_path`; returns how many lines.
absl::StatusOr<int> KeepSeen(const std::string& path, const std::string& dropped_path, uint64_t update,
                             uint64_t evaluated_env_steps) {
  ASSIGN_OR_RETURN(const bool exists, FileExists(path));
  if (!exists) return 0;
  const std::string kept_path = path + ".kept";
  std::ifstream lines(path);
  if (!lines.is_open()) return CannotRewrite(path);
  std::ofstream kept(kept_path, std::ios::trunc), dropped;
  int num_dropped = 0;
  bool ends_whole = true;
  for (std::string line; std::getline(lines, line);) {
    ends_whole = !lines.eof();
    if (IsSeen(line, update, evaluated_env_steps)) {
      kept << line << '\n';
      continue;
    }
    if (num_dropped++ == 0) dropped.open(dropped_path, std::ios::app);
    dropped << line << '\n';
  }
  kept.close();
  if (num_dropped > 0) dropped.close();
  if (lines.bad() || kept.fail()) return CannotRewrite(path);
  if (dropped.fail()) return CannotRewrite(dropped_path);
  if (num_dropped == 0 && ends_whole) {
    RETURN_IF_ERROR(RemoveFile(kept_path));
    return 0;
  }
  // The dropped lines are safe before the old file goes.
  if (num_dropped > 0) RETURN_IF_ERROR(SyncFile(dropped_path));
  RETURN_IF_ERROR(SyncFile(kept_path));
  RETURN_IF_ERROR(RenameFile(kept_path, path));
  return num_dropped;
}

}  // namespace

std::string FormatRecord(const UpdateRecord& record) {
  Json object = {{"update", record.update},
                 {"env_steps", record.env_steps},
                 {"time", UnixSeconds(record.time)},
                 {"wall_seconds", record.wall_seconds},
                 {"env_steps_per_second", record.env_steps_per_second},
                 {"policy_lag", record.policy_lag},
                 {"statistics", ToJson(record.statistics)},
                 {"stage_seconds", ToJson(record.stage_seconds)},
                 {"episodes", ToJson(record.episodes)}};
  if (!record.curriculum_stage.empty()) object["curriculum_stage"] = record.curriculum_stage;
  if (!record.error.empty()) object["error"] = record.error;
  if (record.divergence.has_value()) object["divergence"] = ToJson(*record.divergence);
  return Dump(object);
}

std::string FormatRecord(const EvaluationRecord& record) {
  return Dump({{"evaluation", ToJson(record.episodes)},
               {"update", record.update},
               {"env_steps", record.env_steps},
               {"time", UnixSeconds(record.time)},
               {"best", record.best}});
}

std::string FormatRecord(const StageVerdictRecord& record) {
  return Dump({{"stage_verdict",
                {{"stage", record.stage},
                 {"judged_update", record.judged_update},
                 {"statistic", record.statistic},
                 {"value", record.value},
                 {"met", record.met},
                 {"met_in_a_row", record.met_in_a_row},
                 {"episodes", ToJson(record.episodes)}}},
               {"update", record.update},
               {"env_steps", record.env_steps},
               {"time", UnixSeconds(record.time)}});
}

absl::StatusOr<std::unique_ptr<RunRecords>> RunRecords::Open(const std::string& folder, uint64_t update,
                                                             uint64_t evaluated_env_steps) {
  const std::string path = folder + "/metrics.jsonl";
  ASSIGN_OR_RETURN(const int dropped, KeepSeen(path, folder + "/metrics.dropped.jsonl", update, evaluated_env_steps));
  const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  return std::unique_ptr<RunRecords>(new RunRecords(path, file, dropped));
}

RunRecords::~RunRecords() { close(file_); }

absl::Status RunRecords::Append(const std::string& line) {
  const std::string text = line + "\n";
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(file_, text.data() + written, text.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    written += count;
  }
  if (written == text.size()) return absl::OkStatus();
  const int error = errno;
  // A part of a line would spoil the next one as well.
  struct stat facts;
  if (written > 0 && fstat(file_, &facts) == 0 && ftruncate(file_, facts.st_size - written) != 0) {
    return absl::DataLossError(absl::StrCat(path_, ": ", std::strerror(error), ", and a part of a line stays"));
  }
  const std::string what = absl::StrCat(path_, ": ", std::strerror(error));
  return error == ENOSPC ? absl::ResourceExhaustedError(what) : absl::InternalError(what);
}

}  // namespace troupe
