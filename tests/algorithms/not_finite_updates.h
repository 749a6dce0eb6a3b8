// What every algorithm does about losses and gradients that are not finite, and about what the run then asks of it.
#ifndef TROUPE_TESTS_ALGORITHMS_NOT_FINITE_UPDATES_H_
#define TROUPE_TESTS_ALGORITHMS_NOT_FINITE_UPDATES_H_

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "learner/algorithms/algorithm.h"

namespace troupe {

// An algorithm that has done nothing yet, and what its update number 0, 1, … is made with.
struct GuardedLearner {
  std::unique_ptr<Algorithm> algorithm;
  std::function<TrainingBatch(uint64_t update)> batch_of;
  std::function<UpdateProgress(uint64_t update)> progress_at;

  // Trains on `batch` and returns the update's figures.
  std::map<std::string, double> Update(const TrainingBatch& batch, const UpdateProgress& progress) const {
    const auto done = algorithm->Update(batch, progress);
    EXPECT_TRUE(done.ok()) << done.status();
    if (!done.ok()) return {};
    return {done->values.begin(), done->values.end()};
  }
  // Updates first … last − 1.
  void Train(uint64_t first, uint64_t last) const {
    for (uint64_t update = first; update < last; ++update) Update(batch_of(update), progress_at(update));
  }
};

// `batch`: without an episode's end.
inline void ExpectANanMovesNothing(const GuardedLearner& learner, TrainingBatch batch) {
  learner.Train(0, 1);
  const std::vector<HostTensor> before = learner.algorithm->SaveState();
  for (GroupBatch& group : batch.groups) {
    for (float& reward : group.rewards) reward = std::numeric_limits<float>::quiet_NaN();
  }
  EXPECT_GT(learner.Update(batch, learner.progress_at(1)).at("skipped_minibatches"), 0);
  EXPECT_EQ(learner.algorithm->SaveState(), before);
  learner.Train(1, 2);
  EXPECT_NE(learner.algorithm->SaveState(), before) << "and it goes on from there";
}

// Whatever loss overflows: others that do not may move their networks.
inline void ExpectHugeRewardsLeaveAllFinite(const GuardedLearner& learner) {
  learner.Train(0, 1);
  double skipped = 0;
  for (uint64_t update = 1; update < 4; ++update) {
    TrainingBatch batch = learner.batch_of(update);
    for (GroupBatch& group : batch.groups) {
      for (size_t i = 0; i < group.rewards.size(); i += 3) group.rewards[i] = 3e38f;
    }
    skipped += learner.Update(batch, learner.progress_at(update)).at("skipped_minibatches");
  }
  EXPECT_GT(skipped, 0);
  for (const HostTensor& tensor : learner.algorithm->SaveState()) {
    if (tensor.data_type != DataType::kFloat32) continue;
    for (int64_t i = 0; i < tensor.num_elements(); ++i) ASSERT_TRUE(std::isfinite(tensor.floats()[i])) << tensor.name;
  }
}

inline void ExpectItGoesBack(const GuardedLearner& learner) {
  learner.Train(0, 2);
  const std::vector<HostTensor> before = learner.algorithm->SaveState();
  learner.Train(2, 4);
  ASSERT_NE(learner.algorithm->SaveState(), before);
  ASSERT_TRUE(learner.algorithm->GoBackTo(before).ok());
  EXPECT_EQ(learner.algorithm->SaveState(), before);
  learner.Train(4, 5);
  EXPECT_NE(learner.algorithm->SaveState(), before) << "what was collected is there, and is trained on";
}

// Every learning rate: of actors, critics, mixers.
inline void ExpectNoRateMovesNothing(const GuardedLearner& learner) {
  learner.Train(0, 2);
  const auto parameters = [&] {
    std::vector<HostTensor> state = learner.algorithm->SaveState();
    std::erase_if(state, [](const HostTensor& tensor) {
      // Optimisers, normalisers, counters; and targets, which follow what was moved before.
      for (const char* other : {"adam.", "value_norm", "gradient_steps", "target"}) {
        if (tensor.name.find(other) != std::string::npos) return true;
      }
      return false;
    });
    return state;
  };
  const std::vector<HostTensor> before = parameters();
  ASSERT_GE(before.size(), 2);
  UpdateProgress progress = learner.progress_at(2);
  progress.learning_rate_scale = 0;
  EXPECT_EQ(learner.Update(learner.batch_of(2), progress).at("learning_rate"), 0);
  EXPECT_EQ(parameters(), before);
  learner.Train(3, 4);
  EXPECT_NE(parameters(), before);
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_NOT_FINITE_UPDATES_H_
