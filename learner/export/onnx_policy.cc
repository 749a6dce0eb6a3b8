#include "learner/export/onnx_policy.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "learner/export/actor_sets.h"

namespace troupe {
namespace {

// Of everything but weights: names, nodes, what is said of the run.
constexpr int64_t kBytesBesides = int64_t{64} << 20;

class PolicyGraph {
 public:
  PolicyGraph(const PolicySpec& spec, absl::Span<const HostTensor> tensors, int set)
      : spec_(spec), stack_(spec.stack), tensors_(tensors), set_(set), model_(spec.group) {}

  OnnxModel Build() && {
    const std::string hidden = Remember(HiddenLayers(Inputs()));
    const std::string outputs = Dense("output.", hidden, "output");
    if (stack_.communicates()) {
      model_.Add("Tanh", {Dense("message.", hidden, "message.sum")}, "message");
      model_.AddOutput({"message", OnnxType::kFloat, Rows(stack_.messages.size), "for those who hear the agent"});
    }
    if (spec_.distribution.is_gaussian()) {
      Continuous(outputs);
    } else if (spec_.distribution.kind == DistributionKind::kDeterministic) {
      ContinuousAction("Tanh", {outputs}, "what the environment takes");
    } else {
      Discrete(outputs);
    }
    return std::move(model_);
  }

 private:
  std::vector<std::variant<int64_t, std::string>> Rows(int64_t size) const { return {"batch", size}; }
  std::string Scalar(const std::string& name, float value) { return model_.AddFloats(name, {}, {value}); }

  // The set's part of a parameter, without the axis of sets, as a constant of the same name or another.
  std::string Parameter(const std::string& name) { return Parameter(name, name); }
  std::string Parameter(const std::string& name, const std::string& constant) {
    const auto found = std::ranges::find(tensors_, absl::StrCat(spec_.group, "/", name), &HostTensor::name);
    const int64_t size = found->num_elements() / stack_.num_sets;
    return model_.AddFloats(constant, absl::MakeConstSpan(found->shape).subspan(1),
                            {found->floats() + set_ * size, size_t(size)});
  }
  // `prefix` is of weight and bias.
  std::string Dense(const std::string& prefix, const std::string& input, const std::string& output) {
    return model_.Add("Gemm", {input, Parameter(prefix + "weight"), Parameter(prefix + "bias")}, output);
  }
  std::string Norm(const std::string& name, const std::string& input) {
    return model_.Add("LayerNormalization", {input, Parameter(name + ".gain"), Parameter(name + ".bias")}, name,
                      {{"axis", int64_t{-1}}, {"epsilon", kLayerNormEpsilon}});
  }
  std::string Sigmoid(const std::string& name, const std::string& a, const std::string& b) {
    return model_.Add("Sigmoid", {model_.Add("Add", {a, b}, name + ".sum")}, name);
  }

  // x, normalised where the network does so.
  std::string Inputs() {
    model_.AddInput({"observation", OnnxType::kFloat, Rows(spec_.observation_size), "as the environment gives it"});
    std::string x = "observation";
    if (stack_.communicates()) {
      model_.AddInput({"heard", OnnxType::kFloat, Rows(stack_.messages.num_inputs()),
                       stack_.messages.side_by_side ? "the neighbours' messages of the step before, side by side"
                                                    : "the mean of the neighbours' messages of the step before"});
      x = model_.Add("Concat", {x, "heard"}, "input.heard", {{"axis", int64_t{1}}});
    }
    if (spec_.agent_id_input) {
      const int64_t agents = spec_.num_agents;
      model_.AddInput({"agent", OnnxType::kInt64, {"batch"}, absl::StrCat("index in the group, 0 … ", agents - 1)});
      std::vector<float> rows(agents * agents);
      for (int64_t a = 0; a < agents; ++a) rows[a * agents + a] = 1;
      const std::string one_hots = model_.AddFloats("agent.one_hots", {agents, agents}, rows);
      const std::string one_hot = model_.Add("Gather", {one_hots, "agent"}, "agent.one_hot", {{"axis", int64_t{0}}});
      x = model_.Add("Concat", {x, one_hot}, "input", {{"axis", int64_t{1}}});
    }
    return stack_.input_layer_norm ? Norm("input_norm", x) : x;
  }

  std::string HiddenLayers(std::string x) {
    for (size_t i = 0; i < stack_.hidden_sizes.size(); ++i) {
      const std::string layer = absl::StrCat("layers.", i);
      const std::string sum = Dense(layer + ".", x, layer + ".sum");
      x = model_.Add(stack_.activation == Activation::kRelu ? "Relu" : "Tanh", {sum}, layer);
      if (stack_.hidden_layer_norm) x = Norm(absl::StrCat("norms.", i), x);
    }
    return x;
  }

