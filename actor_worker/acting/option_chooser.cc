#include "actor_worker/acting/option_chooser.h"

#include <algorithm>

namespace troupe {
namespace {

struct Followed {
  int option = 0, age = 0;
};

// Of an agent's two numbers. Those that no step has left, for a program may set them, are brought within bounds.
Followed Read(const OptionSpec& options, const float* state) {
  const auto within = [](float value, int most) {
    return static_cast<int>(std::clamp(value, 0.0f, static_cast<float>(most)));
  };
  return {within(state[0], options.count - 1), within(state[1], options.steps)};
}

}  // namespace

OptionChooser::OptionChooser(const PolicySpec& spec, int copies, int draws, NetworkFactory make_network)
    : options_(spec.options),
      rows_(static_cast<size_t>(copies) * spec.num_agents),
      observed_(spec.observation_size),
      draws_(draws),
      manager_(make_network(ManagerOf(spec), copies)),
      categorical_(static_cast<int>(rows_), spec.options.count),
      uniforms_(rows_),
      left_(rows_ * draws_),
      seen_(rows_ * (options_.count + 1 + observed_)),
      choices_(rows_),
      log_probabilities_(rows_),
      inputs_(rows_ * (options_.count + observed_)) {}

void OptionChooser::Split(absl::Span<const float> uniforms) {
  drawn_ = !uniforms.empty();
  for (size_t row = 0; drawn_ && row < rows_; ++row) {
    const float* const own = uniforms.data() + row * (draws_ + 1);
    std::copy_n(own, draws_, left_.data() + row * draws_);
    uniforms_[row] = own[draws_];
  }
}

void OptionChooser::Draw(absl::Span<const float> observations, absl::Span<const float> state) {
  float* to = seen_.data();
  for (size_t row = 0; row < rows_; ++row) {
    const Followed followed = Read(options_, state.data() + 2 * row);
    WriteHeldOption(options_, followed.option, followed.age, to);
    to = std::copy_n(observations.data() + row * observed_, observed_, to + options_.count + 1);
  }
  categorical_.Choose(manager_->Outputs(seen_, {}), {},
                      absl::MakeConstSpan(uniforms_).first(drawn_ ? uniforms_.size() : 0),
                      {.discrete = absl::MakeSpan(choices_), .log_probabilities = absl::MakeSpan(log_probabilities_)});
}

absl::Span<const float> OptionChooser::Choose(absl::Span<const float> observations, absl::Span<const float> uniforms,
                                              absl::Span<float> state, const ChosenActions& chosen) {
  Split(uniforms);
  bool any = false;
  for (size_t row = 0; row < rows_; ++row) any |= IsChoice(options_, Read(options_, state.data() + 2 * row).age);
  if (any) Draw(observations, state);
  float* to = inputs_.data();
  for (size_t row = 0; row < rows_; ++row) {
    const Followed before = Read(options_, state.data() + 2 * row);
    const bool begins = IsChoice(options_, before.age);
    const int option = begins ? choices_[row] : before.option;
    state[2 * row] = static_cast<float>(option);
    state[2 * row + 1] = begins ? 1.0f : static_cast<float>(before.age + 1);
    WriteOption(options_, option, to);
    to = std::copy_n(observations.data() + row * observed_, observed_, to + options_.count);
    if (!chosen.options.empty()) chosen.options[row] = option;
    if (!chosen.option_log_probabilities.empty()) {
      chosen.option_log_probabilities[row] = begins ? log_probabilities_[row] : 0.0f;
    }
  }
  return inputs_;
}

}  // namespace troupe
