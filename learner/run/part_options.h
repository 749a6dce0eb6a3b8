// What a run's parts are told of its options.
#ifndef TROUPE_LEARNER_RUN_PART_OPTIONS_H_
#define TROUPE_LEARNER_RUN_PART_OPTIONS_H_

#include <memory>

#include "learner/ingest/shard_range.h"
#include "learner/ranks/rank_group.h"
#include "learner/run/train_command.h"
#include "learner/service/learner_server.h"
#include "learner/service/rank_directory.h"
#include "proto/experiment.pb.h"

namespace troupe {

// Workers to wait for before the work is spread.
int ExpectedWorkers(const TrainOptions& options);

// The shards that this learner leases out.
ShardRange OwnShards(const TrainOptions& options, const Experiment& experiment);

// Of the service for workers; callbacks, local_token and directory are the caller's to add.
LearnerServerOptions ServerOptionsOf(const TrainOptions& options, const Experiment& experiment);

// Null without other ranks.
std::shared_ptr<RankDirectory> NewDirectory(const TrainOptions& options, const Experiment& experiment);

// Of the group of ranks, which there are; callbacks are the caller's to add.
RankGroupOptions GroupOptionsOf(const TrainOptions& options);

}  // namespace troupe

#endif  // TROUPE_LEARNER_RUN_PART_OPTIONS_H_
