#include "learner/arithmetic/autograd/gradient_parts.h"

#include <algorithm>

#include "learner/arithmetic/host/vector_math.h"

namespace troupe {
namespace {

// Parameters that are added up at once.
constexpr int64_t kPiece = 8192;

}  // namespace

GradientParts::GradientParts(int64_t num_parameters, int64_t sets, int64_t free)
    : num_parameters_(num_parameters), sets_(sets), free_(free) {}

void GradientParts::Begin(int64_t parts) {
  figures_.assign(parts, std::vector<Objective::Figures>(sets_));
  gradients_.resize(parts);
}

void GradientParts::Take(int64_t part, const at::Tensor& gradient, const at::Tensor& free_gradient) {
  gradients_[part] = gradient;
  if (free_ == 0) return;
  const at::NoGradGuard no_gradient;
  if (!gradients_[part].defined()) gradients_[part] = at::zeros({num_parameters_}, at::kFloat);
  gradients_[part].narrow(0, num_parameters_ - sets_ * free_, sets_ * free_).add_(free_gradient.view({-1}));
}

int64_t GradientParts::num_sum_items() const { return (num_parameters_ + kPiece - 1) / kPiece; }

void GradientParts::Sum(int64_t item, float* gradient) const {
  const int64_t first = item * kPiece, size = std::min(kPiece, num_parameters_ - first);
  std::fill_n(gradient + first, size, 0.0f);
  for (const at::Tensor& part : gradients_) {
    if (part.defined()) vector_math::Add(part.const_data_ptr<float>() + first, size, gradient + first);
  }
}

void GradientParts::AddFigures(int set, Objective::Figures* sums) const {
  for (const std::vector<Objective::Figures>& part : figures_) {
    for (size_t i = 0; i < sums->size(); ++i) (*sums)[i] += part[set][i];
  }
}

}  // namespace troupe
