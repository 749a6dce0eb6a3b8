// The actor network of one agent group as data. LibTorch (learner) and the worker's inference both build from it, and
// the parity test holds them to each other for every spec.
//
// For an agent with parameter set s and observation x [O] (its one-hot index in the group appended if agent_id_input):
//   h0 = input_layer_norm ? LayerNorm(x) : x
//   hi = act(h(i-1) · Wi[s] + bi[s]);  hidden_layer_norm: hi = LayerNorm(hi)          i = 1 … hidden_sizes.size()
//   with a recurrent cell: h = cell(hL, state); hidden_layer_norm: h = LayerNorm(h)     (h = hL without)
//   outputs = h · Wo[s] + bo[s]                                                        [output_size]
// Cells, H = recurrent_size, σ the logistic function, gi = hL · Wi[s] + bi[s] and gh = m · Wh[s] + bh[s] in parts of H:
//   GRU   (arXiv:1406.1078, with cuDNN's place of the reset gate); state m [H], gates r, z, n in this order
//         r = σ(gi_r + gh_r);  z = σ(gi_z + gh_z);  n = tanh(gi_n + r ∘ gh_n);  h = m' = (1 − z) ∘ n + z ∘ m
//   LSTM  (doi:10.1162/089976600300015015); state m [H], c [H], gates i, f, g, o in this order
//         c' = σ(gi_f + gh_f) ∘ c + σ(gi_i + gh_i) ∘ tanh(gi_g + gh_g);  h = m' = σ(gi_o + gh_o) ∘ tanh(c')
// The state is zero where an episode begins. Before the norm the cell's output is what it remembers.
// Agents that tell each other something (arXiv:1605.07736, arXiv:1605.06676, with the delay of a real link): with h
// what the output layer multiplies and K = messages.size,
//   message = tanh(h · Wm[s] + bm[s])                                                  [K]; zeros of a dead agent
// is the last part of the agent's state, zero where an episode begins, and of the inputs those after the observation
// are what its neighbours said at the step before: the mean of their messages, or their messages side by side and zeros
// where it has fewer neighbours than others.
// LayerNorm: (x − mean) / sqrt(variance + 1e-5) · gain + bias, biased variance, over the last axis. (arXiv:2103.01955,
// appendix C, orders activation before norm.) What the outputs mean is the distribution's matter
// (common/specs/distribution_spec.h).
#ifndef TROUPE_COMMON_SPECS_POLICY_SPEC_H_
#define TROUPE_COMMON_SPECS_POLICY_SPEC_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/specs/distribution_spec.h"
#include "common/specs/environment_spec.h"
#include "proto/experiment.pb.h"

namespace troupe {

inline constexpr float kMaskedLogit = -1e10f;
inline constexpr float kLayerNormEpsilon = 1e-5f;

// Attention over the agents, before the layers of a critic's stack: multi-head self-attention (arXiv:1706.03762) in the
// blocks of arXiv:1810.00825 (without dropout), as critics have it since arXiv:1810.02912. A row of the stack's input
// is the numbers of all tokens, kind by kind, then for each token of a kind that may be absent whether it is there (1
// or 0). D = token_size; for token x of kind k:
//   e = x · We[k] + be[k]                                                     input_layer_norm: of LayerNorm(x)
//   layers times: [q k v] = e · Wi + bi in heads of D / heads numbers;  m = softmax(q · kᵀ / √(D / heads)) · v over
//                 the tokens that are there;  a = LayerNorm(e + m · Wm + bm);  e = LayerNorm(a + act(a · Wf + bf))
//   the stack's layers on e of each token that may be absent, an output each, whether it is there or not: per_token;
//   or on the mean of e over the tokens that are there (0 where none is).
// What an absent token holds is seen by nobody but itself.
struct AttentionSpec {
  struct Kind {
    int tokens = 0;
    int size = 0;  // numbers of one
    bool may_be_absent = true;
    bool operator==(const Kind&) const = default;
  };
  int heads = 0;  // 0: there is no attention
  int layers = 0;
  int token_size = 0;
  std::vector<Kind> kinds;
  bool per_token = false;

  int num_tokens() const;
  // Those that may be absent.
  int num_flags() const;
  // Numbers of an input row.
  int input_size() const;
  bool operator==(const AttentionSpec&) const = default;
};

// What the rows of one joint step tell each other. Inputs [first_input, first_input + num_inputs()) of a row are what
// it hears; before that is known the first of them says whether the row's agent speaks (1) or is silent (0).
struct MessageSpec {
  int size = 0;               // K, numbers that a row says; 0: none says anything
  int most_heard = 0;         // rows that one hears at most
  bool side_by_side = false;  // what is heard; otherwise its mean
  int first_input = 0;

  int num_inputs() const { return side_by_side ? most_heard * size : size; }
  bool operator==(const MessageSpec&) const = default;
};

// What a manager chooses from: common/specs/option_policies.h has the formulas.
struct OptionSpec {
  int count = 0;  // K; 0: there is no manager
  int steps = 0;  // k, from one choice to the next
  bool operator==(const OptionSpec&) const = default;
};

enum class Activation { kRelu, kTanh };
enum class Cell { kNone, kGru, kLstm };

// A dense stack as both actors and critics have it, with a recurrent cell before its output or without: sizes and
// switches, no weights.
struct DenseStackSpec {
  int num_sets = 1;  // independent parameter sets, each parameter's leading axis
  int input_size = 0;
  std::vector<int> hidden_sizes;
  int output_size = 0;
  Activation activation = Activation::kRelu;
  bool input_layer_norm = false;
  bool hidden_layer_norm = false;
  bool orthogonal_init = true;
  float output_gain = 1.0f;
  Cell cell = Cell::kNone;
  int recurrent_size = 0;     // H; 0 without a cell
  AttentionSpec attention{};  // with it: one set, no cell, input_size = attention.input_size()
  MessageSpec messages{};     // with it: no attention

