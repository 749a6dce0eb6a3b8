#include "learner/arithmetic/cpu/sequence_engine.h"

#include <algorithm>
#include <numeric>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// Parts of a set, each with a gradient to keep.
constexpr int64_t kMostPartsPerSet = 16;
constexpr int64_t kNone = -1;

}  // namespace

SequenceEngine::SequenceEngine(const NetworkPlan& plan, std::unique_ptr<SequenceNetwork> network,
                               const float* parameters)
    : stack_(plan.stack),
      objective_(plan.objective),
      finds_states_(plan.finds_states),
      network_(std::move(network)),
      sums_(parameters, plan.stack.num_parameters(), plan.free.size) {}

void SequenceEngine::MakeLanes() {
  const int64_t length = std::min(rows_.timeline->sequence_length, rows_.timeline->steps);
  network_->Prepare(ComputeThreads(), length);
  lanes_.resize(ComputeThreads());
  for (Lane& lane : lanes_) {
    lane.offsets.resize(kSequenceRows);
    lane.index.resize(kSequenceRows);
    lane.begins.resize(kSequenceRows);
    lane.state.resize(kSequenceRows * stack_.state_size());
    lane.outputs.resize(kSequenceRows * stack_.output_size);
    lane.slopes.resize(length * kSequenceRows * stack_.output_size);
  }
}

void SequenceEngine::CutBlocks(int64_t first, int64_t last, int64_t length) {
  for (; first < last; first += kSequenceRows)
    blocks_.push_back({first, std::min(kSequenceRows, last - first), length});
}

void SequenceEngine::Begin(const NetworkRows& rows, const MinibatchTask& task) {
  rows_ = rows;
  task_ = task;
  const Timeline& timeline = *rows.timeline;
  sequences_.resize(task.num_sequences);
  if (task.sequences == nullptr) {
    std::iota(sequences_.begin(), sequences_.end(), int64_t{0});
  } else {
    std::copy_n(task.sequences, task.num_sequences, sequences_.begin());
  }
  const auto is_whole = [&](int64_t sequence) { return timeline.Length(sequence) == timeline.sequence_length; };
  const auto cut = std::stable_partition(sequences_.begin(), sequences_.end(), is_whole) - sequences_.begin();
  const auto count = static_cast<int64_t>(sequences_.size());
  blocks_.clear();
  CutBlocks(0, cut * rows.rows_per_step, timeline.sequence_length);
  if (cut < count) CutBlocks(cut * rows.rows_per_step, count * rows.rows_per_step, timeline.Length(sequences_[cut]));
  parts_per_set_ = std::min(kMostPartsPerSet, static_cast<int64_t>(blocks_.size()));
  MakeLanes();
  sums_.Begin(parts_per_set_, stack_.num_sets);
  while (static_cast<int64_t>(gradient_of_part_.size()) < num_parts()) {
    gradient_of_part_.emplace_back(network_->set_gradient_size());
    gradients_.push_back(gradient_of_part_.back().data());
  }
}

void SequenceEngine::RunPart(int64_t part, int lane) {
  const int64_t set = part / parts_per_set_, in_set = part % parts_per_set_;
  if (task_.stepped != nullptr && task_.stepped[set] == 0) return;
  const auto count = static_cast<int64_t>(blocks_.size());
  const int64_t begin = count * in_set / parts_per_set_, end = count * (in_set + 1) / parts_per_set_;
  for (int64_t block = begin; block < end; ++block) RunBlock(blocks_[block], set, lane, block > begin, part);
}

void SequenceEngine::RunBlock(const Block& block, int64_t set, int lane, bool add, int64_t part) {
  const Timeline& timeline = *rows_.timeline;
  const int64_t slots = rows_.rows_per_step, inputs = stack_.input_size, kept = stack_.state_size();
  Lane& own = lanes_[lane];
  for (int64_t r = 0; r < block.rows; ++r) {
    const int64_t sequence = sequences_[(block.first + r) / slots], slot = (block.first + r) % slots;
    std::copy_n(rows_.remembered + ((set * timeline.num_sequences() + sequence) * slots + slot) * kept, kept,
                own.state.data() + r * kept);
  }
  for (int64_t t = 0; t < block.length; ++t) {
    for (int64_t r = 0; r < block.rows; ++r) {
      const int64_t sequence = sequences_[(block.first + r) / slots], slot = (block.first + r) % slots;
      const int64_t step = timeline.FirstStep(sequence) + t * timeline.columns;
      own.offsets[r] = ((set * rows_.states + step) * slots + slot) * inputs;
      own.index[r] = (set * rows_.steps + step) * slots + slot;
      own.begins[r] = timeline.begins[step];
    }
    network_->Step(lane,
                   {.set = set,
                    .rows = block.rows,
                    .x = rows_.inputs,
                    .offsets = own.offsets.data(),
                    .begins = own.begins.data(),
                    .state = own.state.data(),
                    .outputs = own.outputs.data()},
                   t);
    objective_->Rows({.outputs = own.outputs.data(),
                      .rows = block.rows,
                      .width = stack_.output_size,
                      .fields = rows_.fields,
                      .masks = rows_.masks,
                      .index = own.index.data(),
                      .free = sums_.free(part),
                      .free_gradient = sums_.free_gradient(part)},
                     task_.denominators[set], task_.scalars, own.slopes.data() + t * block.rows * stack_.output_size,
                     sums_.figures(part));
  }
  network_->Backward(lane, set, block.rows, block.length, own.slopes.data(), add, gradients_[part]);
}