  // The cell, where there is one.
  std::string Remember(const std::string& x) {
    if (!stack_.has_cell()) return x;
    const int64_t state_size = stack_.cell_state_size();
    model_.AddInput({"state_in", OnnxType::kFloat, Rows(state_size), "state_out of the step before, 0 at first"});
    const std::string remembered = stack_.cell == Cell::kGru ? Gru(x) : Lstm(x);
    model_.AddOutput({"state_out", OnnxType::kFloat, Rows(state_size), "state_in of the next step"});
    return stack_.hidden_layer_norm ? Norm("cell_norm", remembered) : remembered;
  }
  // gi and gh in parts of H: "cell.input.GATE", "cell.state.GATE".
  void Gates(const std::string& x, const std::string& m, const std::vector<std::string>& gates) {
    const std::vector<int64_t> sizes(gates.size(), stack_.recurrent_size);
    for (const std::string& from : {std::string("cell.input"), std::string("cell.state")}) {
      std::vector<std::string> parts;
      for (const std::string& gate : gates) parts.push_back(absl::StrCat(from, ".", gate));
      model_.AddSplit(Dense(from + "_", from == "cell.input" ? x : m, from), sizes, parts);
    }
  }
  std::string Gate(const std::string& gate) {
    return Sigmoid("cell." + gate, "cell.input." + gate, "cell.state." + gate);
  }
  std::string Gru(const std::string& x) {
    Gates(x, "state_in", {"r", "z", "n"});
    const std::string r = Gate("r"), z = Gate("z");
    const std::string recalled = model_.Add("Mul", {r, "cell.state.n"}, "cell.recalled");
    const std::string n = model_.Add("Tanh", {model_.Add("Add", {"cell.input.n", recalled}, "cell.n.sum")}, "cell.n");
    const std::string rest = model_.Add("Sub", {Scalar("cell.one", 1), z}, "cell.rest");
    const std::string fresh = model_.Add("Mul", {rest, n}, "cell.fresh");
    return model_.Add("Add", {fresh, model_.Add("Mul", {z, "state_in"}, "cell.kept")}, "state_out");
  }
  std::string Lstm(const std::string& x) {
    const int64_t size = stack_.recurrent_size;
    model_.AddSplit("state_in", {size, size}, {"state_in.m", "state_in.c"});
    Gates(x, "state_in.m", {"i", "f", "g", "o"});
    const std::string i = Gate("i"), f = Gate("f"), o = Gate("o");
    const std::string g =
        model_.Add("Tanh", {model_.Add("Add", {"cell.input.g", "cell.state.g"}, "cell.g.sum")}, "cell.g");
    const std::string kept = model_.Add("Mul", {f, "state_in.c"}, "cell.kept");
    const std::string c = model_.Add("Add", {kept, model_.Add("Mul", {i, g}, "cell.fresh")}, "state_out.c");
    const std::string m = model_.Add("Mul", {o, model_.Add("Tanh", {c}, "cell.shown")}, "state_out.m");
    model_.Add("Concat", {m, c}, "state_out", {{"axis", int64_t{1}}});
    return m;
  }

  void Discrete(const std::string& outputs) {
    const bool values = spec_.distribution.kind == DistributionKind::kEpsilonGreedy;
    model_.AddInput({"action_mask", OnnxType::kBool, Rows(spec_.action_size), "which actions are allowed"});
    const std::string masked = model_.Add("Where", {"action_mask", outputs, Scalar("masked_logit", kMaskedLogit)},
                                          values ? "values" : "logits");
    model_.AddOutput({masked, OnnxType::kFloat, Rows(spec_.action_size), "disallowed ones are -1e10"});
    if (spec_.action_kind == ActionKind::kDiscrete) {
      model_.Add("ArgMax", {masked}, "action", {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}});
      model_.AddOutput({"action", OnnxType::kInt64, {"batch"}, "the best"});
      return;
    }
    std::vector<std::string> parts, best;
    for (size_t d = 0; d < spec_.action_sizes.size(); ++d) parts.push_back(absl::StrCat("logits.", d));
    model_.AddSplit(masked, std::vector<int64_t>(spec_.action_sizes.begin(), spec_.action_sizes.end()), parts);
    for (size_t d = 0; d < parts.size(); ++d) {
      best.push_back(model_.Add("ArgMax", {parts[d]}, absl::StrCat("action.", d),
                                {{"axis", int64_t{1}}, {"keepdims", int64_t{1}}}));
    }
    model_.Add("Concat", best, "action", {{"axis", int64_t{1}}});
    model_.AddOutput({"action", OnnxType::kInt64, Rows(int64_t(best.size())), "the best of each dimension"});
  }

