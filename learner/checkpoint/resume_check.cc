#include "learner/checkpoint/resume_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr char kEnvironmentPrefix[] = "environment.settings.";

absl::Status Refuse(const std::vector<SettingChange>& changes) {
  if (changes.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the run began with other settings, which decide what it trains (",
                                                    FormatChanges(changes),
                                                    "); give the old ones, or another --run_dir for a new run"));
}

}  // namespace

absl::StatusOr<ResumeChanges> CheckResumable(const Experiment& began_with, const Experiment& now) {
  if (now.total_env_steps() < began_with.total_env_steps()) {
    return absl::FailedPreconditionError(absl::StrCat("total_env_steps may only grow: the run has ",
                                                      began_with.total_env_steps(), ", now it says ",
                                                      now.total_env_steps()));
  }
  ResumeChanges allowed;
  std::vector<SettingChange> refused;
  for (SettingChange& change : FindSettingChanges(began_with, now)) {
    if (absl::StartsWith(change.field, kEnvironmentPrefix)) {
      allowed.environment.push_back(std::move(change));
    } else if (change.resume == SettingOptions::TOLD) {
      allowed.told.push_back(std::move(change));
    } else if (change.resume != SettingOptions::FREE) {
      refused.push_back(std::move(change));
    }
  }
  if (absl::Status status = Refuse(refused); !status.ok()) return status;
  return allowed;
}

absl::Status CheckEnvironmentChanges(const std::vector<SettingChange>& changes, const EnvironmentSpec& environment) {
  const std::vector<std::string>& free = environment.machine_settings;
  std::vector<SettingChange> refused;
  for (const SettingChange& change : changes) {
    const std::string name = change.field.substr(sizeof(kEnvironmentPrefix) - 1);
    if (std::find(free.begin(), free.end(), name) == free.end()) refused.push_back(change);
  }
  return Refuse(refused);
}

}  // namespace troupe
