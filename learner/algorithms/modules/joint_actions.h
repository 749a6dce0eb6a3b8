// What all agents do at a joint step as one row of numbers, which a critic of joint actions reads and actors are
// differentiated through. Host code.
//
// Of every agent of every group, in order, N = action_size of its group:
//   continuous actions      the action in [-1, 1], as the environment is given it but for its units
//   discrete actions        one-hot; of multi-discrete ones in each dimension
// and zeros of an agent that is dead. W numbers in all.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_ACTIONS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_ACTIONS_H_

#include <cstdint>
#include <vector>

#include "learner/algorithms/modules/action_values.h"
#include "learner/batch/training_batch.h"

namespace troupe {

// Where each agent's numbers stand.
class JointActionLayout {
 public:
  explicit JointActionLayout(const std::vector<ValuedGroup>& groups);

  int64_t size() const { return size_; }  // W
  int64_t At(const ValuedGroup& group, int64_t agent) const { return first_of_agent_[group.first + agent]; }

 private:
  std::vector<int64_t> first_of_agent_;
  int64_t size_ = 0;
};

// Which of an action's numbers are those of the dimension that number `choice` belongs to: all of a discrete action's.
struct ActionDimension {
  int64_t first = 0, count = 0;
};
ActionDimension DimensionOf(const PolicySpec& policy, int64_t choice);

// Writes what the group did at the first `steps` joint steps of the batch into rows [steps, W].
void WriteRecordedActions(const JointActionLayout& layout, const ValuedGroup& group, const GroupBatch& batch,
                          int64_t steps, float* rows);

// A group at some joint steps: what its actors put out, what is allowed, who lives.
struct ActorOutputs {
  const float* outputs = nullptr;  // [sets, steps, slots, N]
  const uint8_t* masks = nullptr;  // [steps, A, N]; a dimension in which nothing is allowed has no mask
  const uint8_t* alive = nullptr;  // [steps, A]
  int64_t steps = 0;
};

// How actions follow from outputs y.
//   deterministic       tanh(y), and with `deviation` > 0 normal noise of it, clipped to ±clip, the sum to [-1, 1]
//   categorical kinds   one-hot of the largest of z = (y + G) / temperature, G a standard Gumbel number for each: a
//                       sample of softmax(y) (arXiv:1611.01144); differentiated as softmax(z) would be, straight
//                       through
//   epsilon_greedy      the same with G = 0
// With `relaxes_without_noise` softmax(y / temperature) is kept, whatever G was drawn.
// Forbidden actions take no part.
struct ActingRules {
  double temperature = 1;
  double deviation = 0, clip = 0;
  bool relaxes_without_noise = false;
  const uint64_t* keys = nullptr;  // [steps]: what each joint step's noise is drawn with, for each agent a stream of it
};

// Writes the group's actions into rows [steps, W], and to `relaxed` [sets, steps, slots, N] what ActorSlopes needs of
// them: tanh(y), or the softmax.
void WriteActorActions(const JointActionLayout& layout, const ValuedGroup& group, const ActorOutputs& actors,
                       const ActingRules& rules, float* rows, std::vector<float>* relaxed);

// From the slopes of some loss by one agent's action [N] to those by its outputs [N]; from a loss for each choice
// instead, to the slopes of its mean under the softmax.
void ActorSlopes(const PolicySpec& policy, double temperature, const float* relaxed, const float* by_action,
                 float* by_outputs);

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_JOINT_ACTIONS_H_
