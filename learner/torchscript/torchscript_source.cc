#include "learner/torchscript/torchscript_source.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace troupe {
namespace {

class Writer {
 public:
  explicit Writer(const PolicySpec& spec) : spec_(spec), stack_(spec.stack) {}

  std::string Write() && {
    Line("out: Dict[str, Tensor] = {}");
    Line("x = observation");
    Inputs();
    HiddenLayers();
    if (stack_.has_cell()) Remember();
    Line("y = ", Dense("output", "x"));
    if (stack_.communicates()) Line("out[\"message\"] = torch.tanh(", Dense("message", "x"), ")");
    if (spec_.distribution.is_gaussian()) {
      Gaussian();
    } else if (spec_.distribution.kind == DistributionKind::kDeterministic) {
      Take("torch.tanh(y)");
    } else {
      Discrete();
    }
    Line("return out");
    return absl::StrCat("def forward(self, ", absl::StrJoin(arguments_, ", "), ") -> Dict[str, Tensor]:\n", body_);
  }

 private:
  template <typename... Words>
  void Line(const Words&... words) {
    absl::StrAppend(&body_, "    ", words..., "\n");
  }
  void Takes(const std::string& argument) { arguments_.push_back(argument + ": Tensor"); }
  static std::string Own(const std::string& parameter) { return "self." + TorchscriptName(parameter); }
  static std::string Dense(const std::string& name, const std::string& input) {
    const std::string prefix = name.ends_with('_') ? name : name + ".";
    return absl::StrCat("(torch.matmul(", input, ", ", Own(prefix + "weight"), ") + ", Own(prefix + "bias"), ")");
  }
  void Norm(const std::string& name, int size) {
    Line("x = torch.layer_norm(x, [", size, "], ", Own(name + ".gain"), ", ", Own(name + ".bias"), ", ",
         double{kLayerNormEpsilon}, ")");
  }

  void Inputs() {
    Takes("observation");
    if (stack_.communicates()) {
      Takes("heard");
      Line("x = torch.cat([x, heard], 1)");
    }
    if (spec_.agent_id_input) {
      Takes("agent");
      Line("x = torch.cat([x, torch.one_hot(agent, ", spec_.num_agents, ").to(observation.dtype)], 1)");
    }
    if (spec_.action_kind != ActionKind::kContinuous) Takes("action_mask");
    if (stack_.has_cell()) Takes("state_in");
    if (stack_.input_layer_norm) Norm("input_norm", stack_.input_size);
  }

  void HiddenLayers() {
    for (size_t i = 0; i < stack_.hidden_sizes.size(); ++i) {
      Line("x = torch.", stack_.activation == Activation::kRelu ? "relu" : "tanh",
           Dense(absl::StrCat("layers.", i), "x"));
      if (stack_.hidden_layer_norm) Norm(absl::StrCat("norms.", i), stack_.hidden_sizes[i]);
    }
  }

  // Part `gate` of the gates' inputs.
  std::string Part(const char* of, int gate) const {
    const int size = stack_.recurrent_size;
    return absl::StrCat(of, "[:, ", gate * size, ":", (gate + 1) * size, "]");
  }
  std::string Gate(int gate) const {
    return absl::StrCat("torch.sigmoid(", Part("given", gate), " + ", Part("own", gate), ")");
  }
  void Remember() {
    const int size = stack_.recurrent_size;
    Line("m = state_in[:, 0:", size, "]");
    Line("given = ", Dense("cell.input_", "x"));
    Line("own = ", Dense("cell.state_", "m"));
    if (stack_.cell == Cell::kGru) {
      Line("z = ", Gate(1));
      Line("n = torch.tanh(", Part("given", 2), " + ", Gate(0), " * ", Part("own", 2), ")");
      Line("x = (1.0 - z) * n + z * m");
      Line("out[\"state_out\"] = x");
    } else {
      Line("c = ", Gate(1), " * state_in[:, ", size, ":", 2 * size, "] + ", Gate(0), " * torch.tanh(", Part("given", 2),
           " + ", Part("own", 2), ")");
      Line("x = ", Gate(3), " * torch.tanh(c)");
      Line("out[\"state_out\"] = torch.cat([x, c], 1)");
    }
    if (stack_.hidden_layer_norm) Norm("cell_norm", size);
  }

  void Discrete() {
    const bool values = spec_.distribution.kind == DistributionKind::kEpsilonGreedy;
    Line("y = y.masked_fill(torch.logical_not(action_mask), ", double{kMaskedLogit}, ")");
    Line("out[\"", values ? "values" : "logits", "\"] = y");
    if (spec_.action_kind == ActionKind::kDiscrete) {
      Line("out[\"action\"] = torch.argmax(y, 1)");
      return;
    }
    std::vector<std::string> best;
    int first = 0;
    for (const int size : spec_.action_sizes) {
      best.push_back(absl::StrCat("torch.argmax(y[:, ", first, ":", first + size, "], 1)"));
      first += size;
    }
    Line("out[\"action\"] = torch.stack([", absl::StrJoin(best, ", "), "], 1)");
  }

  void Gaussian() {
    const int size = spec_.action_size;
    const bool by_state = spec_.distribution.state_dependent_std;
    Line("mean = y[:, 0:", size, "]");
    Line("log_std = ", by_state ? absl::StrCat("y[:, ", size, ":", 2 * size, "]") : "self.log_std.expand_as(mean)");
    Line("out[\"mean\"] = mean");
    Line("out[\"log_std\"] = torch.clamp(log_std, ", kMinLogStd, ".0, ", kMaxLogStd, ".0)");
    Take(spec_.distribution.kind == DistributionKind::kSquashedGaussian ? "torch.tanh(mean)"
                                                                        : "torch.clamp(mean, -1.0, 1.0)");
  }
  // As ActionBounds::At.
  void Take(const std::string& action) {
    if (spec_.action_bounds.empty()) {
      Line("out[\"action\"] = ", action);
      return;
    }
    Line("action = ", action, " * self.bounds_half + self.bounds_middle");
    Line("out[\"action\"] = torch.minimum(torch.maximum(action, self.bounds_low), self.bounds_high)");
  }

  const PolicySpec& spec_;
  const DenseStackSpec& stack_;
  std::vector<std::string> arguments_;
  std::string body_;
};

}  // namespace

std::string TorchscriptName(const std::string& parameter) { return absl::StrReplaceAll(parameter, {{".", "_"}}); }

std::string TorchscriptSource(const PolicySpec& spec) { return Writer(spec).Write(); }

}  // namespace troupe
