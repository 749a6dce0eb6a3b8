// Rows of the registry whose environments are not in this library: their copies are processes, which a library does
// not start in somebody else's program.
#include "absl/strings/str_cat.h"
#include "actor_worker/environments/environment.h"

namespace troupe {
namespace {

template <typename Kind>
EnvironmentEntry LeftOut(const std::string& name) {
  static const std::string* const own = new std::string(name);
  return {.name = name,
          .summary = "",
          .create = [](const SettingsMap&) -> absl::StatusOr<std::unique_ptr<Environment>> {
            return absl::UnimplementedError(absl::StrCat(
                "environment.name: ", *own, " runs in processes of its own, which only actor_worker starts"));
          },
          .baselines = [](const SettingsMap&) { return std::vector<Baseline>(); },
          .describe_settings = [] { return std::string(); }};
}

}  // namespace

EnvironmentEntry SumoEntry() { return LeftOut<struct Sumo>("sumo"); }
EnvironmentEntry ExternalEntry() { return LeftOut<struct External>("external"); }

}  // namespace troupe
