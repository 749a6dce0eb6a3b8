#include "learner/arithmetic/autograd/monotonic_mixer.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "common/base/random.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/networks/flat_adam.h"
#include "learner/torch/torch_headers.h"

namespace troupe {
namespace {

// Rows that pass forward and backward at once, on one thread.
constexpr int64_t kRowsPerPart = 256;

enum Maker { kWeights1, kBias1, kWeights2, kBias2, kMakers };
constexpr std::array<const char*, kMakers> kNames = {"weights_1", "bias_1", "weights_2", "bias_2"};

// Weights begin uniform within ±1/√inputs, as in the authors' code (torch.nn.Linear's default). What h1 and h3 make is
// then a quarter of what stacks of ReLUs usually begin with, and the team's value rises with its agents' an eighteenth
// as steeply: with the steeper beginning bootstrapped targets go far too high before they come down.
constexpr double kInitialGain = 0.57735;
// What DenseStackSpec begins hidden layers of ReLUs with; the output layer makes up for it, for ReLUs scale as inputs
// do.
constexpr double kHiddenGain = 1.41421;

// The networks that make the mixing network's weights.
std::array<DenseStackSpec, kMakers> MakersOf(const MonotonicMixerSpec& spec) {
  const std::vector<int> hidden =
      spec.hypernetwork_size > 0 ? std::vector<int>{spec.hypernetwork_size} : std::vector<int>{};
  const auto make = [&](std::vector<int> hidden_sizes, int outputs) {
    const double gain = hidden_sizes.empty() ? kInitialGain : kInitialGain * kInitialGain / kHiddenGain;
    return DenseStackSpec{.input_size = spec.state_size,
                          .hidden_sizes = std::move(hidden_sizes),
                          .output_size = outputs,
                          .input_layer_norm = spec.state_layer_norm,
                          .orthogonal_init = false,
                          .output_gain = static_cast<float>(gain)};
  };
  return {make(hidden, spec.agents * spec.embedding), make({}, spec.embedding), make(hidden, spec.embedding),
          make({spec.embedding}, 1)};
}

at::Tensor View(const float* values, at::IntArrayRef sizes) {
  return at::from_blob(const_cast<float*>(values), sizes, at::kFloat);
}

}  // namespace

struct MonotonicMixer::Networks {
  Networks(const MonotonicMixerSpec& given, uint64_t key) : spec(given), makers(MakersOf(given)) {
    std::vector<float> initial;
    for (int maker = 0; maker < kMakers; ++maker) {
      first[maker] = static_cast<int64_t>(initial.size());
      const std::vector<float> own = InitialParameters(makers[maker], MixKey({key, static_cast<uint64_t>(maker)}));
      initial.insert(initial.end(), own.begin(), own.end());
    }
    const at::NoGradGuard no_gradient;
    parameters = at::tensor(initial, at::kFloat);
    target = parameters.clone();
    optimizer = std::make_unique<FlatAdam>(parameters, spec.optimizer);
    sums = at::zeros({parameters.numel() + 1}, at::kFloat);
  }

  // values [rows, n], states [rows, S] → [rows].
  at::Tensor Mix(const at::Tensor& flat, const at::Tensor& values, const at::Tensor& states) const {
    const int64_t rows = values.size(0);
    const auto made = [&](Maker maker) {
      return ForwardReference(makers[maker], flat.narrow(0, first[maker], makers[maker].num_parameters()),
                              states.unsqueeze(0))
          .view({rows, -1});
    };
    const at::Tensor weights_1 = made(kWeights1).abs().view({rows, spec.agents, spec.embedding});
    const at::Tensor hidden = at::elu(at::bmm(values.unsqueeze(1), weights_1).squeeze(1) + made(kBias1));
    return (hidden * made(kWeights2).abs()).sum(1) + made(kBias2).squeeze(1);
  }

  // Calls body(part, begin, end) for parts of the rows, on all threads.
  template <typename Body>
  static void ForEachPart(int64_t rows, Body&& body) {
    ParallelTasks((rows + kRowsPerPart - 1) / kRowsPerPart, [&](int, int64_t part) {
      body(part, part * kRowsPerPart, std::min(rows, (part + 1) * kRowsPerPart));
    });
  }

  at::Tensor ValuesOf(const MixerRows& rows, int64_t begin, int64_t end) const {
    return View(rows.values + begin * spec.agents, {end - begin, spec.agents});
  }
  at::Tensor StatesOf(const MixerRows& rows, int64_t begin, int64_t end) const {
    return View(rows.states + begin * spec.state_size, {end - begin, spec.state_size});
  }

  // Calls visit(name, shape, first element) for every parameter, in order.
  template <typename Visit>
  void ForEachParameter(const std::string& prefix, const Visit& visit) const {
    int64_t at = 0;
    for (int maker = 0; maker < kMakers; ++maker) {
      for (const DenseStackSpec::Parameter& parameter : makers[maker].Parameters()) {
        int64_t size = 1;
        for (const int64_t extent : parameter.shape) size *= extent;
        visit(prefix + "/" + kNames[maker] + "/" + parameter.name, parameter.shape, at);
        at += size;
      }
    }
  }

