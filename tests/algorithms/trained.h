// What an algorithm is after some updates, for tests that hold two ways of training to each other.
#ifndef TROUPE_TESTS_ALGORITHMS_TRAINED_H_
#define TROUPE_TESTS_ALGORITHMS_TRAINED_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/base/host_tensor.h"
#include "learner/algorithms/algorithm.h"

namespace troupe {

struct Trained {
  std::vector<HostTensor> state;
  std::map<std::string, double> statistics;  // of the last update
};

// Updates 0, 1, … on batch_of(update), of a run that ends after ten of them.
template <typename BatchOf>
Trained TrainOn(Algorithm* algorithm, uint64_t updates, uint64_t steps_per_update, const BatchOf& batch_of) {
  Trained trained;
  for (uint64_t update = 0; update < updates; ++update) {
    const auto statistics = algorithm->Update(
        batch_of(update),
        {.update = update, .env_steps = update * steps_per_update, .total_env_steps = 10 * steps_per_update});
    EXPECT_TRUE(statistics.ok()) << statistics.status();
    if (statistics.ok()) trained.statistics = {statistics->values.begin(), statistics->values.end()};
  }
  trained.state = algorithm->SaveState();
  return trained;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ALGORITHMS_TRAINED_H_
