#include "actor_worker/acting/multi_categorical.h"

#include <algorithm>

namespace troupe {

MultiCategorical::MultiCategorical(int rows, const std::vector<int>& sizes)
    : rows_(rows), uniforms_(rows), indices_(rows), log_probabilities_(rows) {
  for (const int size : sizes) {
    const size_t numbers = static_cast<size_t>(rows) * size;
    dimensions_.push_back(
        {width_, size, Categorical(rows, size), std::vector<float>(numbers), std::vector<uint8_t>(numbers)});
    width_ += size;
  }
}

void MultiCategorical::Choose(absl::Span<const float> logits, absl::Span<const uint8_t> masks,
                              absl::Span<const float> uniforms, const ChosenActions& chosen) {
  const size_t count = dimensions_.size();
  const absl::Span<const float> drawn = absl::MakeConstSpan(uniforms_).first(uniforms.empty() ? 0 : rows_);
  std::fill_n(chosen.log_probabilities.begin(), rows_, 0.0f);
  for (size_t d = 0; d < count; ++d) {
    Dimension& of = dimensions_[d];
    for (int row = 0; row < rows_; ++row) {
      const int64_t from = int64_t{row} * width_ + of.first, to = int64_t{row} * of.size;
      std::copy_n(logits.begin() + from, of.size, of.logits.begin() + to);
      if (!masks.empty()) std::copy_n(masks.begin() + from, of.size, of.masks.begin() + to);
      if (!uniforms.empty()) uniforms_[row] = uniforms[row * count + d];
    }
    of.categorical.Choose(
        of.logits, absl::MakeConstSpan(of.masks).first(masks.empty() ? 0 : of.masks.size()), drawn,
        {.discrete = absl::MakeSpan(indices_), .log_probabilities = absl::MakeSpan(log_probabilities_)});
    for (int row = 0; row < rows_; ++row) {
      chosen.discrete[row * count + d] = indices_[row];
      chosen.log_probabilities[row] += log_probabilities_[row];
    }
  }
}

}  // namespace troupe
