// A network with what stepping it needs, wherever its tensors lie.
#ifndef TROUPE_LEARNER_ARITHMETIC_NETWORKS_TRAINED_NETWORK_H_
#define TROUPE_LEARNER_ARITHMETIC_NETWORKS_TRAINED_NETWORK_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/base/host_tensor.h"
#include "learner/arithmetic/arithmetic.h"
#include "learner/arithmetic/networks/dense_stack.h"
#include "learner/arithmetic/networks/flat_adam.h"

namespace troupe {

// Not thread-safe.
struct TrainedNetwork {
  TrainedNetwork(NetworkPlan plan, at::Device device);

  int64_t num_sets() const { return plan.stack.num_sets; }
  int64_t outputs() const { return plan.stack.output_size; }
  bool is_stepped() const { return plan.objective != nullptr; }
  int64_t fields_per_row() const { return is_stepped() ? plan.objective->FieldsPerRow(plan.stack.output_size) : 0; }
  int num_figures() const { return is_stepped() ? plan.objective->num_figures() : 0; }

  // What of a flat tensor [P] is the free parameters', [sets, size]; undefined where there are none.
  at::Tensor FreePart(const at::Tensor& flat) const;

  // As Arithmetic's.
  std::vector<float> Free() const;
  std::vector<HostTensor> Export(const std::string& prefix) const { return stack.Export(prefix); }
  void Save(std::vector<HostTensor>* state) const;
  void Load(absl::Span<const HostTensor> state);

  NetworkPlan plan;
  DenseStack stack;
  FlatAdam optimizer;
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_ARITHMETIC_NETWORKS_TRAINED_NETWORK_H_
