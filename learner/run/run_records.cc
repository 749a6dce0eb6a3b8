#include "learner/run/run_records.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
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

double UnixSeconds(absl::Time time) { return absl::ToDoubleSeconds(time - absl::UnixEpoch()); }

std::string Dump(const Json& object) { return object.dump(-1, ' ', false, Json::error_handler_t::replace); }

bool IsSeen(const std::string& line, uint64_t update, uint64_t evaluated_env_steps) {
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("update") || !object["update"].is_number_unsigned()) return false;
  if (!object.contains("evaluation")) return object["update"].get<uint64_t>() <= update;
  return object.contains("env_steps") && object["env_steps"].is_number_unsigned() &&
         object["env_steps"].get<uint64_t>() <= evaluated_env_steps;
}

absl::Status KeepSeen(const std::string& path, uint64_t update, uint64_t evaluated_env_steps) {
  if (!std::filesystem::exists(path)) return absl::OkStatus();
  const std::string kept_path = path + ".kept";
  std::ifstream lines(path);
  std::ofstream kept(kept_path, std::ios::trunc);
  for (std::string line; std::getline(lines, line);) {
    if (IsSeen(line, update, evaluated_env_steps)) kept << line << '\n';
  }
  kept.close();
  std::error_code error;
  if (kept.fail() || lines.bad())
    return absl::InternalError(absl::StrCat(path, ": cannot be rewritten: ", std::strerror(errno)));
  std::filesystem::rename(kept_path, path, error);
  return error ? absl::InternalError(absl::StrCat(path, ": ", error.message())) : absl::OkStatus();
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
  if (!record.error.empty()) object["error"] = record.error;
  return Dump(object);
}

std::string FormatRecord(const EvaluationRecord& record) {
  return Dump({{"evaluation", ToJson(record.episodes)},
               {"update", record.update},
               {"env_steps", record.env_steps},
               {"time", UnixSeconds(record.time)},
               {"best", record.best}});
}

absl::StatusOr<std::unique_ptr<RunRecords>> RunRecords::Open(const std::string& path, uint64_t update,
                                                             uint64_t evaluated_env_steps) {
  RETURN_IF_ERROR(KeepSeen(path, update, evaluated_env_steps));
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (file == nullptr) return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
  return std::unique_ptr<RunRecords>(new RunRecords(path, file));
}

RunRecords::~RunRecords() { std::fclose(file_); }

absl::Status RunRecords::Append(const std::string& line) {
  if (std::fprintf(file_, "%s\n", line.c_str()) >= 0 && std::fflush(file_) == 0) return absl::OkStatus();
  const std::string text = absl::StrCat(path_, ": ", std::strerror(errno));
  const bool full = errno == ENOSPC;
  std::clearerr(file_);
  return full ? absl::ResourceExhaustedError(text) : absl::InternalError(text);
}

}  // namespace troupe
