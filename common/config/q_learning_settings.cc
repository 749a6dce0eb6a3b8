#include "common/config/q_learning_settings.h"

#include "absl/strings/str_cat.h"

namespace troupe {

std::optional<FieldError> FindQLearningError(const Experiment& experiment) {
  const QLearningSettings& settings = experiment.q_learning();
  const bool has_own = settings.has_replay_sequence_length();
  const uint32_t length = has_own ? settings.replay_sequence_length() : experiment.collection().sequence_length();
  if (settings.burn_in() < length) return std::nullopt;
  return FieldError{"q_learning.burn_in",
                    absl::StrCat(settings.burn_in(), " of a sequence's ", length, " steps (",
                                 has_own ? "q_learning.replay_sequence_length" : "collection.sequence_length",
                                 ") leave nothing to train on")};
}

}  // namespace troupe
