#include "actor_worker/acting/policy_inference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "actor_worker/acting/kernels.h"
#include "actor_worker/acting/masked_softmax.h"
#include "common/base/status_macros.h"

namespace troupe {
namespace {

// Rows that go through all layers together, so that their activations stay in the first-level cache.
constexpr int kTileRows = 64;

// Rows [E] of one agent, or all rows [E · A] when every agent is computed alike.
struct Job {
  int agent = 0;  // whose first-layer bias is used
  int set = 0;
  int first_row = 0;
  int row_step = 1;
  int rows = 0;
};

struct Layer {
  int inputs = 0;
  int outputs = 0;
  int padded = 0;
  std::vector<AlignedFloats> weights;  // per set, packed
  std::vector<AlignedFloats> biases;   // per set; per agent in the first layer
  std::vector<AlignedFloats> gains;    // per set, LayerNorm after the activation; empty without
  std::vector<AlignedFloats> offsets;
};

class PackedPolicy final : public PolicyInference {
 public:
  PackedPolicy(const PolicySpec& spec, int copies);

  absl::Status SetWeights(absl::Span<const HostTensor> tensors) override;
  absl::Span<const float> Logits(absl::Span<const float> observations) override;
  void ActDiscrete(absl::Span<const float> observations, absl::Span<const uint8_t> action_masks,
                   absl::Span<const float> uniforms, absl::Span<int32_t> actions,
                   absl::Span<float> log_probabilities) override {
    softmax_.Choose(Logits(observations), action_masks, uniforms, actions, log_probabilities);
  }

 private:
  absl::Status CheckTensors(absl::Span<const HostTensor> tensors) const;
  void ComputeTile(const Job& job, int begin, int rows, const float* observations);
  // The network's input rows when it is not the observation as it stands: one-hot appended, normalised.
  const float* PrepareInput(const Job& job, int begin, int rows, const float* observations);
  // The one-hot's weight row is added to the first bias instead, unless normalisation must see it.
  bool folds_agent_id() const { return spec_.agent_id_input && !spec_.stack.input_layer_norm; }

