// A recurrent network's steps forward and gradients backward in time, over one block of rows: what sequence_engine.h
// walks along sequences with. H as in common/specs/policy_spec.h; D its state_size(), M outputs.
//
// A set's own gradient is in an order of the implementation's; SumLayer makes the parameters' of it.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_NETWORK_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_NETWORK_H_

#include <cstdint>

namespace troupe {

// Most rows of a block.
inline constexpr int64_t kSequenceRows = 128;

// Lanes may compute at once on different threads, each lane in one call at a time; Refresh meets none of them.
class SequenceNetwork {
 public:
  // Of `rows` ≤ kSequenceRows rows of one set.
  struct StepCall {
    int64_t set = 0;
    int64_t rows = 0;
    const float* x = nullptr;          // row r of the input lies at x + offsets[r]
    const int64_t* offsets = nullptr;  // [rows]
    const uint8_t* begins = nullptr;   // [rows], 1: nothing is remembered before this step
    float* state = nullptr;            // [rows, D], read and replaced
    float* outputs = nullptr;          // [rows, M]
  };
  static constexpr int64_t kNotKept = -1;

  virtual ~SequenceNetwork() = default;

  // Memory for lanes [0, lanes), each of which may keep `steps` steps.
  virtual void Prepare(int lanes, int64_t steps) = 0;
  // `keep`: 0, 1, 2, … in order along a sequence, for Backward; or kNotKept.
  virtual void Step(int lane, const StepCall& call, int64_t keep) = 0;
  // The gradient of the steps kept, `steps` of them, from `slopes` [steps, rows, M] by their outputs: written to the
  // set's own gradient, or with `add` added to it. What follows the last step does not count.
  virtual void Backward(int lane, int64_t set, int64_t rows, int64_t steps, const float* slopes, bool add,
                        float* set_gradient) = 0;

  virtual int64_t set_gradient_size() const = 0;
  virtual int64_t num_layers() const = 0;
  // Writes a layer of the set into all sets' gradient [P]: the sum of `count` of the set's own, in order.
  virtual void SumLayer(int64_t set, int64_t layer, float* const* set_gradients, int64_t count, float* gradient) = 0;
  // The parameters of a layer of the set have changed.
  virtual void Refresh(int64_t set, int64_t layer) = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_SEQUENCE_NETWORK_H_
