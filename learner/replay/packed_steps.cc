#include "learner/replay/packed_steps.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace troupe {
namespace {

template <typename T>
int64_t ElementBytes(const std::vector<T>&) {
  return sizeof(T);
}

void PrefetchBytes(const char* from, int64_t bytes) {
  constexpr int64_t kLine = 64;
  for (int64_t at = 0; at < bytes; at += kLine) __builtin_prefetch(from + at);
}

}  // namespace

template <typename Batch, typename Visit>
void StepPacking::ForEachOfState(Batch& batch, const Visit& visit) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    visit(batch.groups[g].observations, groups_[g].observations);
    visit(batch.groups[g].action_masks, groups_[g].masks);
    visit(batch.groups[g].alive, groups_[g].alive);
  }
  visit(batch.state_extras, extras_);
}

template <typename Batch, typename Visit>
void StepPacking::ForEachOfAct(Batch& batch, const Visit& visit) const {
  for (size_t g = 0; g < groups_.size(); ++g) {
    visit(batch.groups[g].discrete_actions, groups_[g].discrete);
    visit(batch.groups[g].multi_discrete_actions, groups_[g].multi_discrete);
    visit(batch.groups[g].continuous_actions, groups_[g].continuous);
    visit(batch.groups[g].rewards, groups_[g].rewards);
  }
  visit(batch.terminated, int64_t{1});
  visit(batch.truncated, int64_t{1});
}

StepPacking::StepPacking(const TrainingBatch& like) : steps_(like.rollout_length), columns_(like.columns) {
  const int64_t acted = like.env_steps(), seen = acted + columns_;
  const auto width = [](const auto& tensor, int64_t rows) { return static_cast<int64_t>(tensor.size()) / rows; };
  extras_ = width(like.state_extras, seen);
  for (const GroupBatch& group : like.groups) {
    groups_.push_back({width(group.observations, seen), width(group.action_masks, seen), width(group.alive, seen),
                       width(group.discrete_actions, acted), width(group.multi_discrete_actions, acted),
                       width(group.continuous_actions, acted), width(group.rewards, acted)});
    agents_ += groups_.back().rewards;
  }
  for (size_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    lives_at_.push_back(state_bytes_ + group.observations * static_cast<int64_t>(sizeof(float)) + group.masks);
    state_bytes_ = lives_at_.back() + group.alive;
    rewards_at_.push_back(act_bytes_ + (group.discrete + group.multi_discrete + group.continuous) *
                                           static_cast<int64_t>(sizeof(float)));
    act_bytes_ = rewards_at_.back() + group.rewards * static_cast<int64_t>(sizeof(float));
  }
  state_bytes_ += extras_ * static_cast<int64_t>(sizeof(float));
  act_bytes_ += 2;
  acts_at_ = seen * state_bytes_;
}

std::vector<char> StepPacking::Pack(const TrainingBatch& batch) const {
  std::vector<char> packed(acts_at_ + batch.env_steps() * act_bytes_);
  // Tensor by tensor: `rows` rows of every column, each `stride` bytes from the next.
  const auto pack = [&](int64_t begin, int64_t rows, int64_t stride, const auto& for_each) {
    int64_t in_row = 0;
    for_each([&](const auto& tensor, int64_t width) {
      const int64_t bytes = width * ElementBytes(tensor);
      const char* const from = reinterpret_cast<const char*>(tensor.data());
      for (int64_t t = 0; t < rows && bytes > 0; ++t) {
        for (int64_t b = 0; b < columns_; ++b) {
          std::memcpy(packed.data() + begin + (b * rows + t) * stride + in_row, from + (t * columns_ + b) * bytes,
                      bytes);
        }
      }
      in_row += bytes;
    });
  };
  pack(0, steps_ + 1, state_bytes_, [&](const auto& visit) { ForEachOfState(batch, visit); });
  pack(acts_at_, steps_, act_bytes_, [&](const auto& visit) { ForEachOfAct(batch, visit); });
  return packed;
}

TrainingBatch StepPacking::Rest(const TrainingBatch& batch) {
  TrainingBatch rest;
  rest.rollout_length = batch.rollout_length;
  rest.columns = batch.columns;
  rest.policy_versions = batch.policy_versions;
  rest.streams = batch.streams;
  rest.groups.resize(batch.groups.size());
  const auto copy = [](const TrajectoryField& field, const auto& from, auto& to) {
    if (field.rows != FieldRows::kSteps && field.rows != FieldRows::kObserved) to = from;
  };
  ForEachField(copy, batch, rest);
  for (size_t g = 0; g < batch.groups.size(); ++g) ForEachField(copy, batch.groups[g], rest.groups[g]);
  return rest;
}

