#include "learner/arithmetic/autograd/autograd_engine.h"

#include <algorithm>
#include <cstring>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// Rows (tokens of rows), of all sets, that pass forward and backward at once: few enough that what autograd keeps stays
// near the cache.
constexpr int64_t kRowsPerPass = 2048;
// Parts of a minibatch, each with a gradient to keep; a part makes as many passes as it needs.
constexpr int64_t kMostParts = 32;

}  // namespace

AutogradEngine::AutogradEngine(const Sizes& sizes, NetworkFunction function, std::shared_ptr<const Objective> objective,
                               const at::Tensor& parameters)
    : sizes_(sizes),
      function_(std::move(function)),
      objective_(std::move(objective)),
      parameters_(parameters),
      parts_(parameters.numel(), sizes.sets, sizes.free) {}

int64_t AutogradEngine::StepsPerPass() const {
  return std::max<int64_t>(1, kRowsPerPass / (sizes_.sets * rows_.rows_per_step * sizes_.tokens));
}

void AutogradEngine::Begin(const NetworkRows& rows, const MinibatchTask& task) {
  rows_ = rows;
  task_ = task;
  const int64_t passes = (task.num_steps + StepsPerPass() - 1) / StepsPerPass();
  parts_.Begin(std::min(kMostParts, passes));
}

at::Tensor AutogradEngine::Gather(int64_t first, int64_t count, std::vector<int64_t>* index) const {
  const int64_t rows = rows_.rows_per_step, width = rows * sizes_.input;
  at::Tensor inputs = at::empty({sizes_.sets, count * rows, sizes_.input}, at::kFloat);
  float* to = inputs.data_ptr<float>();
  index->clear();
  for (int64_t set = 0; set < sizes_.sets; ++set) {
    for (int64_t i = 0; i < count; ++i, to += width) {
      const int64_t step = task_.steps == nullptr ? first + i : task_.steps[first + i];
      std::memcpy(to, rows_.inputs + (set * rows_.states + step) * width, width * sizeof(float));
      for (int64_t r = 0; r < rows; ++r) index->push_back((set * rows_.steps + step) * rows + r);
    }
  }
  return inputs;
}

void AutogradEngine::RunPart(int64_t part, int) {
  const at::AutoGradMode with_gradient(true);
  const int64_t begin = task_.num_steps * part / num_parts(), end = task_.num_steps * (part + 1) / num_parts();
  // Shares the parameters' memory; its gradient is the part's own.
  at::Tensor leaf = parameters_.detach().requires_grad_(true);
  const int64_t first_free = parameters_.numel() - sizes_.sets * sizes_.free;
  const float* const free = parameters_.const_data_ptr<float>() + first_free;
  at::Tensor free_gradient = at::zeros({sizes_.sets, sizes_.free}, at::kFloat);
  std::vector<int64_t> index;
  for (int64_t first = begin; first < end; first += StepsPerPass()) {
    const int64_t count = std::min(StepsPerPass(), end - first), rows = count * rows_.rows_per_step;
    const at::Tensor y = function_(leaf, Gather(first, count, &index));
    const at::Tensor outputs = y.detach().contiguous();
    at::Tensor slope = at::zeros_like(outputs);
    for (int64_t set = 0; set < sizes_.sets; ++set) {
      if (task_.stepped != nullptr && task_.stepped[set] == 0) continue;
      const int64_t from = set * rows;
      objective_->Rows(
          {.outputs = outputs.const_data_ptr<float>() + from * sizes_.output,
           .rows = rows,
           .width = sizes_.output,
           .fields = rows_.fields,
           .masks = rows_.masks,
           .index = index.data() + from,
           .free = sizes_.free > 0 ? free + set * sizes_.free : nullptr,
           .free_gradient = sizes_.free > 0 ? free_gradient.data_ptr<float>() + set * sizes_.free : nullptr},
          task_.denominators[set], task_.scalars, slope.data_ptr<float>() + from * sizes_.output,
          parts_.figures(part, set));
    }
    y.backward(slope);
  }
  parts_.Take(part, leaf.grad(), free_gradient);
}

void AutogradEngine::Infer(const NetworkRows& rows, float* outputs) {
  rows_ = rows;
  task_ = {.num_steps = rows.states};
  const int64_t per_pass = StepsPerPass(), passes = (rows.states + per_pass - 1) / per_pass;
  ParallelTasks(passes, [&](int, int64_t pass) {
    const at::NoGradGuard no_gradient;
    const int64_t first = pass * per_pass, count = std::min(per_pass, rows.states - first);
    std::vector<int64_t> index;
    const at::Tensor y = function_(parameters_, Gather(first, count, &index)).contiguous();
    const int64_t width = rows.rows_per_step * sizes_.output;
    for (int64_t set = 0; set < sizes_.sets; ++set) {
      std::memcpy(outputs + (set * rows.states + first) * width, y.const_data_ptr<float>() + set * count * width,
                  count * width * sizeof(float));
    }
  });
}

}  // namespace troupe