  const PolicySpec spec_;
  const int copies_;
  const Kernels& kernels_ = BestKernels();
  const std::vector<DenseStackSpec::Parameter> parameters_;
  std::vector<Job> jobs_;
  std::vector<Layer> layers_;
  std::vector<AlignedFloats> input_gains_, input_offsets_;  // per set
  AlignedFloats input_tile_;                                // [kTileRows, input_size]
  AlignedFloats tiles_[2];                                  // [kTileRows, widest layer]
  std::vector<float> logits_;                               // [E, A, N]
  MaskedSoftmax softmax_;
};

PackedPolicy::PackedPolicy(const PolicySpec& spec, int copies)
    : spec_(spec),
      copies_(copies),
      parameters_(spec.stack.Parameters()),
      logits_(size_t(copies) * spec.num_agents * spec.action_size),
      softmax_(copies * spec.num_agents, spec.action_size) {
  const DenseStackSpec& stack = spec_.stack;
  if (stack.num_sets == 1 && !spec_.agent_id_input) {
    jobs_.push_back({.rows = copies * spec_.num_agents});
  } else {
    for (int agent = 0; agent < spec_.num_agents; ++agent) {
      jobs_.push_back({agent, spec_.set_of_agent[agent], agent, spec_.num_agents, copies});
    }
  }
  std::vector<int> widths = stack.hidden_sizes;
  widths.push_back(stack.output_size);
  int inputs = folds_agent_id() ? spec_.observation_size : stack.input_size;
  int widest = 0;
  for (size_t i = 0; i < widths.size(); ++i) {
    Layer layer{inputs, widths[i], PaddedSize(widths[i])};
    layer.weights.resize(stack.num_sets);
    for (AlignedFloats& w : layer.weights) w.Resize(size_t(inputs) * layer.padded);
    layer.biases.resize(i == 0 ? spec_.num_agents : stack.num_sets);
    for (AlignedFloats& b : layer.biases) b.Resize(layer.padded);
    if (stack.hidden_layer_norm && i + 1 < widths.size()) {
      layer.gains.resize(stack.num_sets);
      layer.offsets.resize(stack.num_sets);
      for (int set = 0; set < stack.num_sets; ++set) {
        layer.gains[set].Resize(layer.padded);
        layer.offsets[set].Resize(layer.padded);
      }
    }
    widest = std::max(widest, layer.padded);
    layers_.push_back(std::move(layer));
    inputs = widths[i];
  }
  if (stack.input_layer_norm) {
    input_gains_.resize(stack.num_sets);
    input_offsets_.resize(stack.num_sets);
    for (int set = 0; set < stack.num_sets; ++set) {
      input_gains_[set].Resize(stack.input_size);
      input_offsets_[set].Resize(stack.input_size);
    }
    input_tile_.Resize(size_t(kTileRows) * stack.input_size);
  }
  for (AlignedFloats& tile : tiles_) tile.Resize(size_t(kTileRows) * widest);
}

absl::Status PackedPolicy::CheckTensors(absl::Span<const HostTensor> tensors) const {
  if (tensors.size() != parameters_.size()) {
    return absl::InvalidArgumentError(absl::StrCat("weights of group \"", spec_.group, "\": got ", tensors.size(),
                                                   " tensors, expected ", parameters_.size()));
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const HostTensor& tensor = tensors[i];
    const std::string expected = absl::StrCat(spec_.group, "/", parameters_[i].name);
    if (tensor.name != expected) {
      return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", i, " of group \"", spec_.group, "\" is \"",
                                                     tensor.name, "\", expected \"", expected, "\""));
    }
    if (tensor.data_type != DataType::kFloat32 || tensor.shape != parameters_[i].shape ||
        tensor.bytes.size() != size_t(tensor.num_elements()) * sizeof(float)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "weights: ", expected, " has shape [", absl::StrJoin(tensor.shape, ", "), "] and ", tensor.bytes.size(),
          " bytes, expected float32 [", absl::StrJoin(parameters_[i].shape, ", "), "]"));
    }
    const float* const values = tensor.floats();
    for (int64_t k = 0; k < tensor.num_elements(); ++k) {
      if (!std::isfinite(values[k])) {
        return absl::InvalidArgumentError(
            absl::StrCat("weights: ", expected, " holds ", values[k], " at element ", k, ", expected finite numbers"));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status PackedPolicy::SetWeights(absl::Span<const HostTensor> tensors) {
  RETURN_IF_ERROR(CheckTensors(tensors));
  const DenseStackSpec& stack = spec_.stack;
  const HostTensor* next = tensors.data();
  const auto take_vectors = [&](std::vector<AlignedFloats>& sets, int size) {
    for (int set = 0; set < stack.num_sets; ++set)
      std::copy_n(next->floats() + int64_t{set} * size, size, sets[set].data());
    ++next;
  };
  if (stack.input_layer_norm) {
    take_vectors(input_gains_, stack.input_size);
    take_vectors(input_offsets_, stack.input_size);
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const HostTensor& weight = *next++;
    const int64_t rows_of_set = weight.shape[1];  // layer.inputs, and the one-hot's where it is folded
    for (int set = 0; set < stack.num_sets; ++set) {
      PackWeights(weight.floats() + set * rows_of_set * layer.outputs, layer.inputs, layer.outputs,
                  kernels_.panel_width, layer.weights[set].data());
    }
    if (i > 0) {
      take_vectors(layer.biases, layer.outputs);
    } else {
      const HostTensor& bias = *next++;
      for (int agent = 0; agent < spec_.num_agents; ++agent) {
        const int set = spec_.set_of_agent[agent];
        float* const own = layer.biases[agent].data();
        std::copy_n(bias.floats() + int64_t{set} * layer.outputs, layer.outputs, own);
        if (!folds_agent_id()) continue;
        const float* const one_hot = weight.floats() + (set * rows_of_set + layer.inputs + agent) * layer.outputs;
        for (int n = 0; n < layer.outputs; ++n) own[n] += one_hot[n];
      }
    }
    if (!layer.gains.empty()) {
      take_vectors(layer.gains, layer.outputs);
      take_vectors(layer.offsets, layer.outputs);
    }
  }
  return absl::OkStatus();
}

const float* PackedPolicy::PrepareInput(const Job& job, int begin, int rows, const float* observations) {
  const int observed = spec_.observation_size, size = spec_.stack.input_size;
  for (int r = 0; r < rows; ++r) {
    float* const row = input_tile_.data() + int64_t{r} * size;
    std::copy_n(observations + (job.first_row + int64_t{begin + r} * job.row_step) * observed, observed, row);
    if (spec_.agent_id_input) {
      std::fill(row + observed, row + size, 0.0f);
      row[observed + job.agent] = 1.0f;
    }
    kernels_.layer_norm(row, size, input_gains_[job.set].data(), input_offsets_[job.set].data(), row);
  }
  return input_tile_.data();
}

void PackedPolicy::ComputeTile(const Job& job, int begin, int rows, const float* observations) {
  const DenseStackSpec& stack = spec_.stack;
  const float* input = observations + (job.first_row + int64_t{begin} * job.row_step) * spec_.observation_size;
  int64_t stride = int64_t{job.row_step} * spec_.observation_size;
  if (stack.input_layer_norm) {
    input = PrepareInput(job, begin, rows, observations);
    stride = stack.input_size;
  }
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool hidden = i + 1 < layers_.size();
    float* const output = tiles_[i % 2].data();
    kernels_.dense_layer({input, stride, rows, layer.inputs, layer.padded, layer.weights[job.set].data(),
                          layer.biases[i == 0 ? job.agent : job.set].data(),
                          hidden && stack.activation == Activation::kRelu, output, layer.padded});
    if (hidden && stack.activation == Activation::kTanh) {
      kernels_.hyperbolic_tangent(output, int64_t{rows} * layer.padded);
    }
    if (!layer.gains.empty()) {
      for (int r = 0; r < rows; ++r) {
        float* const row = output + int64_t{r} * layer.padded;
        kernels_.layer_norm(row, layer.outputs, layer.gains[job.set].data(), layer.offsets[job.set].data(), row);
      }
    }
    input = output;
    stride = layer.padded;
  }
  const int n = spec_.action_size;
  for (int r = 0; r < rows; ++r) {
    std::copy_n(input + r * stride, n, logits_.data() + (job.first_row + int64_t{begin + r} * job.row_step) * n);
  }
}

absl::Span<const float> PackedPolicy::Logits(absl::Span<const float> observations) {
  for (const Job& job : jobs_) {
    for (int begin = 0; begin < job.rows; begin += kTileRows) {
      ComputeTile(job, begin, std::min(kTileRows, job.rows - begin), observations.data());
    }
  }
  return logits_;
}

}  // namespace

