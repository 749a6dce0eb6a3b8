#include "learner/arithmetic/blocks/block_step.h"

#include <algorithm>

#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {

template <typename Count, typename Body>
void BlockStep::ForEachItem(Count&& count, Body&& body) {
  int64_t total = 0;
  for (const Network& network : networks_) total += count(network);
  ParallelTasks(total, [&](int lane, int64_t task) {
    size_t n = 0;
    while (task >= count(networks_[n])) task -= count(networks_[n++]);
    body(lane, n, task);
  });
}

size_t BlockStep::Add(const DenseStackSpec& spec, const BlockKernels* kernels, const at::Tensor& parameters) {
  networks_.push_back(
      {BlockNetwork(spec, kernels), parameters.const_data_ptr<float>(), num_parameters_, spec.output_size, {}, {}});
  num_parameters_ += parameters.numel();
  sums_ = at::zeros({num_parameters_ + static_cast<int64_t>(networks_.size()) * kFigures}, at::kFloat);
  return networks_.size() - 1;
}

void BlockStep::Begin(size_t network, const BlockRows& rows, const Objective& objective) {
  Network& begun = networks_[network];
  begun.blocks.Begin(rows, ComputeThreads());
  begun.objective = objective;
  begun.figures_of_part.assign(begun.blocks.num_parts(), {});
}

void BlockStep::Run() {
  ForEachItem([](const Network& network) { return network.blocks.num_parts(); },
              [&](int lane, size_t n, int64_t part) {
                Network& network = networks_[n];
                const Objective& objective = network.objective;
                PolicyLossSums sums{};
                const auto loss = [&](const int64_t* index, int64_t rows, const float* y, float* dy) {
                  if (objective.masks != nullptr) {
                    PolicyLossRows(y, objective.masks, objective.fields, index, rows, network.actions, objective.policy,
                                   dy, &sums);
                  } else {
                    ValueLossRows(y, objective.fields, index, rows, network.actions, objective.value, dy, &sums[0]);
                  }
                };
                network.blocks.RunPart(network.parameters, part, lane, loss);
                network.figures_of_part[part] = sums;
              });
  ForEachItem([](const Network& network) { return network.blocks.num_layers(); },
              [&](int, size_t n, int64_t layer) { networks_[n].blocks.SumLayer(layer, gradient(n)); });
  for (size_t n = 0; n < networks_.size(); ++n) {
    const Objective& objective = networks_[n].objective;
    PolicyLossSums total{};
    for (const PolicyLossSums& sums : networks_[n].figures_of_part) {
      for (size_t i = 0; i < total.size(); ++i) total[i] += sums[i];
    }
    const double denominator = objective.masks != nullptr ? objective.policy.denominator : objective.value.denominator;
    for (size_t i = 0; i < total.size(); ++i) figures(n)[i] = static_cast<float>(total[i] / denominator);
  }
}

void BlockStep::Repack() {
  ForEachItem([](const Network& network) { return network.blocks.num_layers(); },
              [&](int, size_t n, int64_t layer) { networks_[n].blocks.PackLayer(layer, networks_[n].parameters); });
}

void BlockStep::Forward(size_t network, float* y) {
  networks_[network].blocks.Forward(networks_[network].parameters, y);
}

}  // namespace troupe
