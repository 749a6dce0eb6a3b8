#include "actor_worker/acting/policy_store.h"

#include "gtest/gtest.h"

namespace troupe {
namespace {

std::shared_ptr<const PolicySnapshot> Version(uint64_t version) {
  auto weights = std::make_shared<PolicySnapshot>();
  weights->policy_version = version;
  return weights;
}

TEST(PolicyStoreTest, IsEmptyBeforeTheFirstVersion) {
  PolicyStore store;
  EXPECT_EQ(store.Newest(), nullptr);
  EXPECT_EQ(store.Find(0), nullptr);
}

TEST(PolicyStoreTest, KeepsTheTwoNewestVersions) {
  PolicyStore store;
  for (const uint64_t version : {4, 5, 6}) EXPECT_TRUE(store.Publish(Version(version)));
  EXPECT_EQ(store.Newest()->policy_version, 6);
  EXPECT_EQ(store.Find(6)->policy_version, 6);
  EXPECT_EQ(store.Find(5)->policy_version, 5);
  EXPECT_EQ(store.Find(4), nullptr);
}

TEST(PolicyStoreTest, IgnoresVersionsThatAreNotNewer) {
  PolicyStore store;
  store.Publish(Version(5));
  store.Publish(Version(6));
  const auto newest = store.Newest();
  EXPECT_FALSE(store.Publish(Version(6)));
  EXPECT_FALSE(store.Publish(Version(3)));
  EXPECT_EQ(store.Newest(), newest);
  EXPECT_NE(store.Find(5), nullptr);
}

TEST(PolicyStoreTest, SnapshotsOutliveTheirPlaceInTheStore) {
  PolicyStore store;
  store.Publish(Version(1));
  const auto snapshot = store.Find(1);
  store.Publish(Version(2));
  store.Publish(Version(3));
  EXPECT_EQ(snapshot->policy_version, 1);
}

TEST(PolicyStoreTest, StartsLowerAfterClear) {
  PolicyStore store;
  store.Publish(Version(9));
  store.Clear();
  EXPECT_EQ(store.Newest(), nullptr);
  EXPECT_TRUE(store.Publish(Version(2)));
}

}  // namespace
}  // namespace troupe