  void Continuous(const std::string& outputs) {
    const int64_t size = spec_.action_size;
    const std::string low = Scalar("log_std.low", kMinLogStd), high = Scalar("log_std.high", kMaxLogStd);
    std::string mean, log_std;
    if (spec_.distribution.state_dependent_std) {
      model_.AddSplit(outputs, {size, size}, {"mean", "log_std.raw"});
      mean = "mean";
      log_std = "log_std.raw";
    } else {
      mean = model_.Add("Identity", {outputs}, "mean");
      const std::string shape = model_.Add("Shape", {mean}, "mean.shape");
      log_std = model_.Add("Expand", {Parameter("log_std", "log_std.parameter"), shape}, "log_std.rows");
    }
    log_std = model_.Add("Clip", {log_std, low, high}, "log_std");
    model_.AddOutput({mean, OnnxType::kFloat, Rows(size), "of what is drawn, before it is clipped or squashed"});
    model_.AddOutput({log_std, OnnxType::kFloat, Rows(size), "logarithm of the standard deviations"});
    const std::string meaning = "the mean as the environment takes it";
    if (spec_.distribution.kind == DistributionKind::kSquashedGaussian) {
      ContinuousAction("Tanh", {mean}, meaning);
    } else {
      ContinuousAction("Clip", {mean, Scalar("action.low", -1), Scalar("action.high", 1)}, meaning);
    }
  }
  // The operator brings the action to [-1, 1].
  void ContinuousAction(const std::string& type, const std::vector<std::string>& inputs, const std::string& meaning) {
    const std::string taken = spec_.action_bounds.empty() ? "action" : "action.unit";
    model_.Add(type, inputs, taken);
    if (!spec_.action_bounds.empty()) IntoBounds(taken);
    model_.AddOutput({"action", OnnxType::kFloat, Rows(spec_.action_size), meaning});
  }
  // As ActionBounds::At.
  void IntoBounds(const std::string& taken) {
    std::vector<float> middles, halves, lows, highs;
    for (const ActionBounds& of : spec_.action_bounds) {
      middles.push_back(static_cast<float>((double{of.low} + of.high) / 2));
      halves.push_back(static_cast<float>((double{of.high} - of.low) / 2));
      lows.push_back(of.low);
      highs.push_back(of.high);
    }
    const int64_t size = spec_.action_size;
    const auto add = [&](const std::string& name, const std::vector<float>& values) {
      return model_.AddFloats(name, {size}, values);
    };
    const std::string scaled = model_.Add("Mul", {taken, add("bounds.half", halves)}, "action.scaled");
    const std::string moved = model_.Add("Add", {scaled, add("bounds.middle", middles)}, "action.moved");
    const std::string above = model_.Add("Max", {moved, add("bounds.low", lows)}, "action.above");
    model_.Add("Min", {above, add("bounds.high", highs)}, "action");
  }

  const PolicySpec& spec_;
  const DenseStackSpec& stack_;
  const absl::Span<const HostTensor> tensors_;
  const int set_;
  OnnxModel model_;
};

}  // namespace

absl::StatusOr<OnnxModel> MakeOnnxPolicy(const PolicySpec& spec, absl::Span<const HostTensor> tensors, int set) {
  if (spec.has_options()) {
    return absl::InvalidArgumentError(absl::StrCat("group \"", spec.group, "\": num_options is ", spec.options.count,
                                                   ", and no ONNX file holds a manager beside the network"));
  }
  const int64_t agents = spec.agent_id_input ? spec.num_agents : 0;
  const int64_t numbers = spec.stack.num_parameters() / spec.stack.num_sets + agents * agents;
  if (numbers > (kMaxOnnxBytes - kBytesBesides) / int64_t{sizeof(float)}) {
    return absl::ResourceExhaustedError(absl::StrCat("group \"", spec.group, "\": ", numbers,
                                                     " numbers are more than an ONNX file holds (", kMaxOnnxBytes,
                                                     " bytes)"));
  }
  RETURN_IF_ERROR(CheckTensorsFit(spec, tensors));
  return PolicyGraph(spec, tensors, set).Build();
}

}  // namespace troupe
