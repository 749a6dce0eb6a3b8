#include <string>

#include "actor_worker/rollout/shard_memory.h"
#include "common/wire/chunk_bytes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/test_specs.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;

TEST(ShardMemory, AsManyShardsAreTakenAsFit) {
  CollectionSettings collection;
  collection.set_rollout_length(100);
  collection.set_copies_per_shard(8);
  collection.set_unacknowledged_window(3);
  const EnvironmentSpec spec = TwoGroupSpec();
  const ChunkShape shape{100, 8};
  const double shard = ShardMemory(collection, spec, shape).bytes;
  EXPECT_EQ(shard, 3.0 * ChunkBytes(spec, shape, 8));
  const MemoryUse use{1e6, 1e6 + 2.5 * shard};
  EXPECT_EQ(ShardsThatFit(collection, spec, shape, use, 10).value(), 2);
  EXPECT_EQ(ShardsThatFit(collection, spec, shape, use, 1).value(), 1);
  EXPECT_EQ(ShardsThatFit(collection, spec, shape, std::nullopt, 10).value(), 10);
  const absl::Status none = ShardsThatFit(collection, spec, shape, MemoryUse{1e6, 1e6 + 0.9 * shard}, 10).status();
  EXPECT_EQ(none.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(none.message()), HasSubstr("unacknowledged_window = 3 chunks of 8 copies × 100 steps"));
}

}  // namespace
}  // namespace troupe