absl::StatusOr<std::unique_ptr<PolicyInference>> PolicyInference::Create(const PolicySpec& spec, int copies) {
  const std::string where = absl::StrCat("policy of group \"", spec.group, "\": ");
  if (copies < 1) return absl::InvalidArgumentError(absl::StrCat(where, "copies is ", copies, ", expected at least 1"));
  if (spec.action_kind != ActionKind::kDiscrete) {
    return absl::UnimplementedError(absl::StrCat(where, "continuous actions have no actor yet"));
  }
  const int inputs = spec.observation_size + (spec.agent_id_input ? spec.num_agents : 0);
  if (spec.num_agents < 1 || spec.observation_size < 1 || spec.action_size < 1 || spec.stack.num_sets < 1 ||
      spec.stack.input_size != inputs || spec.stack.output_size != spec.action_size ||
      spec.set_of_agent.size() != size_t(spec.num_agents)) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, spec.num_agents, " agents, ", spec.observation_size, " observed numbers, ", spec.action_size,
        " actions and ", spec.set_of_agent.size(), " parameter set indices do not fit a network of ",
        spec.stack.input_size, " inputs and ", spec.stack.output_size, " outputs"));
  }
  for (const int set : spec.set_of_agent) {
    if (set < 0 || set >= spec.stack.num_sets) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "set_of_agent holds ", set, ", expected [0, ", spec.stack.num_sets, ")"));
    }
  }
  for (const int size : spec.stack.hidden_sizes) {
    if (size < 1)
      return absl::InvalidArgumentError(absl::StrCat(where, "hidden_sizes holds ", size, ", expected at least 1"));
  }
  return std::make_unique<PackedPolicy>(spec, copies);
}

absl::StatusOr<absl::Span<const HostTensor>> GroupTensors(const PolicyWeights& weights, const PolicySpec& spec) {
  const std::string prefix = spec.group + "/";
  const size_t count = spec.stack.Parameters().size();
  const auto& tensors = weights.tensors;
  const auto first = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const HostTensor& tensor) { return absl::StartsWith(tensor.name, prefix); });
  const auto last = std::find_if(first, tensors.end(),
                                 [&](const HostTensor& tensor) { return !absl::StartsWith(tensor.name, prefix); });
  if (size_t(last - first) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: ", last - first, " tensors are named \"", prefix, "…\", expected the group's ", count));
  }
  return absl::MakeConstSpan(tensors).subspan(first - tensors.begin(), count);
}

}  // namespace troupe
