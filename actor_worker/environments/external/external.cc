#include <memory>
#include <utility>
#include <vector>

#include "actor_worker/environments/any_allowed_action.h"
#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/external/external_copies.h"
#include "actor_worker/environments/external/external_environment.h"
#include "actor_worker/environments/external/external_settings.h"
#include "actor_worker/environments/merged_groups.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

absl::StatusOr<std::vector<std::unique_ptr<Environment>>> CreateExternalCopies(const SettingsMap& map, int copies) {
  ASSIGN_OR_RETURN(const ExternalSettings settings, ReadExternalSettings(map));
  ASSIGN_OR_RETURN(const std::shared_ptr<ExternalCopies> shared, ExternalCopies::Create(settings, copies));
  std::vector<std::unique_ptr<Environment>> made;
  for (int c = 0; c < copies; ++c) {
    made.push_back(std::make_unique<ExternalEnvironment>(shared, c));
    if (!settings.merged_groups) continue;
    ASSIGN_OR_RETURN(made.back(), MergedGroups::Create(std::move(made.back())));
  }
  return made;
}

absl::StatusOr<std::unique_ptr<Environment>> CreateExternal(const SettingsMap& map) {
  ASSIGN_OR_RETURN(std::vector<std::unique_ptr<Environment>> made, CreateExternalCopies(map, 1));
  return std::move(made.front());
}

std::vector<Baseline> ExternalBaselines(const SettingsMap&) {
  return {{.name = "first_action", .setting_overrides = {}, .make = &MakeAnyAllowedAction}};
}

}  // namespace

// Declared and listed in actor_worker/environments/registry/registry.cc.
EnvironmentEntry ExternalEntry() {
  return {.name = "external",
          .summary = "any other, stepped by a process of its own: PettingZoo, Gymnasium, your simulator",
          .create = CreateExternal,
          .baselines = ExternalBaselines,
          .describe_settings = DescribeExternalSettings,
          .machine_settings = {"server_program", "processes", "start_timeout_seconds", "timeout_seconds",
                               "memory_limit_mb"},
          .create_copies = CreateExternalCopies};
}

}  // namespace troupe
