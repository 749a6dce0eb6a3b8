#include "common/specs/option_policies.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace troupe {

PolicySpec ManagerOf(const PolicySpec& spec) {
  PolicySpec manager = spec;
  manager.group = absl::StrCat(spec.group, "/manager");
  manager.options = {};
  manager.observation_size = spec.options.count + 1 + spec.observation_size;
  manager.action_kind = ActionKind::kDiscrete;
  manager.action_size = spec.options.count;
  manager.action_sizes = {};
  manager.action_bounds = {};
  manager.distribution = {};
  manager.stack.input_size = spec.stack.input_size + 1;
  manager.stack.output_size = spec.options.count;
  return manager;
}

PolicySpec UnderOptions(const PolicySpec& spec) {
  PolicySpec under = spec;
  under.observation_size += spec.options.count;
  under.options = {};
  return under;
}

void WriteOption(const OptionSpec& options, int option, float* to) {
  std::fill_n(to, options.count, 0.0f);
  to[option] = 1.0f;
}

void WriteHeldOption(const OptionSpec& options, int option, int age, float* to) {
  std::fill_n(to, options.count + 1, 0.0f);
  if (age == 0) return;
  to[option] = 1.0f;
  to[options.count] = static_cast<float>(age) / static_cast<float>(options.steps);
}

}  // namespace troupe
