// How networks are stepped, whoever asks and whatever for: on the CPU (cpu/host_arithmetic.h) or on a GPU
// (gpu/gpu_arithmetic.h). An algorithm says what each network is trained towards and on which rows; an arithmetic knows
// nothing of actors or critics. select/create_arithmetic.h chooses one. No LibTorch here.
//
//   { BeginRows ─► Rows, fill, SendRows of every network ─► UseRows ─► Infer* ─► fill fields ─► LoadFields of every
//     network ─► RunEpoch* ─► TakeFigures }*          Save, Load, Export, Blend between updates
//
// Recurrent networks are trained along sequences of steps, each from a state that was remembered where it begins; what
// a sequence's steps do to that state is not followed further back.
//
// Where runs_ahead() the rows of the next batch may be made (BeginRows … SendRows) after the last RunEpoch of this one,
// while the device still works on it.
#ifndef TROUPE_LEARNER_ARITHMETIC_ARITHMETIC_H_
#define TROUPE_LEARNER_ARITHMETIC_ARITHMETIC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "common/specs/policy_spec.h"
#include "learner/arithmetic/objectives/objective.h"

namespace troupe {

struct AdamSettings {
  double epsilon = 1e-5;
  double weight_decay = 0;        // added to the gradient, as in Adam's original form (arXiv:1412.6980)
  double max_gradient_norm = 10;  // of each parameter set; 0: no clipping
};

// Parameters of each set that depend on no input: the objective alone sees them (objectives/objective.h). In all else
// they are the set's like any others: gradient norm, optimiser, state, export.
struct FreeParameters {
  std::string name;  // "log_std"
  int64_t size = 0;  // of each set; 0: there are none
  float initial = 0;
};

// A network to be trained. Its rows belong to joint steps: a step has `rows_per_step` neighbouring rows in each of
// stack.num_sets parameter sets. Sets share nothing but the network's name: each has its own loss, gradient norm, and
// step.
struct NetworkPlan {
  std::string name;  // "actor/junction": what its tensors are saved under
  DenseStackSpec stack;
  uint64_t initial_key = 0;  // what its first parameters are drawn with
  int64_t rows_per_step = 1;
  std::shared_ptr<const Objective> objective;  // null: the network is inferred with and never stepped
  AdamSettings optimizer;
  // Recurrent networks: where sequences begin, their states are given, or, with this, of every column the first alone,
  // and Infer finds the others on its way along the column.
  bool finds_states = false;
  FreeParameters free = {};  // come after the stack's, [sets, size]
  // Where the stack communicates: of every place s · rows_per_step + r of a joint step, the places that it hears, in
  // order, at most stack.messages.most_heard; none of a place without an agent.
  std::vector<std::vector<int>> hears = {};
};

// How the joint steps of a batch follow one another: step t of column b is number t · columns + b. What recurrent
// networks need to know of a batch.
struct Timeline {
  int64_t columns = 0;
  int64_t steps = 0;            // of each column
  int64_t sequence_length = 1;  // sequence i of column b, number i · columns + b, begins at step i · sequence_length
  std::vector<uint8_t>
      begins;  // [steps + 1, columns], 1: an episode begins here: whatever is given, nothing is remembered
  std::vector<int64_t> finals;  // states from number (steps + 1) · columns on are what followed these joint steps