  const MonotonicMixerSpec spec;
  const std::array<DenseStackSpec, kMakers> makers;
  std::array<int64_t, kMakers> first{};  // of each one's parameters
  at::Tensor parameters, target;         // [P]
  at::Tensor sums;                       // [P + 1], the gradient and the loss found last
  std::unique_ptr<FlatAdam> optimizer;
};

MonotonicMixer::MonotonicMixer(const MonotonicMixerSpec& spec, uint64_t key, Collective* ranks)
    : ranks_(*ranks), networks_(std::make_unique<Networks>(spec, key)) {}

MonotonicMixer::~MonotonicMixer() = default;

int64_t MonotonicMixer::NumParameters(const MonotonicMixerSpec& spec) {
  int64_t count = 0;
  for (const DenseStackSpec& maker : MakersOf(spec)) count += maker.num_parameters();
  return count;
}

std::vector<float> MonotonicMixer::TargetTotals(const MixerRows& rows) const {
  std::vector<float> totals(rows.rows);
  Networks::ForEachPart(rows.rows, [&](int64_t, int64_t begin, int64_t end) {
    const at::NoGradGuard no_gradient;
    const at::Tensor mixed =
        networks_->Mix(networks_->target, networks_->ValuesOf(rows, begin, end), networks_->StatesOf(rows, begin, end));
    std::copy_n(mixed.contiguous().const_data_ptr<float>(), end - begin, totals.begin() + begin);
  });
  return totals;
}

MonotonicMixer::Gradient MonotonicMixer::Differentiate(const MixerRows& rows, const std::vector<float>& targets) {
  const int64_t agents = networks_->spec.agents;
  Gradient found{std::vector<float>(rows.rows), std::vector<float>(rows.rows * agents)};
  std::vector<at::Tensor> gradients((rows.rows + kRowsPerPart - 1) / kRowsPerPart);
  std::vector<float> losses(gradients.size());
  Networks::ForEachPart(rows.rows, [&](int64_t part, int64_t begin, int64_t end) {
    const at::AutoGradMode with_gradient(true);
    const at::Tensor leaf = networks_->parameters.detach().requires_grad_(true);
    const at::Tensor values = networks_->ValuesOf(rows, begin, end).clone().requires_grad_(true);
    const at::Tensor totals = networks_->Mix(leaf, values, networks_->StatesOf(rows, begin, end));
    at::Tensor squares = (totals - View(targets.data() + begin, {end - begin})).square();
    if (rows.weights != nullptr) squares = squares * View(rows.weights + begin, {end - begin});
    const at::Tensor loss = 0.5 * squares.sum();
    const auto slopes = torch::autograd::grad({loss}, {leaf, values});
    gradients[part] = slopes[0].contiguous();
    losses[part] = loss.item<float>();
    std::copy_n(totals.detach().contiguous().const_data_ptr<float>(), end - begin, found.totals.begin() + begin);
    std::copy_n(slopes[1].contiguous().const_data_ptr<float>(), (end - begin) * agents,
                found.slopes.begin() + begin * agents);
  });
  // In order, so that threads do not decide bits.
  const at::NoGradGuard no_gradient;
  networks_->sums.zero_();
  const int64_t count = networks_->parameters.numel();
  for (size_t part = 0; part < gradients.size(); ++part) {
    networks_->sums.narrow(0, 0, count).add_(gradients[part]);
    networks_->sums.data_ptr<float>()[count] += losses[part];
  }
  return found;
}

MonotonicMixer::Step MonotonicMixer::TakeStep(double learning_rate, double denominator) {
  const at::NoGradGuard no_gradient;
  ranks_.Sum(&networks_->sums);
  networks_->sums.div_(denominator);
  float* const sums = networks_->sums.data_ptr<float>();
  const FlatAdam::HostStepResult result =
      networks_->optimizer->StepOnHost(learning_rate, sums, sums + networks_->parameters.numel()).front();
  return {result.gradient_norm, result.skipped};
}

void MonotonicMixer::BlendTarget(double rate) {
  const at::NoGradGuard no_gradient;
  if (rate == 1) {
    networks_->target.copy_(networks_->parameters);
  } else {
    networks_->target.lerp_(networks_->parameters, rate);
  }
}

void MonotonicMixer::Save(std::vector<HostTensor>* state) const {
  const auto save = [&](const std::string& prefix, const at::Tensor& flat) {
    networks_->ForEachParameter(prefix, [&](const std::string& name, const std::vector<int64_t>& shape, int64_t at) {
      state->push_back(HostTensor::Float32(name, shape, flat.const_data_ptr<float>() + at));
    });
  };
  const auto save_flat = [&](const char* name, const at::Tensor& flat) {
    state->push_back(HostTensor::Float32(name, {flat.numel()}, flat.const_data_ptr<float>()));
  };
  save("mixer", networks_->parameters);
  save_flat("mixer/adam.first_moment", networks_->optimizer->first_moment);
  save_flat("mixer/adam.second_moment", networks_->optimizer->second_moment);
  save_flat("mixer/adam.steps", networks_->optimizer->steps);
  save("target_mixer", networks_->target);
}

void MonotonicMixer::Load(absl::Span<const HostTensor> state) {
  const at::NoGradGuard no_gradient;
  std::map<std::string, const HostTensor*> named;
  for (const HostTensor& tensor : state) named[tensor.name] = &tensor;
  const auto load = [&](const std::string& prefix, const at::Tensor& flat) {
    networks_->ForEachParameter(prefix, [&](const std::string& name, const std::vector<int64_t>&, int64_t at) {
      const HostTensor& from = *named.at(name);
      std::copy_n(from.floats(), from.num_elements(), flat.data_ptr<float>() + at);
    });
  };
  const auto load_flat = [&](const char* name, const at::Tensor& flat) {
    std::copy_n(named.at(name)->floats(), flat.numel(), flat.data_ptr<float>());
  };
  load("mixer", networks_->parameters);
  load_flat("mixer/adam.first_moment", networks_->optimizer->first_moment);
  load_flat("mixer/adam.second_moment", networks_->optimizer->second_moment);
  load_flat("mixer/adam.steps", networks_->optimizer->steps);
  load("target_mixer", networks_->target);
}

}  // namespace troupe
