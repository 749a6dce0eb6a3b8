// One network's part of a minibatch on the CPU: its rows are dealt to parts, each with a gradient of its own, which are
// added up in order afterwards. Parts depend on the number of rows alone, so the bits of a step do not depend on who
// computes which part, nor on the number of threads.
//
//   Begin ─► RunPart of every part ─► Sum of every item ─► figures ─► (optimiser) ─► Refresh of every item
//
// RunPart, Sum and Refresh may run at once on any threads for different numbers, each lane (of ComputeThreads()) in one
// call at a time. Memory is kept from step to step.
#ifndef TROUPE_LEARNER_ARITHMETIC_CPU_GRADIENT_ENGINE_H_
#define TROUPE_LEARNER_ARITHMETIC_CPU_GRADIENT_ENGINE_H_

#include <cstdint>
#include <vector>

#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

// Where a network's rows lie: a step is `rows_per_step` neighbouring rows of each set; sets follow one another. Inputs
// may have more steps than masks and fields, which training alone reads.
struct NetworkRows {
  const float* inputs = nullptr;   // [sets, states, rows_per_step, input]
  const uint8_t* masks = nullptr;  // [sets, steps, rows_per_step, output]
  const float* fields = nullptr;   // [sets, steps, rows_per_step, fields per row]
  int64_t states = 0, steps = 0, rows_per_step = 1;
  // Recurrent networks: how steps follow one another, what is remembered where sequences begin (Infer writes it where
  // the plan says that it is found), and, for Infer, where what is remembered last goes; as in arithmetic.h.
  const Timeline* timeline = nullptr;
  float* remembered = nullptr;
  float* remembered_last = nullptr;
};

struct MinibatchTask {
  const int64_t* steps = nullptr;  // numbers of joint steps; null for the first num_steps
  int64_t num_steps = 0;
  const double* denominators = nullptr;  // [sets]
  const uint8_t* stepped = nullptr;      // [sets], 0: nothing of the set is computed; null: all are
  // Recurrent networks: the sequences that the steps are of; null for the first num_sequences.
  const int64_t* sequences = nullptr;
  int64_t num_sequences = 0;
  Objective::Scalars scalars{};
};

class GradientEngine {
 public:
  virtual ~GradientEngine() = default;

  // What the rows and the task point to stays until the figures are taken.
  virtual void Begin(const NetworkRows& rows, const MinibatchTask& task) = 0;
  virtual int64_t num_parts() const = 0;
  virtual void RunPart(int64_t part, int lane) = 0;

  // Adds up the parts' gradients into `gradient` [P], as Parameters() orders it; every item writes a place of its own.
  // A set that is not stepped, and only that, may be left with anything.
  virtual int64_t num_sum_items() const = 0;
  virtual void Sum(int64_t item, float* gradient) = 0;
  // Adds the set's figures to `sums`, not divided.
  virtual void AddFigures(int set, Objective::Figures* sums) const = 0;

  // The parameters have changed.
  virtual int64_t num_refresh_items() const = 0;
  virtual void Refresh(int64_t item) = 0;

  // Outputs of all states, [sets, states, rows_per_step, output], on all threads.
  virtual void Infer(const NetworkRows& rows, float* outputs) = 0;

  // As Arithmetic::Differentiate, on all threads; false of an engine that has no way of its own.
  virtual bool Differentiate(absl::Span<const float> /*inputs*/, int64_t /*rows*/, InputGradient* /*found*/) {
    return false;
  }
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_CPU_GRADIENT_ENGINE_H_