  int64_t sequences_per_column() const { return (steps + sequence_length - 1) / sequence_length; }
  int64_t num_sequences() const { return sequences_per_column() * columns; }
  int64_t FirstStep(int64_t sequence) const {
    return sequence / columns * sequence_length * columns + sequence % columns;
  }
  // The last one of a column may be shorter.
  int64_t Length(int64_t sequence) const {
    const int64_t left = steps - sequence / columns * sequence_length;
    return left < sequence_length ? left : sequence_length;
  }
};

// Host memory of one network's rows of a batch, uninitialised. S sets, R rows_per_step.
struct RowMemory {
  float* inputs = nullptr;      // [S, states, R, stack.input_size]
  uint8_t* masks = nullptr;     // [S, steps, R, stack.output_size], 1 = allowed; null where the objective has none
  float* remembered = nullptr;  // [S, sequences, R, stack.state_size()]; null where the network is not recurrent
};

// A pass over an update's joint steps.
struct Epoch {
  struct Network {
    double learning_rate = 0;
    Objective::Scalars scalars{};
    std::vector<double> denominators;  // [minibatches][sets], of the losses, above 0
    std::vector<uint8_t> stepped;      // [sets]; 0: stays as it is throughout; empty: all are stepped
  };
  // Numbers of joint steps; where there is only one minibatch, all steps in order.
  std::vector<std::vector<int64_t>> minibatches;
  // With recurrent networks: the sequences that each minibatch consists of, its steps being theirs.
  std::vector<std::vector<int64_t>> sequences;
  std::vector<Network> networks;  // nothing is read of those without an objective
};

// What a parameter set's steps added up to.
struct SetFigures {
  Objective::Figures sums{};   // over minibatches, each already divided by its denominator
  Objective::Figures first{};  // of the first minibatch
  double gradient_norm = 0;    // over minibatches, before clipping
  double steps = 0;            // minibatches that moved it
  double skipped = 0;          // minibatches left out because loss or gradient was not finite
};

// A network's outputs and how they change with its inputs.
struct InputGradient {
  std::vector<float> outputs;  // [S, rows]
  std::vector<float> slopes;   // [S, rows, stack.input_size]
};

// [networks][sets]
using UpdateFigures = std::vector<std::vector<SetFigures>>;

// Not thread-safe. Networks are numbered in the order of their plans. With several ranks every rank makes the same
// calls, and gradients and figures are sums over all of them. Deterministic: same parameters, rows and calls give the
// same bits on the same kind of machine, whatever the number of threads.
class Arithmetic {
 public:
  virtual ~Arithmetic() = default;

  // For people: "fast f32: float32 in AVX2 blocks".
  virtual std::string description() const = 0;
  // What decides bits, for ranks to agree on: arithmetics of the same name give the same.
  virtual std::string bits() const = 0;

  // Turns to memory for another batch's rows. `timeline` may be null where no network is recurrent.
  virtual void BeginRows(std::shared_ptr<const Timeline> timeline) = 0;
  // Memory for a network's rows: `states` joint steps to infer on, of which the first `steps` are trained on.
  virtual RowMemory Rows(size_t network, int64_t states, int64_t steps) = 0;
  // The memory is filled.
  virtual void SendRows(size_t network) = 0;
  // From here on everything is about the rows sent last.
  virtual void UseRows() = 0;

  // Outputs of all states: [S, states, R, stack.output_size].
  virtual void Infer(size_t network, std::vector<float>* outputs) = 0;
  // After Infer of a network that finds its states: what it remembers after each column's last step, [S, columns, R,
  // stack.state_size()], whether or not an episode ended there.
  virtual const std::vector<float>& RememberedLast(size_t network) const = 0;

  // The free parameters as they are: [S, free.size].
  virtual std::vector<float> Free(size_t network) const = 0;

  // What the rows bring to the loss: [S, steps, R, objective.FieldsPerRow()], to be filled, and kept until the next
  // UseRows.
  virtual float* fields(size_t network) = 0;
  // What was written there counts from here on.
  virtual void LoadFields(size_t network) = 0;

  // A step of every network along each minibatch. Ends early when a rank is lost.
  virtual void RunEpoch(const Epoch& epoch) = 0;
  // What was added up since the last call. Waits for the device.
  virtual UpdateFigures TakeFigures() = 0;

  // Whether steps go on after RunEpoch has returned; then IsBusy says whether they still do.
  virtual bool runs_ahead() const { return false; }
  virtual bool IsBusy() { return false; }

  // The parameters as "PREFIX/NAME", in order.
  virtual std::vector<HostTensor> Export(size_t network, const std::string& prefix) const = 0;
  // Parameters and, of networks with an objective, optimiser as "NAME OF THE PLAN/…", added to `state`.
  virtual void Save(size_t network, std::vector<HostTensor>* state) const = 0;
  // Moves the parameters of `to` by `rate` of the way to those of `from`, a network of the same stack: a target network
  // (rate 1: a copy). On the CPU alone; select/create_arithmetic.h sees to it.
  virtual void Blend(size_t from, size_t to, double rate) = 0;
  // Of a feed-forward network of one output, at `rows` inputs [S, rows, stack.input_size] of each set, which need not
  // be among those sent: what an actor follows through its critic. In float32; on the CPU alone, as Blend.
  virtual InputGradient Differentiate(size_t network, absl::Span<const float> inputs, int64_t rows) = 0;
  // Takes over the tensors of that name, which must have the names, types and shapes that Save gives
  // (modules/state_check.h).
  virtual void Load(size_t network, absl::Span<const HostTensor> state) = 0;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_ARITHMETIC_H_
