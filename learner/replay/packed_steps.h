// A batch's steps in one piece of memory, a column's after one another, so that what a joint step saw and what followed
// it lie side by side: a sample of a large replay then waits for few places of memory instead of one for every tensor.
//
//   states  [B, T+1]  of each: every group's observations, action masks, who lives; the extras
//   acts    [B, T]    of each: every group's actions and rewards; whether the episode terminated or was truncated
//
// Numbers lie without gaps, as many bytes as the batch's own tensors. Final states, network states and streams are not
// of single steps and stay with the batch.
#ifndef TROUPE_LEARNER_REPLAY_PACKED_STEPS_H_
#define TROUPE_LEARNER_REPLAY_PACKED_STEPS_H_

#include <cstdint>
#include <vector>

#include "learner/batch/training_batch.h"
#include "proto/experiment.pb.h"

namespace troupe {

// How batches of one shape are packed. Row t of column b is numbered b · (T + 1) + t among states, b · T + t among
// acts.
class StepPacking {
 public:
  explicit StepPacking(const TrainingBatch& like);
  bool operator==(const StepPacking&) const = default;

  std::vector<char> Pack(const TrainingBatch& batch) const;
  // What Pack does not take.
  static TrainingBatch Rest(const TrainingBatch& batch);

  // Room for `columns` columns of `steps` steps, zeros; nothing of final states and network states.
  TrainingBatch MakeBatch(int steps, int64_t columns) const;

  // Writes a state, or an act, as row `to_row` of tensors of such a batch.
  void CopyState(const std::vector<char>& packed, int step, int column, int64_t to_row, TrainingBatch* to) const;
  void CopyAct(const std::vector<char>& packed, int step, int column, int64_t to_row, TrainingBatch* to) const;
  // A final state of a batch, from its own tensors, as row `to_row` of observed ones.
  void CopyFinal(const TrainingBatch& batch, int64_t number, int64_t to_row, TrainingBatch* to) const;

  bool terminated(const std::vector<char>& packed, int step, int column) const;
  bool truncated(const std::vector<char>& packed, int step, int column) const;
  // The reward of each agent, of all groups in order: [agents].
  void ReadRewards(const std::vector<char>& packed, int step, int column, float* rewards) const;
  // What the team is paid; `rewards` [agents] are the step's.
  double TeamReward(const std::vector<char>& packed, int step, int column, const float* rewards,
                    troupe::TeamReward team) const;
  int64_t num_agents() const { return agents_; }

  // Brings nearer to the processor what a joint step and the state after it are read from.
  void Prefetch(const std::vector<char>& packed, int step, int column) const;

 private:
  struct Group {
    // Elements of a row.
    int64_t observations = 0, masks = 0, alive = 0, discrete = 0, multi_discrete = 0, continuous = 0, rewards = 0;
    bool operator==(const Group&) const = default;
  };
  const char* State(const std::vector<char>& packed, int step, int column) const {
    return packed.data() + (int64_t{column} * (steps_ + 1) + step) * state_bytes_;
  }
  const char* Act(const std::vector<char>& packed, int step, int column) const {
    return packed.data() + acts_at_ + (int64_t{column} * steps_ + step) * act_bytes_;
  }
  // Calls visit(tensor of `batch`, elements of a row) for each that a state, or an act, consists of, in order.
  template <typename Batch, typename Visit>
  void ForEachOfState(Batch& batch, const Visit& visit) const;
  template <typename Batch, typename Visit>
  void ForEachOfAct(Batch& batch, const Visit& visit) const;

  int steps_ = 0, columns_ = 0;
  int64_t extras_ = 0, agents_ = 0;
  std::vector<Group> groups_;
  int64_t state_bytes_ = 0, act_bytes_ = 0;
  int64_t acts_at_ = 0;                         // where acts begin
  std::vector<int64_t> rewards_at_, lives_at_;  // of every group, in an act and in a state
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_PACKED_STEPS_H_
