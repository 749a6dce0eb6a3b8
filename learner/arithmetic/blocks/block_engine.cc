#include "learner/arithmetic/blocks/block_engine.h"

#include <algorithm>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// A part has so many rows, or more where there would otherwise be too many parts to keep gradients for.
constexpr int64_t kRowsPerPart = 256, kMostPartsPerSet = 16;
static_assert(kRowsPerPart % kBlockRows == 0);

}  // namespace

BlockEngine::BlockEngine(const DenseStackSpec& spec, const BlockKernels* kernels,
                         std::shared_ptr<const Objective> objective, const float* parameters, int64_t num_free)
    : spec_(spec),
      objective_(std::move(objective)),
      parameters_(parameters),
      stack_(spec, kernels),
      sums_(parameters, spec.num_parameters(), num_free) {}

void BlockEngine::MakeLanes() {
  while (static_cast<int>(lanes_.size()) < ComputeThreads()) {
    lanes_.push_back({BlockStack::Scratch(stack_), std::vector<int64_t>(kBlockRows), std::vector<int64_t>(kBlockRows),
                      std::vector<float>(kBlockRows * spec_.output_size),
                      std::vector<float>(kBlockRows * spec_.output_size)});
  }
}

void BlockEngine::Begin(const NetworkRows& rows, const MinibatchTask& task) {
  rows_ = rows;
  task_ = task;
  rows_per_set_ = task.num_steps * rows.rows_per_step;
  const int64_t even = (rows_per_set_ + kMostPartsPerSet - 1) / kMostPartsPerSet;
  rows_per_part_ = std::max(kRowsPerPart, (even + kBlockRows - 1) / kBlockRows * kBlockRows);
  parts_per_set_ = (rows_per_set_ + rows_per_part_ - 1) / rows_per_part_;
  MakeLanes();
  sums_.Begin(parts_per_set_, stack_.num_sets());
  if (num_parts() <= static_cast<int64_t>(gradient_of_part_.size())) return;
  const int64_t stride = (stack_.set_gradient_size() + 15) / 16 * 16;
  gradients_ = AlignedWords(num_parts() * stride);
  gradient_of_part_.resize(num_parts());
  for (int64_t part = 0; part < num_parts(); ++part) {
    gradient_of_part_[part] = reinterpret_cast<float*>(gradients_.data()) + part * stride;
  }
}

void BlockEngine::Locate(int64_t set, int64_t first, int64_t rows, Lane* lane) const {
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = first + r, step = row / rows_.rows_per_step;
    const int64_t in_set =
        (task_.steps == nullptr ? step : task_.steps[step]) * rows_.rows_per_step + row % rows_.rows_per_step;
    lane->index[r] = set * rows_.steps * rows_.rows_per_step + in_set;
    lane->offsets[r] = (set * rows_.states * rows_.rows_per_step + in_set) * spec_.input_size;
  }
}

void BlockEngine::RunPart(int64_t part, int lane) {
  Lane& own = lanes_[lane];
  const int64_t set = part / parts_per_set_, begin = part % parts_per_set_ * rows_per_part_;
  if (task_.stepped != nullptr && task_.stepped[set] == 0) return;
  const int64_t end = std::min(rows_per_set_, begin + rows_per_part_);
  for (int64_t first = begin; first < end; first += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, end - first);
    Locate(set, first, rows, &own);
    stack_.Forward(parameters_, set, rows_.inputs, own.offsets.data(), rows, &own.scratch, own.y.data());
    objective_->Rows({.outputs = own.y.data(),
                      .rows = rows,
                      .width = spec_.output_size,
                      .fields = rows_.fields,
                      .masks = rows_.masks,
                      .index = own.index.data(),
                      .free = sums_.free(part),
                      .free_gradient = sums_.free_gradient(part)},
                     task_.denominators[set], task_.scalars, own.dy.data(), sums_.figures(part));
    stack_.Backward(set, own.dy.data(), rows, first > begin, &own.scratch, gradient_of_part_[part]);
  }
}

void BlockEngine::Sum(int64_t item, float* gradient) {
  const bool is_layer = item < num_layers();
  const int64_t set = is_layer ? item / stack_.num_layers() : item - num_layers();
  if (task_.stepped != nullptr && task_.stepped[set] == 0) return;
  if (!is_layer) return sums_.SumFree(set, gradient);
  stack_.SumLayer(parameters_, set, item % stack_.num_layers(), gradient_of_part_.data() + set * parts_per_set_,
                  parts_per_set_, gradient);
}

void BlockEngine::Refresh(int64_t item) {
  stack_.Pack(parameters_, item / stack_.num_layers(), item % stack_.num_layers());
}

void BlockEngine::Infer(const NetworkRows& rows, float* outputs) {
  rows_ = rows;
  task_ = {.num_steps = rows.states};
  rows_per_set_ = rows.states * rows.rows_per_step;
  MakeLanes();
  const int64_t blocks = (rows_per_set_ + kBlockRows - 1) / kBlockRows;
  ParallelTasks(stack_.num_sets() * blocks, [&](int lane, int64_t task) {
    Lane& own = lanes_[lane];
    const int64_t set = task / blocks, first = task % blocks * kBlockRows;
    const int64_t count = std::min(kBlockRows, rows_per_set_ - first);
    Locate(set, first, count, &own);
    stack_.Forward(parameters_, set, rows_.inputs, own.offsets.data(), count, &own.scratch,
                   outputs + (set * rows_per_set_ + first) * spec_.output_size);
  });
}

bool BlockEngine::Differentiate(absl::Span<const float> inputs, int64_t rows, InputGradient* found) {
  if (!BlockSlopes::Covers(spec_)) return false;
  if (slopes_ == nullptr) slopes_ = std::make_unique<BlockSlopes>(spec_, parameters_);
  *found = slopes_->Differentiate(inputs, rows);
  return true;
}

}  // namespace troupe
