// Ranks that share a batch learn what a learner by itself learns from all of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "learner/torch/torch_headers.h"
#include "tests/algorithms/batch_builder.h"
#include "tests/algorithms/trained.h"
#include "tests/support/thread_ranks.h"

namespace troupe {
namespace {

constexpr int kSteps = 12, kColumns = 6, kUpdates = 3;

absl::Span<float> FloatsOf(at::Tensor* tensor) {
  return {tensor->data_ptr<float>(), static_cast<size_t>(tensor->numel())};
}

// Columns first … first + count of a [rows, columns, size] array.
template <typename T>
std::vector<T> CutColumns(const std::vector<T>& all, int columns, int first, int count) {
  if (all.empty()) return {};
  const size_t rows = columns * (kSteps + (all.size() % (columns * (kSteps + 1)) == 0 ? 1 : 0));
  const size_t size = all.size() / rows;
  std::vector<T> cut;
  for (size_t row = 0; row * columns * size < all.size(); ++row) {
    const auto begin = all.begin() + (row * columns + first) * size;
    cut.insert(cut.end(), begin, begin + count * size);
  }
  return cut;
}

// What a rank would hold of `all`.
TrainingBatch Cut(const EnvironmentSpec& environment, const TrainingBatch& all, int first, int count) {
  TrainingBatch batch = EmptyBatch(environment, kSteps, count);
  const auto cut = [&](auto& to, const auto& from) {
    const size_t expected = to.size();
    to = CutColumns(from, all.columns, first, count);
    ASSERT_EQ(to.size(), expected);
  };
  cut(batch.state_extras, all.state_extras);
  cut(batch.terminated, all.terminated);
  cut(batch.truncated, all.truncated);
  for (size_t g = 0; g < all.groups.size(); ++g) {
    const GroupBatch& from = all.groups[g];
    GroupBatch& to = batch.groups[g];
    cut(to.observations, from.observations);
    cut(to.discrete_actions, from.discrete_actions);
    cut(to.continuous_actions, from.continuous_actions);
    cut(to.log_probabilities, from.log_probabilities);
    cut(to.rewards, from.rewards);
    cut(to.action_masks, from.action_masks);
    cut(to.alive, from.alive);
  }
  const size_t episodes = all.truncated_at.size() / 2;
  for (size_t k = 0; k < episodes; ++k) {
    const int column = all.truncated_at[2 * k + 1] - first;
    if (column < 0 || column >= count) continue;
    const auto append = [&](const std::vector<float>& from, std::vector<float>* to) {
      const size_t size = from.size() / episodes;
      to->insert(to->end(), from.begin() + k * size, from.begin() + (k + 1) * size);
    };
    batch.truncated_at.insert(batch.truncated_at.end(), {all.truncated_at[2 * k], column});
    append(all.final_state_extras, &batch.final_state_extras);
    for (size_t g = 0; g < all.groups.size(); ++g) {
      append(all.groups[g].final_observations, &batch.groups[g].final_observations);
    }
  }
  return batch;
}

TrainingBatch WholeBatch(const AlgorithmContext& context, uint64_t update) {
  return RandomBatch(context.environment, kSteps, kColumns, 100 + update);
}

Trained Train(const AlgorithmContext& context, int first, int count) {
  const std::unique_ptr<Algorithm> algorithm = CreateAlgorithm(context).value();
  return TrainOn(algorithm.get(), kUpdates, kSteps * kColumns,
                 [&](uint64_t update) { return Cut(context.environment, WholeBatch(context, update), first, count); });
}

std::vector<double> Numbers(const HostTensor& tensor) {
  if (tensor.data_type == DataType::kFloat32) return {tensor.floats(), tensor.floats() + tensor.num_elements()};
  std::vector<double> numbers(tensor.num_elements());
  std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
  return numbers;
}

// The largest difference anywhere in the state, as a part of the tensor's largest entry.
double LargestDifference(const std::vector<HostTensor>& state, const std::vector<HostTensor>& expected) {
  EXPECT_EQ(state.size(), expected.size());
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(state[i].name, expected[i].name);
    const std::vector<double> came = Numbers(state[i]), wanted = Numbers(expected[i]);
    double scale = 1e-6, difference = 0;
    for (size_t j = 0; j < wanted.size(); ++j) {
      scale = std::max(scale, std::fabs(wanted[j]));
      difference = std::max(difference, std::fabs(wanted[j] - came[j]));
    }
    largest = std::max(largest, difference / scale);
  }
  return largest;
}

// name of the case; settings; columns of each rank
struct Case {
  std::string name;
  std::string settings;
  std::vector<int> columns;
  AgentGroupSpec lights = DiscreteGroup("lights", 2, 7, 3);
};

class DataParallel : public ::testing::TestWithParam<Case> {};

void ExpectRanksToLearnWhatOneLearns(const Case& what, bool device_steps) {
  AlgorithmContext context = MakeContext(what.settings, {DiscreteGroup("cars", 3, 5, 4), what.lights}, 2);
  context.arithmetic.overrides.gpu_on_cpu = device_steps;
  const Trained alone = Train(context, 0, kColumns);
  const std::vector<int>& columns = what.columns;
  std::vector<Trained> parts(columns.size());
  RunRanks(
      static_cast<int>(columns.size()),
      [&](std::shared_ptr<ThreadRank> ranks) {
        AlgorithmContext own = context;
        own.ranks = ranks;
        int first = 0;
        for (int rank = 0; rank < ranks->rank(); ++rank) first += columns[rank];
        parts[ranks->rank()] = Train(own, first, columns[ranks->rank()]);
      },
      FloatsOf);
  for (const Trained& part : parts) {
    EXPECT_EQ(part.state, parts[0].state);
    EXPECT_EQ(part.statistics, parts[0].statistics);
  }
  // Sums of some hundred float32 terms taken in another order differ by about 1e-6 of their size. Adam divides by the
  // gradient's own size, which carries that to the steps; 3 updates × 9 … 216 steps add them up.
  EXPECT_LT(LargestDifference(parts[0].state, alone.state), 1e-4);
  for (const auto& [name, value] : alone.statistics) {
    EXPECT_NEAR(parts[0].statistics.at(name), value, 1e-4 * std::max(1.0, std::fabs(value))) << name;
  }
  EXPECT_EQ(parts[0].statistics.at("epochs"), alone.statistics.at("epochs"));
}

TEST_P(DataParallel, LearnsWhatALearnerByItselfLearns) { ExpectRanksToLearnWhatOneLearns(GetParam(), false); }

TEST_P(DataParallel, LearnsWhatALearnerByItselfLearnsInAGpusSteps) {
  ExpectRanksToLearnWhatOneLearns(GetParam(), true);
}

constexpr char kNetworks[] = "policy { hidden_sizes: [16] } critic { hidden_sizes: [16] ";

std::string Settings(const std::string& critic, const std::string& ppo) {
  return kNetworks + critic + "} ppo { epochs: 3 actor_learning_rate: 0.003 critic_learning_rate: 0.003 " + ppo + "} ";
}

INSTANTIATE_TEST_SUITE_P(
    All, DataParallel,
    ::testing::Values(
        Case{"WholeBatch", Settings("", ""), {3, 3}}, Case{"Minibatches", Settings("", "minibatch_size: 24"), {3, 3}},
        Case{"UnequalShares", Settings("", "minibatch_size: 24"), {1, 3, 2}},
        // 72 minibatches of one step: most ranks hold nothing of most of them.
        Case{"EmptyMinibatches", Settings("", "minibatch_size: 1"), {4, 1, 1}},
        Case{"AHeadForEachAgent", Settings("heads: EACH_AGENT", "minibatch_size: 24"), {3, 3}},
        Case{"LocalCritics", Settings("input: LOCAL_OBSERVATION heads: EACH_AGENT", "minibatch_size: 24"), {2, 4}},
        Case{"AdvantagesNormalizedPerAgent",
             Settings("heads: EACH_AGENT", "minibatch_size: 24 advantage_normalization_per_agent: true"),
             {3, 3}},
        Case{"NothingNormalized",
             Settings("", "minibatch_size: 24 advantage_normalization: false value_normalization: false"),
             {3, 3}},
        Case{"ClippedGradients", Settings("", "minibatch_size: 24 max_gradient_norm: 0.05"), {3, 3}},
        Case{"EarlyStop", Settings("", "minibatch_size: 24 target_kl: 0.0005"), {3, 3}},
        Case{"VTrace", Settings("", "minibatch_size: 24 lag_correction: V_TRACE"), {3, 3}},
        Case{"Decoupled", Settings("", "minibatch_size: 24 lag_correction: DECOUPLED"), {3, 3}},
        Case{"Gaussians", Settings("", "minibatch_size: 24"), {2, 4}, ContinuousGroup("lights", 2, 7, 3)}),
    [](const auto& info) { return info.param.name; });

TEST(DataParallelFailure, EndsTheUpdateWithTheGroupsStatus) {
  const AlgorithmContext context = MakeContext(Settings("", "minibatch_size: 24"), {DiscreteGroup("cars", 3, 5, 4)}, 2);
  for (const int calls : {1, 5, 8}) {
    RunRanks(
        2,
        [&](std::shared_ptr<ThreadRank> ranks) {
          ranks->FailAfter(calls);
          AlgorithmContext own = context;
          own.ranks = ranks;
          const auto statistics = CreateAlgorithm(own).value()->Update(
              Cut(context.environment, WholeBatch(context, 0), 3 * ranks->rank(), 3), {.total_env_steps = 720});
          EXPECT_EQ(statistics.status().code(), absl::StatusCode::kUnavailable) << calls;
        },
        FloatsOf);
  }
}

TEST(DataParallelFailure, AStepThatIsNotFiniteAnywhereIsSkippedEverywhere) {
  const AlgorithmContext context = MakeContext(Settings("", ""), {DiscreteGroup("cars", 3, 5, 4)}, 2);
  RunRanks(
      2,
      [&](std::shared_ptr<ThreadRank> ranks) {
        AlgorithmContext own = context;
        own.ranks = ranks;
        const std::unique_ptr<Algorithm> algorithm = CreateAlgorithm(own).value();
        const std::vector<HostTensor> before = algorithm->SaveState();
        TrainingBatch batch = Cut(context.environment, WholeBatch(context, 0), 3 * ranks->rank(), 3);
        if (ranks->rank() == 1) batch.groups[0].rewards[0] = std::nanf("");
        const auto statistics = algorithm->Update(batch, {.total_env_steps = 720});
        ASSERT_TRUE(statistics.ok());
        const std::map<std::string, double> named(statistics->values.begin(), statistics->values.end());
        EXPECT_EQ(named.at("skipped_minibatches"), 3);
        EXPECT_EQ(algorithm->SaveState(), before);
      },
      FloatsOf);
}

}  // namespace
}  // namespace troupe