TrainingBatch StepPacking::MakeBatch(int steps, int64_t columns) const {
  TrainingBatch batch;
  batch.rollout_length = steps;
  batch.columns = static_cast<int>(columns);
  batch.groups.resize(groups_.size());
  ForEachOfState(batch, [&](auto& tensor, int64_t width) { tensor.resize((steps + 1) * columns * width); });
  ForEachOfAct(batch, [&](auto& tensor, int64_t width) { tensor.resize(steps * columns * width); });
  return batch;
}

namespace {

// Reads rows that lie one after another.
class RowReader {
 public:
  RowReader(const char* from, int64_t to_row) : from_(from), to_row_(to_row) {}
  template <typename T>
  void operator()(std::vector<T>& tensor, int64_t width) {
    const int64_t bytes = width * static_cast<int64_t>(sizeof(T));
    if (bytes > 0) std::memcpy(tensor.data() + to_row_ * width, from_, bytes);
    from_ += bytes;
  }

 private:
  const char* from_;
  int64_t to_row_;
};

}  // namespace

void StepPacking::CopyState(const std::vector<char>& packed, int step, int column, int64_t to_row,
                            TrainingBatch* to) const {
  RowReader reader(State(packed, step, column), to_row);
  ForEachOfState(*to, [&](auto& tensor, int64_t width) { reader(tensor, width); });
}

void StepPacking::CopyAct(const std::vector<char>& packed, int step, int column, int64_t to_row,
                          TrainingBatch* to) const {
  RowReader reader(Act(packed, step, column), to_row);
  ForEachOfAct(*to, [&](auto& tensor, int64_t width) { reader(tensor, width); });
}

void StepPacking::CopyFinal(const TrainingBatch& batch, int64_t number, int64_t to_row, TrainingBatch* to) const {
  // What batches of an algorithm do not carry stays as it is.
  const auto copy = [&](const auto& from, int64_t width, auto* into) {
    if (!from.empty()) std::copy_n(from.begin() + number * width, width, into->begin() + to_row * width);
  };
  copy(batch.final_state_extras, extras_, &to->state_extras);
  for (size_t g = 0; g < groups_.size(); ++g) {
    copy(batch.groups[g].final_observations, groups_[g].observations, &to->groups[g].observations);
    copy(batch.groups[g].final_action_masks, groups_[g].masks, &to->groups[g].action_masks);
    copy(batch.groups[g].final_alive, groups_[g].alive, &to->groups[g].alive);
  }
}

bool StepPacking::terminated(const std::vector<char>& packed, int step, int column) const {
  return Act(packed, step, column)[act_bytes_ - 2] != 0;
}

bool StepPacking::truncated(const std::vector<char>& packed, int step, int column) const {
  return Act(packed, step, column)[act_bytes_ - 1] != 0;
}

void StepPacking::ReadRewards(const std::vector<char>& packed, int step, int column, float* rewards) const {
  const char* const act = Act(packed, step, column);
  for (size_t g = 0; g < groups_.size(); ++g) {
    std::memcpy(rewards, act + rewards_at_[g], groups_[g].rewards * sizeof(float));
    rewards += groups_[g].rewards;
  }
}

double StepPacking::TeamReward(const std::vector<char>& packed, int step, int column, const float* rewards,
                               troupe::TeamReward team) const {
  const char* const state = State(packed, step, column);
  double sum = 0;
  int64_t paid = 0;
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (int64_t a = 0; a < groups_[g].rewards; ++a, ++rewards) {
      if (team == MEAN_LIVING && state[lives_at_[g] + a] == 0) continue;
      sum += *rewards;
      ++paid;
    }
  }
  return team == SUM ? sum : sum / static_cast<double>(std::max<int64_t>(1, paid));
}

void StepPacking::Prefetch(const std::vector<char>& packed, int step, int column) const {
  PrefetchBytes(State(packed, step, column), 2 * state_bytes_);
  PrefetchBytes(Act(packed, step, column), act_bytes_);
}

}  // namespace troupe
