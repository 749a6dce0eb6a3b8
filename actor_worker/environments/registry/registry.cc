#include "actor_worker/environments/registry/registry.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/config/settings_reader.h"

namespace troupe {

// One line per environment, defined in the environment's file.
EnvironmentEntry GridWorldEntry();
EnvironmentEntry TrafficGridEntry();
EnvironmentEntry SumoEntry();
EnvironmentEntry PendulumEntry();
EnvironmentEntry SimpleSpreadEntry();
EnvironmentEntry SimpleTagEntry();
EnvironmentEntry SimpleAdversaryEntry();
EnvironmentEntry SimpleSpeakerListenerEntry();
EnvironmentEntry SimpleReferenceEntry();
EnvironmentEntry MatrixGameEntry();
EnvironmentEntry MemoryEntry();
EnvironmentEntry SignalEntry();
EnvironmentEntry SmaxEntry();
EnvironmentEntry RetailEntry();
EnvironmentEntry PaymentsEntry();
EnvironmentEntry ExternalEntry();
EnvironmentEntry ZeroSumEntry();

absl::Span<const EnvironmentEntry> AllEnvironments() {
  static const auto* const rows = new std::vector<EnvironmentEntry>{
      TrafficGridEntry(),
      SumoEntry(),
      GridWorldEntry(),
      PendulumEntry(),
      SimpleSpreadEntry(),
      SimpleTagEntry(),
      SimpleAdversaryEntry(),
      SimpleSpeakerListenerEntry(),
      SimpleReferenceEntry(),
      MatrixGameEntry(),
      MemoryEntry(),
      SignalEntry(),
      SmaxEntry(),
      RetailEntry(),
      PaymentsEntry(),
      ExternalEntry(),
      ZeroSumEntry(),
  };
  return *rows;
}

absl::StatusOr<const EnvironmentEntry*> FindEnvironment(const std::string& name) {
  std::vector<std::string> names;
  for (const EnvironmentEntry& entry : AllEnvironments()) {
    if (entry.name == name) return &entry;
    names.push_back(entry.name);
  }
  const std::string nearest = NearestName(name, names);
  return absl::NotFoundError(absl::StrCat("environment.name: no environment is called \"", name, "\"",
                                          nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?")));
}

}  // namespace troupe
