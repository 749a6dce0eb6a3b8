#include "actor_worker/environments/action_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace troupe {

std::string ActionText(const GroupAction& action, int agent, int num_agents) {
  if (!action.discrete.empty()) {
    const size_t indices = action.discrete.size() / num_agents;
    return absl::StrJoin(action.discrete.subspan(agent * indices, indices), ",");
  }
  const size_t size = action.continuous.size() / num_agents;
  return absl::StrJoin(action.continuous.subspan(agent * size, size), ",",
                       [](std::string* text, float value) { absl::StrAppendFormat(text, "%.9g", value); });
}

}  // namespace troupe
