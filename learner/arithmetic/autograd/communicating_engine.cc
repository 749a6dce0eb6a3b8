#include "learner/arithmetic/autograd/communicating_engine.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "learner/arithmetic/cpu/sequence_network.h"
#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// Parts of a minibatch, each with a gradient to keep.
constexpr int64_t kMostParts = 16;

}  // namespace

CommunicatingEngine::CommunicatingEngine(const NetworkPlan& plan, const at::Tensor& parameters)
    : stack_(plan.stack),
      num_free_(plan.free.size),
      objective_(plan.objective),
      listeners_(plan.stack, plan.hears),
      parameters_(parameters),
      parts_(parameters.numel(), plan.stack.num_sets, plan.free.size) {
  TORCH_CHECK(!plan.finds_states, plan.name, " communicates and cannot find its states");
  TORCH_CHECK(static_cast<int64_t>(plan.hears.size()) == plan.stack.num_sets * plan.rows_per_step, plan.name,
              ": who hears whom is not said of every place");
}

int64_t CommunicatingEngine::SequencesAtOnce() const {
  return std::max<int64_t>(1, kSequenceRows / (stack_.num_sets * rows_.rows_per_step));
}

void CommunicatingEngine::CutBlocks(const int64_t* sequences, int64_t count) {
  const Timeline& timeline = *rows_.timeline;
  sequences_.resize(count);
  if (sequences == nullptr) {
    std::iota(sequences_.begin(), sequences_.end(), int64_t{0});
  } else {
    std::copy_n(sequences, count, sequences_.begin());
  }
  const auto is_whole = [&](int64_t sequence) { return timeline.Length(sequence) == timeline.sequence_length; };
  const int64_t cut = std::stable_partition(sequences_.begin(), sequences_.end(), is_whole) - sequences_.begin();
  blocks_.clear();
  for (int64_t first = 0; first < count;) {
    const int64_t end = first < cut ? cut : count, together = std::min(SequencesAtOnce(), end - first);
    blocks_.push_back({first, together, timeline.Length(sequences_[first])});
    first += together;
  }
}

void CommunicatingEngine::Begin(const NetworkRows& rows, const MinibatchTask& task) {
  rows_ = rows;
  task_ = task;
  CutBlocks(task.sequences, task.num_sequences);
  parts_.Begin(std::min(kMostParts, static_cast<int64_t>(blocks_.size())));
}

int64_t CommunicatingEngine::StepOf(const Block& block, int64_t i, int64_t t) const {
  return rows_.timeline->FirstStep(sequences_[block.first + i]) + t * rows_.timeline->columns;
}

at::Tensor CommunicatingEngine::Inputs(const Block& block, int64_t t) const {
  const int64_t slots = rows_.rows_per_step, width = slots * stack_.input_size;
  at::Tensor inputs = at::empty({stack_.num_sets, block.sequences * slots, stack_.input_size}, at::kFloat);
  float* to = inputs.data_ptr<float>();
  for (int64_t set = 0; set < stack_.num_sets; ++set) {
    for (int64_t i = 0; i < block.sequences; ++i, to += width) {
      std::memcpy(to, rows_.inputs + (set * rows_.states + StepOf(block, i, t)) * width, width * sizeof(float));
    }
  }
  return inputs;
}

at::Tensor CommunicatingEngine::GoesOn(const Block& block, int64_t t) const {
  const int64_t slots = rows_.rows_per_step;
  at::Tensor goes_on = at::empty({1, block.sequences * slots, 1}, at::kFloat);
  for (int64_t i = 0; i < block.sequences; ++i) {
    const bool begins = rows_.timeline->begins[StepOf(block, i, t)] != 0;
    std::fill_n(goes_on.data_ptr<float>() + i * slots, slots, begins ? 0.0f : 1.0f);
  }
  return goes_on;
}

at::Tensor CommunicatingEngine::Remembered(const Block& block) const {
  const int64_t slots = rows_.rows_per_step, width = slots * stack_.state_size();
  at::Tensor state = at::empty({stack_.num_sets, block.sequences * slots, stack_.state_size()}, at::kFloat);
  float* to = state.data_ptr<float>();
  for (int64_t set = 0; set < stack_.num_sets; ++set) {
    for (int64_t i = 0; i < block.sequences; ++i, to += width) {
      const int64_t sequence = set * rows_.timeline->num_sequences() + sequences_[block.first + i];
      std::memcpy(to, rows_.remembered + sequence * width, width * sizeof(float));
    }
  }
  return state;
}