void SequenceEngine::Sum(int64_t item, float* gradient) {
  const bool is_layer = item < num_layers();
  const int64_t set = is_layer ? item / network_->num_layers() : item - num_layers();
  if (task_.stepped != nullptr && task_.stepped[set] == 0) return;
  if (!is_layer) return sums_.SumFree(set, gradient);
  network_->SumLayer(set, item % network_->num_layers(), gradients_.data() + set * parts_per_set_, parts_per_set_,
                     gradient);
}

void SequenceEngine::Refresh(int64_t item) {
  network_->Refresh(item / network_->num_layers(), item % network_->num_layers());
}

void SequenceEngine::Infer(const NetworkRows& rows, float* outputs) {
  rows_ = rows;
  const Timeline& timeline = *rows.timeline;
  MakeLanes();
  final_after_.assign(timeline.steps * timeline.columns, kNone);
  const int64_t first_final = (timeline.steps + 1) * timeline.columns;
  for (size_t k = 0; k < timeline.finals.size() && rows.states > first_final; ++k) {
    final_after_[timeline.finals[k]] = first_final + static_cast<int64_t>(k);
  }
  const int64_t rows_per_set = timeline.columns * rows.rows_per_step;
  const int64_t blocks = (rows_per_set + kSequenceRows - 1) / kSequenceRows;
  ParallelTasks(stack_.num_sets * blocks, [&](int lane, int64_t task) {
    const int64_t first = task % blocks * kSequenceRows;
    InferColumns(task / blocks, first, std::min(kSequenceRows, rows_per_set - first), lane, outputs);
  });
}

void SequenceEngine::InferColumns(int64_t set, int64_t first, int64_t rows, int lane, float* outputs) {
  const Timeline& timeline = *rows_.timeline;
  const int64_t slots = rows_.rows_per_step, width = stack_.output_size, kept = stack_.state_size();
  const int64_t columns = timeline.columns, per_set = columns * slots, rows_of_states = rows_.states * slots;
  Lane& own = lanes_[lane];
  const auto count = rows * kept;
  // Rows of all columns stand together at every step, and so do what sequences begin with.
  const auto remembered = [&](int64_t t) {
    const int64_t sequence = t / timeline.sequence_length * columns;
    return rows_.remembered + ((set * timeline.num_sequences() + sequence) * slots + first) * kept;
  };
  const int64_t last = rows_.states > timeline.steps * columns ? timeline.steps : timeline.steps - 1;
  for (int64_t t = 0; t <= last; ++t) {
    const bool starts = t < timeline.steps && t % timeline.sequence_length == 0;
    if (starts && (t == 0 || !finds_states_)) std::copy_n(remembered(t), count, own.state.data());
    if (t == timeline.steps)
      std::copy_n(own.state.data(), count, rows_.remembered_last + (set * per_set + first) * kept);
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t step = t * columns + (first + r) / slots;
      own.offsets[r] = (set * rows_of_states + t * per_set + first + r) * stack_.input_size;
      own.begins[r] = timeline.begins[step];
      // Whatever is remembered there, given or found.
      if (own.begins[r] != 0) std::fill_n(own.state.data() + r * kept, kept, 0.0f);
    }
    if (starts && t > 0 && finds_states_) std::copy_n(own.state.data(), count, remembered(t));
    network_->Step(lane,
                   {.set = set,
                    .rows = rows,
                    .x = rows_.inputs,
                    .offsets = own.offsets.data(),
                    .begins = own.begins.data(),
                    .state = own.state.data(),
                    .outputs = outputs + (set * rows_of_states + t * per_set + first) * width},
                   SequenceNetwork::kNotKept);
    if (t < timeline.steps) InferFinals(set, first, rows, t, &own, lane, outputs);
  }
}

void SequenceEngine::InferFinals(int64_t set, int64_t first, int64_t rows, int64_t t, Lane* own, int lane,
                                 float* outputs) {
  const int64_t slots = rows_.rows_per_step, width = stack_.output_size, kept = stack_.state_size();
  std::vector<int64_t> places;
  std::vector<float> state;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t final = final_after_[t * rows_.timeline->columns + (first + r) / slots];
    if (final == kNone) continue;
    const int64_t row = (set * rows_.states + final) * slots + (first + r) % slots;
    own->offsets[places.size()] = row * stack_.input_size;
    places.push_back(row);
    state.insert(state.end(), own->state.data() + r * kept, own->state.data() + (r + 1) * kept);
  }
  if (places.empty()) return;
  std::fill_n(own->begins.begin(), places.size(), uint8_t{0});
  network_->Step(lane,
                 {.set = set,
                  .rows = static_cast<int64_t>(places.size()),
                  .x = rows_.inputs,
                  .offsets = own->offsets.data(),
                  .begins = own->begins.data(),
                  .state = state.data(),
                  .outputs = own->outputs.data()},
                 SequenceNetwork::kNotKept);
  for (size_t i = 0; i < places.size(); ++i) {
    std::copy_n(own->outputs.data() + i * width, width, outputs + places[i] * width);
  }
}

}  // namespace troupe
