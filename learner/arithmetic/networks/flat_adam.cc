#include "learner/arithmetic/networks/flat_adam.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

constexpr double kFirstDecay = 0.9, kSecondDecay = 0.999;
// Parameters per piece of StepOnHost.
constexpr int64_t kPiece = 8192;

}  // namespace

FlatAdam::FlatAdam(at::Tensor parameters, const AdamSettings& settings)
    : FlatAdam(parameters, settings, 1, {{0, 0, parameters.numel()}}) {}

FlatAdam::FlatAdam(at::Tensor parameters, const AdamSettings& settings, int sets, std::vector<Slice> slices)
    : first_moment(at::zeros_like(parameters.detach())),
      second_moment(at::zeros_like(parameters.detach())),
      steps(at::zeros({sets}, parameters.options().requires_grad(false))),
      parameters_(std::move(parameters)),
      settings_(settings),
      slices_(sets),
      results_(sets) {
  for (const Slice& slice : slices) {
    slices_[slice.set].push_back(slice);
    for (int64_t first = 0; first < slice.size; first += kPiece) {
      pieces_.push_back({slice.set, slice.first + first, std::min(kPiece, slice.size - first), 0});
    }
  }
}

FlatAdam::StepResult FlatAdam::StepOnDevice(const at::Tensor& learning_rates, const at::Tensor& gradient,
                                            const at::Tensor& losses) {
  const at::NoGradGuard no_gradient;
  const at::Tensor parameters = parameters_.detach();
  std::vector<at::Tensor> norms, skipped;
  for (size_t set = 0; set < slices_.size(); ++set) {
    const auto index = static_cast<int64_t>(set);
    const auto parts = [&](const at::Tensor& flat) {
      std::vector<at::Tensor> found;
      for (const Slice& slice : slices_[set]) found.push_back(flat.narrow(0, slice.first, slice.size));
      return found;
    };
    const std::vector<at::Tensor> gradients = parts(gradient);
    at::Tensor norm = at::linalg_vector_norm(gradients[0], 2);
    if (gradients.size() > 1) norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2)), 2);
    const at::Tensor rate = learning_rates.select(0, index);
    const at::Tensor skip = at::logical_not(at::isfinite(norm + losses.select(0, index))).to(at::kFloat);
    // What a set that rests does is neither a step nor a skipped one.
    const at::Tensor still = at::maximum(skip, (rate < 0).to(at::kFloat));
    std::optional<at::Tensor> scale;
    if (settings_.max_gradient_norm > 0) scale = at::clamp_min((norm + 1e-6) / settings_.max_gradient_norm, 1.0);
    at::Tensor taken = steps.select(0, index);
    taken += 1.0 - still;
    std::vector<at::Tensor> values = parts(parameters), first = parts(first_moment), second = parts(second_moment);
    const std::vector<at::Tensor> all_taken(values.size(), taken);
    at::_fused_adam_(values, gradients, first, second, {}, all_taken, rate, kFirstDecay, kSecondDecay,
                     settings_.weight_decay, settings_.epsilon, /*amsgrad=*/false, /*maximize=*/false, scale, still);
    norms.push_back(norm);
    skipped.push_back(skip);
  }
  return {at::stack(norms), at::stack(skipped)};
}

const std::vector<FlatAdam::HostStepResult>& FlatAdam::StepOnHost(double learning_rate, const float* gradient,
                                                                  const float* losses, const uint8_t* stepped) {
  const auto pieces = static_cast<int64_t>(pieces_.size());
  ParallelFor(pieces, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Piece& piece = pieces_[i];
      if (stepped != nullptr && stepped[piece.set] == 0) continue;
      piece.squares = vector_math::SumSquares(gradient + piece.first, piece.size);
    }
  });
  std::vector<vector_math::AdamFactors> factors(slices_.size());
  std::vector<double> squares(slices_.size());
  for (const Piece& piece : pieces_) squares[piece.set] += piece.squares;
  for (size_t set = 0; set < slices_.size(); ++set) {
    HostStepResult& result = results_[set];
    result = {};
    if (stepped != nullptr && stepped[set] == 0) continue;
    result.gradient_norm = static_cast<float>(std::sqrt(squares[set]));
    result.skipped = !std::isfinite(result.gradient_norm + losses[set]);
    if (result.skipped) continue;
    float& taken = steps.data_ptr<float>()[set];
    taken += 1.0f;
    vector_math::AdamFactors& of = factors[set];
    of.gradient_scale = 1.0f;
    if (settings_.max_gradient_norm > 0) {
      const double excess = (result.gradient_norm + 1e-6) / settings_.max_gradient_norm;
      of.gradient_scale = static_cast<float>(1.0 / std::max(1.0, excess));
    }
    of.weight_decay = static_cast<float>(settings_.weight_decay);
    of.first_rate = static_cast<float>(1.0 - kFirstDecay);
    of.second_rate = static_cast<float>(1.0 - kSecondDecay);
    of.step_size = static_cast<float>(learning_rate / (1.0 - std::pow(kFirstDecay, taken)));
    of.second_scale = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(kSecondDecay, taken)));
    of.epsilon = static_cast<float>(settings_.epsilon);
  }
  float* parameters = parameters_.data_ptr<float>();
  float* first = first_moment.data_ptr<float>();
  float* second = second_moment.data_ptr<float>();
  ParallelFor(pieces, [&](int, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Piece& piece = pieces_[i];
      if (results_[piece.set].skipped || (stepped != nullptr && stepped[piece.set] == 0)) continue;
      vector_math::AdamStep(factors[piece.set], gradient + piece.first, piece.size, parameters + piece.first,
                            first + piece.first, second + piece.first);
    }
  });
  return results_;
}

}  // namespace troupe
