// The part of a run's shards that one learner leases out.
#ifndef TROUPE_LEARNER_INGEST_SHARD_RANGE_H_
#define TROUPE_LEARNER_INGEST_SHARD_RANGE_H_

#include <cstdint>

namespace troupe {

// Shards first … first + count − 1.
struct ShardRange {
  int first = 0;
  int count = 0;

  // Rank `rank`'s of `size`: contiguous, in the order of ranks, sizes that differ by one at most. Contiguous, because a
  // batch's columns are ordered by shard: the ranks' batches side by side are then the batch of a learner by itself.
  static ShardRange OfRank(int num_shards, int rank, int size) {
    const auto begin = [&](int64_t r) { return static_cast<int>(num_shards * r / size); };
    return {begin(rank), begin(rank + 1) - begin(rank)};
  }

  bool contains(uint32_t shard) const {
    return shard >= static_cast<uint32_t>(first) && shard - first < static_cast<uint32_t>(count);
  }
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_SHARD_RANGE_H_
