// What the CPU's engines do with gradient steps: the same dense network and the same recurrent one out of blocks and
// through autograd, and a critic that attends over ten agents; on one thread and on all; in rows a second, and whether
// bits are the same.
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
#include "learner/arithmetic/autograd/autograd_sequence.h"
#include "learner/arithmetic/blocks/block_engine.h"
#include "learner/arithmetic/blocks/block_sequence.h"
#include "learner/arithmetic/cpu/host_arithmetic.h"
#include "learner/arithmetic/cpu/sequence_engine.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/objectives/clipped_value.h"

namespace troupe {
namespace {

constexpr int64_t kSteps = 16384;

// Sequences of the recurrent network, side by side.
constexpr int64_t kLength = 10, kColumns = 128;

struct Subject {
  std::string name;
  DenseStackSpec stack;
  HostArithmetic::MakeEngine make_engine;
};

std::vector<Subject> Subjects() {
  const DenseStackSpec dense{.input_size = 155, .hidden_sizes = {256, 256, 128}, .output_size = 9};
  // The published recipe's actor of MPE (arXiv:2103.01955, table 10).
  const DenseStackSpec recurrent{.input_size = 18,
                                 .hidden_sizes = {64, 64},
                                 .output_size = 5,
                                 .activation = Activation::kTanh,
                                 .input_layer_norm = true,
                                 .hidden_layer_norm = true,
                                 .cell = Cell::kGru,
                                 .recurrent_size = 64};
  // Ten agents that see 15 numbers each, and five of the environment's.
  DenseStackSpec attending{.hidden_sizes = {64}, .output_size = 1};
  attending.attention = {.heads = 4, .layers = 1, .token_size = 64, .kinds = {{10, 15}, {1, 5, false}}};
  attending.input_size = attending.attention.input_size();
  const auto autograd = [](const TrainedNetwork& network) -> std::unique_ptr<GradientEngine> {
    const DenseStackSpec stack = network.plan.stack;
    return std::make_unique<AutogradEngine>(
        AutogradEngine::Sizes{.input = stack.input_size,
                              .output = stack.output_size,
                              .tokens = stack.attends() ? stack.attention.num_tokens() : 1},
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
  if (const BlockKernels* kernels = BlockKernelsF32(); kernels != nullptr) {
    subjects.push_back({"GRU 64 over 10 steps, blocks f32", recurrent, [kernels](const TrainedNetwork& network) {
                          return std::make_unique<SequenceEngine>(
                              network.plan,
                              std::make_unique<BlockSequence>(network.plan.stack, kernels,
                                                              network.stack.parameters().const_data_ptr<float>()),
                              network.stack.parameters().const_data_ptr<float>());
                        }});
  }
  subjects.push_back({"GRU 64 over 10 steps, autograd", recurrent, [](const TrainedNetwork& network) {
                        return std::make_unique<SequenceEngine>(
                            network.plan,
                            std::make_unique<AutogradSequence>(network.plan.stack, network.stack.parameters()),
                            network.stack.parameters().const_data_ptr<float>());
                      }});
  subjects.push_back({"attention over 11 tokens, autograd", attending, autograd});
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
    auto timeline = std::make_shared<Timeline>();
    timeline->columns = kColumns;
    timeline->steps = kSteps / kColumns;
    timeline->sequence_length = kLength;
    timeline->begins.assign(kSteps + kColumns, 0);
    arithmetic_.BeginRows(timeline);
    const int64_t width = subject.stack.output_size * ValueRow::kCount;
    const RowMemory memory = arithmetic_.Rows(0, kSteps, kSteps);
    for (int64_t i = 0; i < kSteps * subject.stack.input_size; ++i) {
      memory.inputs[i] = static_cast<float>(random.Normal());
    }
    if (memory.remembered != nullptr) {
      std::fill_n(memory.remembered, timeline->num_sequences() * subject.stack.state_size(), 0.0f);
    }
    arithmetic_.UseRows();
    for (int64_t i = 0; i < kSteps * width; ++i) arithmetic_.fields(0)[i] = i % ValueRow::kCount == 2 ? 1.0f : 0.5f;
    epoch_.minibatches.resize(4);
    epoch_.sequences.resize(4);
    for (int64_t sequence = 0; sequence < timeline->num_sequences(); ++sequence) {
      epoch_.sequences[sequence % 4].push_back(sequence);
      for (int64_t t = 0; t < timeline->Length(sequence); ++t) {
        epoch_.minibatches[sequence % 4].push_back(timeline->FirstStep(sequence) + t * kColumns);
      }
    }
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
