#include "learner/algorithms/warm_start.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace troupe {

absl::Status WarmStart(absl::Span<const HostTensor> actors, Algorithm* algorithm) {
  std::vector<HostTensor> state = algorithm->SaveState();
  std::map<std::string, HostTensor*> kept;
  for (HostTensor& tensor : state) kept[tensor.name] = &tensor;
  const std::vector<std::string> prefixes = algorithm->actor_prefixes();
  for (const HostTensor& actor : actors) {
    for (const std::string& prefix : prefixes) {
      const auto found = kept.find(prefix + actor.name);
      // Some groups may have no copy; the acting network is there for all of them.
      if (found == kept.end() && prefix != prefixes.front()) continue;
      if (found == kept.end()) {
        return absl::InvalidArgumentError(
            absl::StrCat("actors: the algorithm has no parameter \"", actor.name, "\" to begin with another"));
      }
      HostTensor& own = *found->second;
      if (own.data_type != actor.data_type || own.shape != actor.shape || own.bytes.size() != actor.bytes.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat("actors: parameter \"", actor.name, "\" has another type or shape than the algorithm's"));
      }
      own.bytes = actor.bytes;
    }
  }
  return algorithm->LoadState(state);
}

}  // namespace troupe
