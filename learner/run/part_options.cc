#include "learner/run/part_options.h"

#include <algorithm>

#include "common/security/addresses.h"

namespace troupe {

int ExpectedWorkers(const TrainOptions& options) {
  return options.expected_workers > 0 ? options.expected_workers : std::max(1, options.local_workers);
}

ShardRange OwnShards(const TrainOptions& options, const Experiment& experiment) {
  const int num_shards = static_cast<int>(experiment.collection().num_shards());
  return options.ranks.has_value() ? ShardRange::OfRank(num_shards, options.ranks->rank, options.ranks->size)
                                   : ShardRange::OfRank(num_shards, 0, 1);
}

LearnerServerOptions ServerOptionsOf(const TrainOptions& options, const Experiment& experiment) {
  LearnerServerOptions server;
  server.listen_address = options.listen_address;
  server.security = options.security;
  if (options.local_workers > 0) {
    // Whatever others need, and by whatever address, the learner's own children come in plain text over loopback with a
    // token of this run.
    const bool dialable = IsLoopbackAddress(options.listen_address) || IsWildcardAddress(options.listen_address);
    server.local_port = options.security.any() || !dialable;
  }
  server.experiment = experiment;
  server.expected_workers = ExpectedWorkers(options);
  if (options.max_workers > 0) server.max_workers = server.max_workers_per_peer = options.max_workers;
  for (int* const most : {&server.max_workers, &server.max_workers_per_peer}) {
    *most = std::max(*most, server.expected_workers);
  }
  server.own_shards = OwnShards(options, experiment);
  return server;
}

std::shared_ptr<RankDirectory> NewDirectory(const TrainOptions& options, const Experiment& experiment) {
  if (!options.ranks.has_value()) return nullptr;
  return std::make_shared<RankDirectory>(options.ranks->rank, options.ranks->size,
                                         static_cast<int>(experiment.collection().num_shards()));
}

RankGroupOptions GroupOptionsOf(const TrainOptions& options) {
  const RankEnvironment& environment = *options.ranks;
  RankGroupOptions group;
  group.rank = environment.rank;
  group.size = environment.size;
  group.master_address = environment.master_address;
  group.master_port = environment.master_port;
  group.serve_store = environment.serve_store;
  group.timeout = options.rank_timeout;
  group.join_timeout = options.rank_join_timeout;
  return group;
}

}  // namespace troupe
