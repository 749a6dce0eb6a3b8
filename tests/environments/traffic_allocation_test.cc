// Stepping traffic_grid must not allocate once it is warm. Counts every allocation of this program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "tests/environments/traffic_test_support.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe {
namespace {

TEST(TrafficAllocationTest, AnEpisodeAllocatesNothing) {
  const std::unique_ptr<Environment> environment =
      MakeTrafficGrid({{"decision_interval_seconds", "5"}, {"vehicles_per_hour", "3600"}});
  StepBuffers buffers(environment->spec());
  RandomPlayer player(1);
  const int64_t before = allocations.load();
  ASSERT_TRUE(environment->Reset(2).ok());
  do {
    environment->Observe(buffers.observation);
    player.Act(*environment, buffers.observation, buffers.discrete, buffers.continuous);
    if (!environment->Step(buffers.action, buffers.outcome).ok()) break;
  } while (!buffers.outcome.truncated);
  EXPECT_EQ(allocations.load() - before, 0);
  EXPECT_TRUE(buffers.outcome.truncated);
}

}  // namespace
}  // namespace troupe
