#include "common/specs/policy_spec.h"

#include <functional>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/specs/option_policies.h"

namespace troupe {

int AttentionSpec::num_tokens() const {
  int count = 0;
  for (const Kind& kind : kinds) count += kind.tokens;
  return count;
}

int AttentionSpec::num_flags() const {
  int count = 0;
  for (const Kind& kind : kinds) count += kind.may_be_absent ? kind.tokens : 0;
  return count;
}

int AttentionSpec::input_size() const {
  int size = num_flags();
  for (const Kind& kind : kinds) size += kind.tokens * kind.size;
  return size;
}

std::vector<DenseStackSpec::Parameter> DenseStackSpec::Parameters() const {
  std::vector<Parameter> parameters;
  const auto add_vector = [&](std::string name, int size) {
    parameters.push_back({std::move(name), {num_sets, size}});
  };
  const auto add_product = [&](const std::string& prefix, int inputs, int outputs) {
    parameters.push_back({prefix + "weight", {num_sets, inputs, outputs}});
    add_vector(prefix + "bias", outputs);
  };
  const auto add_dense = [&](const std::string& name, int inputs, int outputs) {
    add_product(name + ".", inputs, outputs);
  };
  const auto add_norm = [&](const std::string& name, int size) {
    add_vector(name + ".gain", size);
    add_vector(name + ".bias", size);
  };
  if (attends()) {
    const int size = attention.token_size;
    for (size_t k = 0; k < attention.kinds.size(); ++k) {
      const std::string name = absl::StrCat("embeddings.", k);
      if (input_layer_norm) add_norm(name + ".norm", attention.kinds[k].size);
      add_dense(name, attention.kinds[k].size, size);
    }
    for (int i = 0; i < attention.layers; ++i) {
      const std::string name = absl::StrCat("attention.", i, ".");
      add_product(name + "input_", size, 3 * size);
      add_product(name + "mix_", size, size);
      add_norm(name + "norm", size);
      add_product(name + "feed_", size, size);
      add_norm(name + "feed_norm", size);
    }
    const std::vector<Parameter> after = AfterAttention().Parameters();
    parameters.insert(parameters.end(), after.begin(), after.end());
    return parameters;
  }
  if (input_layer_norm) add_norm("input_norm", input_size);
  int width = input_size;
  for (size_t i = 0; i < hidden_sizes.size(); ++i) {
    add_dense(absl::StrCat("layers.", i), width, hidden_sizes[i]);
    if (hidden_layer_norm) add_norm(absl::StrCat("norms.", i), hidden_sizes[i]);
    width = hidden_sizes[i];
  }
  if (has_cell()) {
    add_product("cell.input_", width, num_gates() * recurrent_size);
    add_product("cell.state_", recurrent_size, num_gates() * recurrent_size);
    if (hidden_layer_norm) add_norm("cell_norm", recurrent_size);
    width = recurrent_size;
  }
  add_dense("output", width, output_size);
  if (communicates()) add_dense("message", width, messages.size);
  return parameters;
}

int64_t DenseStackSpec::num_parameters() const {
  int64_t count = 0;
  for (const Parameter& parameter : Parameters()) {
    count += std::accumulate(parameter.shape.begin(), parameter.shape.end(), int64_t{1}, std::multiplies<>());
  }
  return count;
}

DenseStackSpec DenseStackSpec::BeforeCell() const {
  DenseStackSpec before = *this;
  before.cell = Cell::kNone;
  before.recurrent_size = 0;
  before.output_size = num_gates() * recurrent_size;
  before.messages = {};
  return before;
}

DenseStackSpec DenseStackSpec::AfterAttention() const {
  DenseStackSpec after = *this;
  after.attention = {};
  after.input_size = attention.token_size;
  after.input_layer_norm = false;
  if (attention.per_token) after.output_size = 1;
  return after;
}

std::vector<DenseStackSpec::Parameter> PolicySpec::Parameters() const {
  std::vector<DenseStackSpec::Parameter> parameters = stack.Parameters();
  if (distribution.has_log_std()) parameters.push_back({"log_std", {stack.num_sets, action_size}});
  if (!has_options()) return parameters;
  for (DenseStackSpec::Parameter& parameter : ManagerOf(*this).Parameters()) {
    parameters.push_back({absl::StrCat("manager/", parameter.name), std::move(parameter.shape)});
  }
  return parameters;
}

bool PolicySpec::IsPerAgent() const {
  if (stack.num_sets != num_agents) return false;
  for (int agent = 0; agent < num_agents; ++agent) {
    if (set_of_agent[agent] != agent) return false;
  }
  return true;
}

}  // namespace troupe