void CommunicatingEngine::Walk(const Block& block, const at::Tensor& parameters, Visit visit) const {
  at::Tensor state = Remembered(block);
  for (int64_t t = 0; t < block.length; ++t) {
    // Whatever is remembered there, also where it is not finite.
    state = at::where(GoesOn(block, t) > 0, state, at::zeros({1}, at::kFloat));
    const RecurrentStep step = CommunicatingReference(stack_, listeners_, parameters, Inputs(block, t), state);
    state = step.state;
    visit(t, step.outputs);
  }
}

at::Tensor CommunicatingEngine::Slope(const Block& block, int64_t t, const at::Tensor& outputs, int64_t part,
                                      float* free_gradient) {
  const int64_t slots = rows_.rows_per_step, rows = block.sequences * slots, width = stack_.output_size;
  const at::Tensor values = outputs.detach().contiguous();
  at::Tensor slope = at::zeros_like(values);
  const float* const free = parameters_.const_data_ptr<float>() + parameters_.numel() - stack_.num_sets * num_free_;
  std::vector<int64_t> index(rows);
  for (int64_t set = 0; set < stack_.num_sets; ++set) {
    if (task_.stepped != nullptr && task_.stepped[set] == 0) continue;
    for (int64_t r = 0; r < rows; ++r) {
      index[r] = (set * rows_.steps + StepOf(block, r / slots, t)) * slots + r % slots;
    }
    objective_->Rows({.outputs = values.const_data_ptr<float>() + set * rows * width,
                      .rows = rows,
                      .width = width,
                      .fields = rows_.fields,
                      .masks = rows_.masks,
                      .index = index.data(),
                      .free = num_free_ > 0 ? free + set * num_free_ : nullptr,
                      .free_gradient = num_free_ > 0 ? free_gradient + set * num_free_ : nullptr},
                     task_.denominators[set], task_.scalars, slope.data_ptr<float>() + set * rows * width,
                     parts_.figures(part, set));
  }
  return slope;
}

void CommunicatingEngine::RunPart(int64_t part, int) {
  const at::AutoGradMode with_gradient(true);
  const auto count = static_cast<int64_t>(blocks_.size());
  // Shares the parameters' memory; its gradient is the part's own.
  at::Tensor leaf = parameters_.detach().requires_grad_(true);
  at::Tensor free_gradient = at::zeros({stack_.num_sets, num_free_}, at::kFloat);
  for (int64_t b = count * part / num_parts(); b < count * (part + 1) / num_parts(); ++b) {
    std::vector<at::Tensor> outputs, slopes;
    Walk(blocks_[b], leaf, [&](int64_t t, const at::Tensor& made) {
      outputs.push_back(made);
      slopes.push_back(Slope(blocks_[b], t, made, part, free_gradient.data_ptr<float>()));
    });
    at::cat(outputs, 1).backward(at::cat(slopes, 1));
  }
  parts_.Take(part, leaf.grad(), free_gradient);
}

void CommunicatingEngine::Infer(const NetworkRows& rows, float* outputs) {
  rows_ = rows;
  TORCH_CHECK(rows.states == rows.timeline->steps * rows.timeline->columns,
              "a network that communicates is inferred on the states it is trained on");
  CutBlocks(nullptr, rows.timeline->num_sequences());
  const int64_t width = rows.rows_per_step * stack_.output_size;
  ParallelTasks(static_cast<int64_t>(blocks_.size()), [&](int, int64_t b) {
    const at::NoGradGuard no_gradient;
    const Block& block = blocks_[b];
    Walk(block, parameters_, [&](int64_t t, const at::Tensor& made) {
      const at::Tensor values = made.contiguous();
      for (int64_t set = 0; set < stack_.num_sets; ++set) {
        for (int64_t i = 0; i < block.sequences; ++i) {
          std::memcpy(outputs + (set * rows.states + StepOf(block, i, t)) * width,
                      values.const_data_ptr<float>() + (set * block.sequences + i) * width, width * sizeof(float));
        }
      }
    });
  });
}

}  // namespace troupe
