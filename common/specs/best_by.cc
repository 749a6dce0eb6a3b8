#include "common/specs/best_by.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/config/settings_reader.h"

namespace troupe {

absl::Status CheckBestBy(const EnvironmentSpec& spec, const std::string& best_by) {
  std::vector<std::string> known = {"episode_return", "episode_length"};
  known.insert(known.end(), spec.statistics.begin(), spec.statistics.end());
  if (std::find(known.begin(), known.end(), best_by) != known.end()) return absl::OkStatus();
  const std::string nearest = NearestName(best_by, known);
  return absl::InvalidArgumentError(
      absl::StrCat("evaluation.best_by: \"", best_by, "\" is not a statistic of ", spec.name, "; ",
                   nearest.empty() ? absl::StrCat("there are: ", absl::StrJoin(known, ", "))
                                   : absl::StrCat("did you mean \"", nearest, "\"?")));
}

}  // namespace troupe