  bool attends() const { return attention.heads > 0; }
  // With attention: the layers behind it, whose parameters are the last, as a stack of their own.
  DenseStackSpec AfterAttention() const;
  bool communicates() const { return messages.size > 0; }
  bool has_cell() const { return cell != Cell::kNone; }
  // Whether something is kept of a row from one step to the next.
  bool is_recurrent() const { return has_cell() || communicates(); }
  // Gates' parts of gi and gh: 3 or 4; 0 without a cell.
  int num_gates() const { return cell == Cell::kNone ? 0 : cell == Cell::kGru ? 3 : 4; }
  // Numbers kept of a row from one step to the next: the cell's, then what the row said.
  int state_size() const { return cell_state_size() + messages.size; }
  int cell_state_size() const { return cell == Cell::kLstm ? 2 * recurrent_size : recurrent_size; }
  // What hands the cell its gates' inputs, as a stack of its own: the layers before the cell with gi as their output.
  DenseStackSpec BeforeCell() const;

  struct Parameter {
    std::string name;  // "input_norm.gain", "layers.0.weight", "layers.0.bias", "norms.0.gain", …, "output.weight"
    std::vector<int64_t> shape;  // weights [sets, inputs, outputs] (y = x · W + b); biases, norms [sets, size]
    bool operator==(const Parameter&) const = default;
  };
  // In the one order used everywhere: input_norm.gain, input_norm.bias, then for each hidden layer i layers.i.weight,
  // layers.i.bias, norms.i.gain, norms.i.bias (those that exist), then of a cell cell.input_weight, cell.input_bias,
  // cell.state_weight, cell.state_bias (gates side by side), cell_norm.gain, cell_norm.bias, then output.weight,
  // output.bias, then of those that communicate message.weight, message.bias. BeforeCell()'s parameters are those up to
  // cell.input_bias. With attention, before layers.0: for each kind k embeddings.k.norm.gain, embeddings.k.norm.bias
  // (for input_norm), embeddings.k.weight, embeddings.k.bias, then for each layer i attention.i.input_weight,
  // input_bias (queries, keys, values side by side), mix_weight, mix_bias, norm.gain, norm.bias, feed_weight,
  // feed_bias, feed_norm.gain, feed_norm.bias.
  std::vector<Parameter> Parameters() const;
  // Numbers of all sets.
  int64_t num_parameters() const;
  bool operator==(const DenseStackSpec&) const = default;
};

struct PolicySpec {
  std::string group;
  int num_agents = 0;
  int observation_size = 0;     // O, without the one-hot
  bool agent_id_input = false;  // stack.input_size = O + (agent_id_input ? num_agents : 0)
  ActionKind action_kind = ActionKind::kDiscrete;
  int action_size = 0;
  DistributionSpec distribution;  // one for action_kind; stack.output_size = distribution.NumOutputs(action_size)
  std::vector<int> set_of_agent;  // [num_agents], each in [0, stack.num_sets)
  DenseStackSpec stack;
  // As AgentGroupSpec has them: choices of each multi-discrete dimension, bounds of each continuous one.
  std::vector<int> action_sizes{};
  std::vector<ActionBounds> action_bounds{};
  // Where the stack communicates, [num_agents]: whom each agent hears, in the order of what is side by side.
  std::vector<std::vector<int>> neighbours{};
  // With them the stack's inputs begin with the option's one-hot.
  OptionSpec options{};

  bool has_options() const { return options.count > 0; }
  // Every agent its own set, in order (the batched product applies).
  bool IsPerAgent() const;
  // All that is learnt, in the one order used everywhere: the stack's parameters, then log_std [sets, action_size]
  // where the distribution has one, then with options the manager's as "manager/NAME".
  std::vector<DenseStackSpec::Parameter> Parameters() const;
  bool operator==(const PolicySpec&) const = default;
};

// The spec of `group` under the experiment's settings. Errors: INVALID_ARGUMENT naming the field (partition,
// distribution).
absl::StatusOr<PolicySpec> MakePolicySpec(const Experiment& experiment, const AgentGroupSpec& group);
absl::StatusOr<std::vector<PolicySpec>> MakePolicySpecs(const Experiment& experiment,
                                                        const EnvironmentSpec& environment);

// A cell as settings name it.
Cell CellOf(RecurrentCell setting);

// A stable one-line JSON form, stored in exported actors; ParsePolicySpec(FormatPolicySpec(s)) == s. A distribution is
// told when it is not the one of every group before there were others; without one it is the default of the action
// kind.
std::string FormatPolicySpec(const PolicySpec& spec);
absl::StatusOr<PolicySpec> ParsePolicySpec(const std::string& text);

}  // namespace troupe

#endif  // TROUPE_COMMON_SPECS_POLICY_SPEC_H_
