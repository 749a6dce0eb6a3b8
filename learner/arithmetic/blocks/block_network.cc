#include "learner/arithmetic/blocks/block_network.h"

#include <algorithm>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// A part has so many rows, or more where there would otherwise be too many parts to keep gradients for.
constexpr int64_t kRowsPerPart = 256, kMostPartsPerSet = 16;
static_assert(kRowsPerPart % kBlockRows == 0);

}  // namespace

BlockNetwork::BlockNetwork(const DenseStackSpec& spec, const BlockKernels* kernels)
    : spec_(spec), stack_(spec, kernels) {}

void BlockNetwork::Begin(const BlockRows& rows, int lanes) {
  rows_ = rows;
  rows_per_set_ = rows.num_steps * rows.rows_per_step;
  const int64_t even = (rows_per_set_ + kMostPartsPerSet - 1) / kMostPartsPerSet;
  rows_per_part_ = std::max(kRowsPerPart, (even + kBlockRows - 1) / kBlockRows * kBlockRows);
  parts_per_set_ = (rows_per_set_ + rows_per_part_ - 1) / rows_per_part_;
  while (static_cast<int>(lanes_.size()) < lanes) {
    lanes_.push_back({BlockStack::Scratch(stack_), std::vector<int64_t>(kBlockRows), std::vector<int64_t>(kBlockRows),
                      std::vector<float>(kBlockRows * spec_.output_size),
                      std::vector<float>(kBlockRows * spec_.output_size)});
  }
  if (num_parts() <= static_cast<int64_t>(gradient_of_part_.size())) return;
  const int64_t stride = (stack_.set_gradient_size() + 15) / 16 * 16;
  gradients_ = AlignedWords(num_parts() * stride);
  gradient_of_part_.resize(num_parts());
  for (int64_t part = 0; part < num_parts(); ++part) {
    gradient_of_part_[part] = reinterpret_cast<float*>(gradients_.data()) + part * stride;
  }
}

void BlockNetwork::Locate(int64_t set, int64_t first, int64_t rows, Lane* lane) const {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = first + r, step = row / rows_.rows_per_step;
    const int64_t source = rows_.steps == nullptr ? step : rows_.steps[step];
    lane->index[r] = set * rows_.rows_in_set + source * rows_.rows_per_step + row % rows_.rows_per_step;
    lane->offsets[r] = lane->index[r] * spec_.input_size;
  }
}

void BlockNetwork::RunPart(const float* parameters, int64_t part, int lane, Loss loss) {
  Lane& own = lanes_[lane];
  const int64_t set = part / parts_per_set_, begin = part % parts_per_set_ * rows_per_part_;
  const int64_t end = std::min(rows_per_set_, begin + rows_per_part_);
  for (int64_t first = begin; first < end; first += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, end - first);
    Locate(set, first, rows, &own);
    stack_.Forward(parameters, set, rows_.x, own.offsets.data(), rows, &own.scratch, own.y.data());
    loss(own.index.data(), rows, own.y.data(), own.dy.data());
    stack_.Backward(set, own.dy.data(), rows, first > begin, &own.scratch, gradient_of_part_[part]);
  }
}

void BlockNetwork::SumLayer(int64_t layer, float* gradient) const {
  const int64_t set = layer / stack_.num_layers();
  stack_.SumLayer(set, layer % stack_.num_layers(), gradient_of_part_.data() + set * parts_per_set_, parts_per_set_,
                  gradient);
}

void BlockNetwork::PackLayer(int64_t layer, const float* parameters) {
  stack_.Pack(parameters, layer / stack_.num_layers(), layer % stack_.num_layers());
}

void BlockNetwork::Forward(const float* parameters, float* y) {
  const int64_t blocks = (rows_per_set_ + kBlockRows - 1) / kBlockRows;
  ParallelTasks(stack_.num_sets() * blocks, [&](int lane, int64_t task) {
    Lane& own = lanes_[lane];
    const int64_t set = task / blocks, first = task % blocks * kBlockRows;
    const int64_t rows = std::min(kBlockRows, rows_per_set_ - first);
    Locate(set, first, rows, &own);
    stack_.Forward(parameters, set, rows_.x, own.offsets.data(), rows, &own.scratch,
                   y + (set * rows_per_set_ + first) * spec_.output_size);
  });
}

}  // namespace troupe
