#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/config/settings_reader.h"
#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/mappo.h"

namespace troupe {

absl::Span<const AlgorithmEntry> AllAlgorithms() {
  static const auto* const entries = new std::vector<AlgorithmEntry>{
      {"mappo", "multi-agent PPO with a shared critic; independent PPO with critic.input LOCAL_OBSERVATION",
       &Mappo::Create},
  };
  return *entries;
}

absl::StatusOr<std::unique_ptr<Algorithm>> CreateAlgorithm(const AlgorithmContext& context) {
  const std::string& name = context.experiment.algorithm().name();
  std::vector<std::string> known;
  for (const AlgorithmEntry& entry : AllAlgorithms()) {
    if (entry.name == name) return entry.create(context);
    known.push_back(entry.name);
  }
  const std::string nearest = NearestName(name, known);
  return absl::NotFoundError(absl::StrCat("algorithm.name: \"", name, "\" is not known, ",
                                          nearest.empty()
                                              ? absl::StrCat("expected one of ", known.size(), ": ", known.front())
                                              : absl::StrCat("did you mean \"", nearest, "\"?")));
}

}  // namespace troupe
