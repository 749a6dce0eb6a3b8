// Stepping an environment must not allocate once it is warm. Counts every allocation of this program.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/environments/registry/registry.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "tests/environments/mpe_test_support.h"
#include "tests/environments/smax_test_support.h"
#include "tests/environments/traffic_test_support.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// Not inlined: the compiler would see memory of `new` go to `free`.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe {
namespace {

// Allocations of an episode, from its Reset to its end.
int64_t AllocationsOfAnEpisode(Environment& environment) {
  StepBuffers buffers(environment.spec());
  RandomPlayer player(1);
  const int64_t before = allocations.load();
  EXPECT_TRUE(environment.Reset(2).ok());
  do {
    environment.Observe(buffers.observation);
    player.Act(environment, buffers.observation, buffers.discrete, buffers.continuous);
    if (!environment.Step(buffers.action, buffers.outcome).ok()) break;
  } while (!buffers.outcome.truncated);
  EXPECT_TRUE(buffers.outcome.truncated);
  return allocations.load() - before;
}

TEST(EnvironmentAllocationTest, AnEpisodeOfTrafficAllocatesNothing) {
  const std::unique_ptr<Environment> environment =
      MakeTrafficGrid({{"decision_interval_seconds", "5"}, {"vehicles_per_hour", "3600"}});
  EXPECT_EQ(AllocationsOfAnEpisode(*environment), 0);
}

TEST(EnvironmentAllocationTest, AnEpisodeOfParticlesAllocatesNothing) {
  struct Case {
    const char* scenario;
    SettingsMap settings;
  };
  for (const auto& [scenario, settings] :
       {Case{"simple_spread", {}}, Case{"simple_tag", {{"prey", "SCRIPTED"}}},
        Case{"simple_tag", {{"predators", "SCRIPTED"}}}, Case{"simple_adversary", {{"good_agents", "SCRIPTED"}}},
        Case{"simple_speaker_listener", {}}, Case{"simple_reference", {}}}) {
    EXPECT_EQ(AllocationsOfAnEpisode(*MakeMpe(scenario, settings)), 0) << scenario;
  }
}

// Of battles, which end in either way.
TEST(EnvironmentAllocationTest, ABattleAllocatesNothing) {
  for (const SettingsMap& settings :
       {SettingsMap{{"map", "3s5z"}},
        SettingsMap{
            {"map", "smacv2_5_units"}, {"observations", "conic"}, {"actions", "continuous"}, {"opponent", "self"}}}) {
    smax::Field field(settings);
    EpisodeBuffers::Copy& copy = field.copy();
    RandomStream random(1);
    const int64_t before = allocations.load();
    ASSERT_TRUE(field.smax.Reset(2).ok());
    do {
      field.Observe();
      ChooseRandomActions(field.smax.spec(), random, copy.observation, copy.discrete, copy.continuous);
      ASSERT_TRUE(field.smax.Step(copy.action, copy.outcome).ok());
    } while (!copy.outcome.terminated && !copy.outcome.truncated);
    EXPECT_EQ(allocations.load() - before, 0);
  }
}

TEST(EnvironmentAllocationTest, WarehousesAndPaymentsAllocateNothing) {
  for (const char* name : {"retail", "payments"}) {
    const std::unique_ptr<Environment> environment = *(*FindEnvironment(name))->create({});
    EpisodeBuffers buffers(environment->spec(), 1);
    EpisodeBuffers::Copy& copy = buffers.copies[0];
    RandomStream random(1);
    const int64_t before = allocations.load();
    ASSERT_TRUE(environment->Reset(2).ok());
    do {
      environment->Observe(copy.observation);
      ChooseRandomActions(environment->spec(), random, copy.observation, copy.discrete, copy.continuous);
      ASSERT_TRUE(environment->Step(copy.action, copy.outcome).ok());
    } while (!copy.outcome.terminated && !copy.outcome.truncated);
    EXPECT_EQ(allocations.load() - before, 0) << name;
  }
}

}  // namespace
}  // namespace troupe
