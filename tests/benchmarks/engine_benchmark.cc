// What the CPU's engines do with gradient steps: the same dense network out of blocks and through autograd, and a
// recurrent one that autograd alone covers, on one thread and on all; in rows a second, and whether bits are the same.
//
//   engine_benchmark [--rounds=N]        medians over N rounds (5), everything in turn
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/random.h"
#include "learner/arithmetic/autograd/autograd_engine.h"
#include "learner/arithmetic/blocks/block_engine.h"
#include "learner/arithmetic/cpu/host_arithmetic.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/objectives/clipped_value.h"

namespace troupe {
namespace {

constexpr int64_t kSteps = 16384;

// A gated recurrent unit (arXiv:1406.1078) over sequences of kLength, and a linear layer on every state. It takes the
// flat parameters of a dense stack that has at least as many, and leaves the rest alone: [inputs + hidden, 3 · hidden],
// [3 · hidden], [hidden, outputs], [outputs].
constexpr int64_t kLength = 10, kObserved = 17, kHidden = 64, kActions = 4;
at::Tensor GatedRecurrentUnit(const at::Tensor& flat, const at::Tensor& rows) {
  int64_t offset = 0;
  const auto take = [&](at::IntArrayRef sizes) {
    const int64_t size = c10::multiply_integers(sizes);
    offset += size;
    return flat.narrow(0, offset - size, size).view(sizes);
  };
  const at::Tensor input = take({kObserved, 3 * kHidden}), state = take({kHidden, 3 * kHidden}),
                   bias = take({3 * kHidden}), output = take({kHidden, kActions}), output_bias = take({kActions});
  const int64_t count = rows.size(1);
  const at::Tensor x = at::addmm(bias, rows.view({count * kLength, kObserved}), input).view({count, kLength, -1});
  at::Tensor h = at::zeros({count, kHidden});
  std::vector<at::Tensor> states;
  for (int64_t t = 0; t < kLength; ++t) {
    const at::Tensor now = x.select(1, t), recurrent = at::mm(h, state);
    const at::Tensor reset = at::sigmoid(now.narrow(1, 0, kHidden) + recurrent.narrow(1, 0, kHidden));
    const at::Tensor update = at::sigmoid(now.narrow(1, kHidden, kHidden) + recurrent.narrow(1, kHidden, kHidden));
    const at::Tensor proposal =
        at::tanh(now.narrow(1, 2 * kHidden, kHidden) + reset * recurrent.narrow(1, 2 * kHidden, kHidden));
    h = update * h + (1 - update) * proposal;
    states.push_back(h);
  }
  const at::Tensor all = at::stack(states, 1).view({count * kLength, kHidden});
  return at::addmm(output_bias, all, output).view({1, count, kLength * kActions});
}

struct Subject {
  std::string name;
  DenseStackSpec stack;
  HostArithmetic::MakeEngine make_engine;
};

std::vector<Subject> Subjects() {
  const DenseStackSpec dense{.input_size = 155, .hidden_sizes = {256, 256, 128}, .output_size = 9};
  // The sizes of the recurrent network's rows, and parameters enough for it.
  const DenseStackSpec recurrent{.input_size = static_cast<int>(kLength * kObserved),
                                 .hidden_sizes = {96},
                                 .output_size = static_cast<int>(kLength * kActions)};
  const auto autograd = [](const TrainedNetwork& network) -> std::unique_ptr<GradientEngine> {
    const DenseStackSpec stack = network.plan.stack;
    return std::make_unique<AutogradEngine>(
        AutogradEngine::Sizes{1, stack.input_size, stack.output_size},
        [stack](const at::Tensor& parameters, const at::Tensor& rows) {
          return ForwardReference(stack, parameters, rows);
        },
        network.plan.objective, network.stack.parameters());
  };
  std::vector<Subject> subjects = {{"dense, autograd", dense, autograd}};
  if (const BlockKernels* kernels = BlockKernelsF32(); kernels != nullptr) {
    subjects.insert(subjects.begin(), {"dense, blocks f32", dense, [kernels](const TrainedNetwork& network) {
                                         return std::make_unique<BlockEngine>(
                                             network.plan.stack, kernels, network.plan.objective,
                                             network.stack.parameters().const_data_ptr<float>());
                                       }});
  }
  subjects.push_back({"GRU 64 over 10 steps, autograd", recurrent, [](const TrainedNetwork& network) {
                        return std::make_unique<AutogradEngine>(
                            AutogradEngine::Sizes{1, kLength * kObserved, kLength * kActions}, GatedRecurrentUnit,
                            network.plan.objective, network.stack.parameters());
                      }});
  return subjects;
}

double Seconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

class Trainer {
 public:
  explicit Trainer(const Subject& subject)
      : arithmetic_({{.name = "network",
                      .stack = subject.stack,
                      .initial_key = 3,
                      .objective = std::make_shared<ClippedValueObjective>(ValueLossSettings{})}},
                    subject.make_engine, "", "", &alone_) {
    RandomStream random(5);
    const int64_t width = subject.stack.output_size * ValueRow::kCount;
    const RowMemory memory = arithmetic_.Rows(0, kSteps, kSteps);
    for (int64_t i = 0; i < kSteps * subject.stack.input_size; ++i) {
      memory.inputs[i] = static_cast<float>(random.Normal());
    }
    arithmetic_.UseRows();
    for (int64_t i = 0; i < kSteps * width; ++i) arithmetic_.fields(0)[i] = i % ValueRow::kCount == 2 ? 1.0f : 0.5f;
    epoch_.minibatches.resize(4);
    for (int64_t step = 0; step < kSteps; ++step) epoch_.minibatches[step % 4].push_back(step);
    epoch_.networks = {{.learning_rate = 1e-4, .denominators = std::vector<double>(4, kSteps / 4.0)}};
  }

