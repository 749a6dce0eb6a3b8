#include "actor_worker/rollout/machine_access.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/shown_text.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

constexpr const char* kEndings[] = {"_home", "_path", "_file", "_folder", "_program", "_options"};
constexpr const char* kProgramEndings[] = {"_home", "_program", "_options"};
constexpr size_t kShownValueBytes = 200;

template <typename Settings>
absl::Status Check(const std::string& field, const Settings& settings) {
  // In the order of their names, whatever order the map has.
  const std::map<std::string, std::string> ordered(settings.begin(), settings.end());
  for (const auto& [name, value] : ordered) {
    if (!TouchesMachine(name, value)) continue;
    return absl::FailedPreconditionError(absl::StrCat(
        field, ".", ShownText(name, kShownValueBytes), ": the learner says \"", ShownText(value, kShownValueBytes),
        "\", which names a program, a file or options of a program on this machine: leave it to the machine (SUMO is "
        "found by SUMO_HOME), or start the worker with --allow_machine_settings if you trust whoever runs the "
        "learner"));
  }
  return absl::OkStatus();
}

}  // namespace

bool TouchesMachine(absl::string_view name, absl::string_view value) {
  if (absl::StrContains(value, "/")) return true;
  if (value.empty()) return false;
  for (const char* ending : kEndings) {
    if (absl::EndsWith(name, ending)) return true;
  }
  return false;
}

absl::Status CheckProgramsOfActors(const std::string& path, const Experiment& experiment,
                                   const std::vector<std::string>& overrides) {
  constexpr char kSettings[] = "environment.settings.";
  const auto& settings = experiment.environment().settings();
  // In the order of their names, whatever order the map has.
  for (const auto& [name, value] : std::map<std::string, std::string>(settings.begin(), settings.end())) {
    const auto ends = [&name](const char* ending) { return absl::EndsWith(name, ending); };
    if (value.empty() || std::none_of(std::begin(kProgramEndings), std::end(kProgramEndings), ends)) continue;
    const std::string given = absl::StrCat(kSettings, name, "=");
    if (std::any_of(overrides.begin(), overrides.end(),
                    [&given](const std::string& override) { return absl::StartsWith(override, given); })) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": ", kSettings, ShownText(name, kShownValueBytes), " says \"", ShownText(value, kShownValueBytes),
        "\", which decides what program is run here: give it yourself (--set ", kSettings,
        "NAME=VALUE), or "
        "--allow_machine_settings if you trust whoever made the file"));
  }
  return absl::OkStatus();
}

absl::Status CheckMachineSettings(const Experiment& experiment) {
  RETURN_IF_ERROR(Check("environment.settings", experiment.environment().settings()));
  for (int i = 0; i < experiment.curriculum().stages_size(); ++i) {
    RETURN_IF_ERROR(
        Check(absl::StrCat("curriculum.stages.", i, ".settings"), experiment.curriculum().stages(i).settings()));
  }
  return absl::OkStatus();
}

}  // namespace troupe
