#include "learner/arithmetic/networks/communication.h"

namespace troupe {

Listeners::Listeners(const DenseStackSpec& stack, const std::vector<std::vector<int>>& hears)
    : messages_(stack.messages), sets_(stack.num_sets), places_(static_cast<int64_t>(hears.size())) {
  sources_ = at::full({places_ * messages_.most_heard}, places_, at::kLong);
  shares_ = at::zeros({places_, 1}, at::kFloat);
  for (int64_t place = 0; place < places_; ++place) {
    int64_t* to = sources_.data_ptr<int64_t>() + place * messages_.most_heard;
    for (const int other : hears[place]) *to++ = other;
    if (!hears[place].empty()) shares_.data_ptr<float>()[place] = 1.0f / static_cast<float>(hears[place].size());
  }
}

at::Tensor Listeners::Heard(const at::Tensor& said) const {
  const int64_t size = messages_.size, slots = places_ / sets_, teams = said.size(1) / slots;
  const at::Tensor of_places =
      said.reshape({sets_, teams, slots, size}).permute({1, 0, 2, 3}).reshape({teams, places_, size});
  const at::Tensor nobody = at::zeros({teams, 1, size}, said.options());
  const at::Tensor each = at::cat({of_places, nobody}, 1).index_select(1, sources_);
  const at::Tensor heard = messages_.side_by_side ? each.reshape({teams, places_, messages_.num_inputs()})
                                                  : each.reshape({teams, places_, messages_.most_heard, size}).sum(2) *
                                                        shares_.to(said.scalar_type());
  return heard.reshape({teams, sets_, slots, messages_.num_inputs()})
      .permute({1, 0, 2, 3})
      .reshape({sets_, teams * slots, messages_.num_inputs()});
}

RecurrentStep CommunicatingReference(const DenseStackSpec& spec, const Listeners& listeners,
                                     const at::Tensor& parameters, const at::Tensor& x, const at::Tensor& state) {
  const int64_t kept = spec.cell_state_size(), first = spec.messages.first_input;
  const int64_t after = first + spec.messages.num_inputs();
  const at::Tensor heard = listeners.Heard(state.narrow(-1, kept, spec.messages.size));
  const at::Tensor inputs = at::cat({x.narrow(-1, 0, first), heard, x.narrow(-1, after, spec.input_size - after)}, -1);
  RecurrentStep step = RecurrentReference(spec, parameters, inputs, state);
  const at::Tensor said = step.state.narrow(-1, kept, spec.messages.size) * x.narrow(-1, first, 1);
  step.state = at::cat({step.state.narrow(-1, 0, kept), said}, -1);
  return step;
}

}  // namespace troupe