  // Rows a second of one epoch.
  double Run() {
    const double began = Seconds();
    arithmetic_.RunEpoch(epoch_);
    return kSteps / (Seconds() - began);
  }
  std::vector<HostTensor> Parameters() { return arithmetic_.Export(0, "network"); }

 private:
  SingleRank alone_;
  HostArithmetic arithmetic_;
  Epoch epoch_;
};

void Run(int rounds) {
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::map<std::string, std::map<int, std::vector<double>>> rates;
  const std::vector<Subject> subjects = Subjects();
  for (int round = 0; round < rounds; ++round) {
    for (const Subject& subject : subjects) {
      std::vector<HostTensor> of_one;
      for (const int lanes : {1, threads}) {
        SetComputeThreads(lanes);
        Trainer trainer(subject);
        trainer.Run();
        rates[subject.name][lanes].push_back(trainer.Run());
        if (lanes == 1) of_one = trainer.Parameters();
        if (lanes != 1 && trainer.Parameters() != of_one) {
          std::fprintf(stderr, "%s: other bits on %d threads\n", subject.name.c_str(), lanes);
          std::exit(1);
        }
      }
    }
  }
  std::printf("%-34s %14s %14s %8s\n", "rows a second, one gradient step each", "1 thread",
              (std::to_string(threads) + " threads").c_str(), "times");
  for (const Subject& subject : subjects) {
    const auto median = [&](int lanes) {
      std::vector<double>& all = rates[subject.name][lanes];
      std::sort(all.begin(), all.end());
      return all[all.size() / 2];
    };
    const double one = median(1), several = median(threads);
    std::printf("%-34s %14.0f %14.0f %8.2f\n", subject.name.c_str(), one, several, several / one);
  }
  std::printf("bits are the same on any number of threads\n");
}

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  int rounds = 5;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--rounds=", 9) == 0) {
      rounds = std::max(1, std::atoi(argv[i] + 9));
    } else {
      std::fprintf(stderr, "%s: not a flag of this benchmark\n", argv[i]);
      return 2;
    }
  }
  troupe::Run(rounds);
}
