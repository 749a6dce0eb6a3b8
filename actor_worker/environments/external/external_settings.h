// Settings of the environment `external`: which program serves it, within which limits, and what it is told.
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_SETTINGS_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_SETTINGS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "actor_worker/environments/environment.h"

namespace troupe {

struct ExternalSettings {
  std::vector<std::string> command;              // program, by its path, and arguments
  std::map<std::string, std::string> arguments;  // TROUPE_ARGUMENT_<name> of proto/environment_service.proto
  int processes = 1;                             // that the copies are shared out to
  double start_timeout_seconds = 120;            // from the program's start to its hello
  double timeout_seconds = 15;                   // for a step of all copies
  int64_t memory_limit_mb = 4096;                // private memory of a process
  bool merged_groups = false;                    // merged_groups.h
};

// Errors: INVALID_ARGUMENT naming the setting; NOT_FOUND when the program is not there.
absl::StatusOr<ExternalSettings> ReadExternalSettings(const SettingsMap& settings);

// For people: as SettingsReader::Describe.
std::string DescribeExternalSettings();

// The words of a line as a shell would part them: at spaces, but not within '…' or "…"; nothing else is special.
// Errors: INVALID_ARGUMENT for a quotation without end.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view line);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_EXTERNAL_EXTERNAL_SETTINGS_H_
