#include "common/specs/best_by.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/settings_reader.h"

namespace troupe {

absl::Status CheckBestBy(const EnvironmentSpec& spec, const std::string& best_by) {
  return CheckStatistic(spec, "evaluation.best_by", best_by);
}

absl::Status CheckStatistic(const EnvironmentSpec& spec, const std::string& field, const std::string& statistic) {
  std::vector<std::string> known = {"episode_return", "episode_length"};
  known.insert(known.end(), spec.statistics.begin(), spec.statistics.end());
  if (std::find(known.begin(), known.end(), statistic) != known.end()) return absl::OkStatus();
  const std::string nearest = NearestName(statistic, known);
  return absl::InvalidArgumentError(absl::StrCat(field, ": \"", statistic, "\" is not a statistic of ", spec.name, "; ",
                                                 nearest.empty()
                                                     ? absl::StrCat("there are: ", absl::StrJoin(known, ", "))
                                                     : absl::StrCat("did you mean \"", nearest, "\"?")));
}

}  // namespace troupe
