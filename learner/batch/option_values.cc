#include "learner/batch/option_values.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr float kLogProbabilityRounding = 1e-3f;

bool IsWhole(float value, float most) { return value >= 0 && value <= most && std::floor(value) == value; }

}  // namespace

absl::Status CheckOptionValues(const std::string& prefix, const FieldSizes& sizes, absl::Span<const int32_t> options,
                               absl::Span<const float> log_probabilities, absl::Span<const float> states) {
  const auto invalid = [&](const char* field, size_t i, const auto&... what) {
    const size_t row = i / sizes.agents;
    return absl::InvalidArgumentError(absl::StrCat(prefix, field, "[", row / sizes.copies, ", ", row % sizes.copies,
                                                   ", ", i % sizes.agents, "]: ", what...));
  };
  const auto most_held = static_cast<float>(sizes.num_options) - 1, most_age = static_cast<float>(sizes.option_steps);
  for (size_t i = 0; 2 * i < states.size(); ++i) {
    if (IsWhole(states[2 * i], most_held) && IsWhole(states[2 * i + 1], most_age)) continue;
    return invalid("option_states", i, "came ", states[2 * i], " for ", states[2 * i + 1],
                   " steps, expected whole numbers in [0, ", sizes.num_options, ") and [0, ", sizes.option_steps, "]");
  }
  for (size_t i = 0; i < options.size(); ++i) {
    if (options[i] < 0 || static_cast<uint32_t>(options[i]) >= sizes.num_options) {
      return invalid("options", i, "came ", options[i], ", expected [0, ", sizes.num_options, ")");
    }
    const bool chosen = states[2 * i + 1] == 0 || states[2 * i + 1] == most_age;
    if (!chosen && static_cast<float>(options[i]) != states[2 * i]) {
      return invalid("options", i, "came ", options[i], ", expected ", states[2 * i], ", which is still followed");
    }
    if (log_probabilities[i] > kLogProbabilityRounding) {
      return invalid("option_log_probabilities", i, "came ", log_probabilities[i], ", expected at most 0");
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
