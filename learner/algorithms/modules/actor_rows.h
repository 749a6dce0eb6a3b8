// A batch as one group's actors train on it: rows arranged by parameter set.
//
// A slot is a place for one agent in a set's row block; sets with fewer agents than others are padded with slots that
// never live. Shared policy: one set, a slot per agent; per-agent policies: a set per agent, one slot each.
#ifndef TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_
#define TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_

#include <functional>
#include <vector>

#include "common/specs/policy_spec.h"
#include "learner/arithmetic/blocks/block_network.h"
#include "learner/arithmetic/gpu/upload_buffers.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/batch/training_batch.h"

namespace troupe {

struct SlotMap {
  static constexpr int kPadding = -1;
  int sets = 1;
  int slots = 1;
  std::vector<int> agent_of;  // [sets, slots], kPadding where there is none

  explicit SlotMap(const PolicySpec& policy);
};

// A run of joint steps (env steps) picked out of the rows, as the network and the losses take them.
struct ActorMinibatch {
  at::Tensor inputs;  // [sets, steps · slots, input]
  at::Tensor masks;   // [sets, steps · slots, actions]
  at::Tensor rows;    // [sets, steps · slots, PolicyRow::kCount]
};

class ActorRows {
 public:
  // Copies what training needs of `batch` (already validated), with advantages 0. With `upload`, the rows lie in its
  // memory, to be read after its Await.
  ActorRows(const PolicySpec& policy, const GroupBatch& batch, int64_t steps, at::Device device,
            UploadBuffers* upload = nullptr);

  // log π(action) under `actor` for [steps, agents], on the host; padding left out. Without gradient.
  std::vector<float> LogProbabilities(const DenseStack& actor) const;
  // The same of `logits`, from inputs [sets, rows, input] to [sets, rows, actions].
  std::vector<float> LogProbabilities(const std::function<at::Tensor(const at::Tensor&)>& logits) const;

  // Fills one column (PolicyRow) from host values [steps, agents].
  void SetColumn(int column, const std::vector<float>& values);

  // The steps listed in `indices` (int64, on the device).
  ActorMinibatch Select(const at::Tensor& indices) const;
  // Steps first … first + count.
  ActorMinibatch Slice(int64_t first, int64_t count) const;

  // All steps, shaped [sets, steps, slots · …].
  ActorMinibatch All() const { return {inputs_, masks_, rows_}; }

  // Living agents of each step.
  const std::vector<int32_t>& living() const { return living_; }
  // Where the rows lie; on the CPU only. What the steps are is left to the caller.
  BlockRows blocks() const;
  const float* fields() const { return rows_.const_data_ptr<float>(); }
  const uint8_t* masks() const { return masks_.const_data_ptr<uint8_t>(); }
  int64_t rows_per_step() const { return static_cast<int64_t>(map_.sets) * map_.slots; }

 private:
  ActorMinibatch Shaped(const at::Tensor& inputs, const at::Tensor& masks, const at::Tensor& rows) const;

  SlotMap map_;
  int64_t steps_, agents_, input_size_, actions_;
  at::Tensor inputs_;  // [sets, steps, slots · input]
  at::Tensor masks_;   // [sets, steps, slots · actions]
  at::Tensor rows_;    // [sets, steps, slots · PolicyRow::kCount]
  std::vector<int32_t> living_;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ALGORITHMS_MODULES_ACTOR_ROWS_H_
