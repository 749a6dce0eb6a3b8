// A run that goes on with the replay it had (q_learning.keep_replay): the weights of one that never stopped, bit for
// bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/algorithms/batch_builder.h"
#include "tests/common/temporary_folder.h"
#include "tests/support/thread_ranks.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kSteps = 12, kColumns = 4;

class KeptReplay : public ::testing::Test {
 protected:
  // A replay of some three batches, whose checkpoints come every four.
  AlgorithmContext Context(const std::string& more) {
    AlgorithmContext context = MakeContext(
        "algorithm { name: \"qmix\" } policy { hidden_sizes: [8] } checkpoint { interval_env_steps: 192 } collection { "
        "num_shards: 1 copies_per_shard: 4 rollout_length: 12 sequence_length: 5 } q_learning { keep_replay: true "
        "n_step: "
        "2 learning_starts: 1 minibatch_size: 24 gradient_steps: 3 target_interval: 4 replay_bytes: 40000 " +
            more,
        {DiscreteGroup("cars", 3, 5, 4), DiscreteGroup("lights", 2, 7, 3)}, 2);
    context.run_folder = folder_.path();
    context.tell = [this](const std::string& line) { lines_.push_back(line); };
    context.arithmetic.warn = [this](const std::string& line) { warnings_.push_back(line); };
    return context;
  }
  // Updates first … last − 1. Every batch goes on where the one before left off.
  static void Train(Algorithm* algorithm, const AlgorithmContext& context, uint64_t first, uint64_t last) {
    for (uint64_t update = first; update < last; ++update) {
      TrainingBatch batch = RandomBatch(context.environment, kSteps, kColumns, 100 + update);
      FillRemembered(context, 1, &batch);
      for (ColumnStream& stream : batch.streams) stream.sequence = update;
      ShapeForAlgorithm(context, &batch);
      const auto done = algorithm->Update(
          batch,
          {.update = update, .env_steps = update * kSteps * kColumns, .total_env_steps = 20 * kSteps * kColumns});
      ASSERT_TRUE(done.ok()) << done.status();
    }
  }
  static std::vector<HostTensor> Networks(const Algorithm& algorithm) {
    std::vector<HostTensor> state = algorithm.SaveState();
    std::erase_if(state, [](const HostTensor& tensor) { return tensor.name.starts_with("replay/"); });
    return state;
  }

  TemporaryFolder folder_;
  std::vector<std::string> lines_, warnings_;
};

TEST_F(KeptReplay, ARunThatWasKilledGoesOnAsIfItNeverHadBeen) {
  for (const std::string more :
       {"}", "priority_exponent: 0.6 }",
        "priority_exponent: 0.6 burn_in: 1 replay_sequence_length: 9 } group_policies { key: \"cars\" value { "
        "recurrent_cell: GRU recurrent_size: 6 } }"}) {
    const AlgorithmContext context = Context(more);
    std::vector<HostTensor> straight, checkpoint;
    {
      const auto algorithm = CreateAlgorithm(context).value();
      Train(algorithm.get(), context, 0, 12);
      straight = algorithm->SaveState();
    }
    {
      const auto algorithm = CreateAlgorithm(context).value();
      Train(algorithm.get(), context, 0, 8);
      checkpoint = algorithm->SaveState();
      Train(algorithm.get(), context, 8, 11);  // and is killed
    }
    const auto resumed = CreateAlgorithm(context).value();
    ASSERT_TRUE(resumed->LoadState(checkpoint).ok());
    EXPECT_EQ(resumed->SaveState(), checkpoint) << more;
    Train(resumed.get(), context, 8, 12);
    EXPECT_EQ(resumed->SaveState(), straight) << more;
    EXPECT_THAT(warnings_, ElementsAre()) << more;
    EXPECT_THAT(lines_.back(), HasSubstr("the replay is as it was: "));
  }
}

TEST_F(KeptReplay, SaysWhatItTakesAndStaysWithinIt) {
  const AlgorithmContext context = Context("}");
  const auto algorithm = CreateAlgorithm(context).value();
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(lines_[0], HasSubstr("at most 1 MiB of disk"));
  Train(algorithm.get(), context, 0, 60);
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "replay")) bytes += entry.file_size();
  EXPECT_LE(bytes, uintmax_t{1} << 20);
  // What the replay held two checkpoints of four batches ago is there, and not much more: 3 + 2 · 5 + 4 batches of some
  // 13 kB, and an unfinished segment.
  EXPECT_GE(bytes, 150000u);
  EXPECT_LE(bytes, 300000u);
}

TEST_F(KeptReplay, WhatIsDamagedIsToldAndFillsAnew) {
  const AlgorithmContext context = Context("}");
  std::vector<HostTensor> checkpoint;
  {
    const auto algorithm = CreateAlgorithm(context).value();
    Train(algorithm.get(), context, 0, 6);
    checkpoint = algorithm->SaveState();
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "replay")) {
    std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
  }
  const auto resumed = CreateAlgorithm(context).value();
  ASSERT_TRUE(resumed->LoadState(checkpoint).ok());
  ASSERT_EQ(warnings_.size(), 2u);
  EXPECT_THAT(warnings_[0], HasSubstr("the replay that was kept cannot be had again: "));
  EXPECT_THAT(warnings_[1], HasSubstr("fills anew"));
  Train(resumed.get(), context, 6, 8);
  // And is kept from there on.
  const std::vector<HostTensor> later = resumed->SaveState();
  const auto again = CreateAlgorithm(context).value();
  ASSERT_TRUE(again->LoadState(later).ok());
  EXPECT_EQ(again->SaveState(), later);
  EXPECT_EQ(warnings_.size(), 2u);
}

TEST_F(KeptReplay, MayBeTurnedOnAndOffOnTheWay) {
  const AlgorithmContext with = Context("}");
  AlgorithmContext without = with;
  without.experiment.mutable_q_learning()->set_keep_replay(false);
  const auto first = CreateAlgorithm(without).value();
  Train(first.get(), without, 0, 3);
  const auto second = CreateAlgorithm(with).value();
  ASSERT_TRUE(second->LoadState(first->SaveState()).ok());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("is not part of this checkpoint and fills anew")));
  Train(second.get(), with, 3, 6);
  const auto third = CreateAlgorithm(without).value();
  ASSERT_TRUE(third->LoadState(second->SaveState()).ok());
  EXPECT_EQ(third->SaveState(), Networks(*second));
}

TEST_F(KeptReplay, ADiskThatFailsCostsTheFilesAlone) {
  const AlgorithmContext context = Context("}");
  const auto algorithm = CreateAlgorithm(context).value();
  // A file where the folder should be.
  std::ofstream(folder_ / "replay") << "x";
  Train(algorithm.get(), context, 0, 3);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_THAT(warnings_[0], HasSubstr("the replay is no longer kept on disk (q_learning.keep_replay): "));
  EXPECT_EQ(algorithm->SaveState(), Networks(*algorithm));
}

TEST_F(KeptReplay, SeveralLearnersOrNoFolderAreRefused) {
  AlgorithmContext context = Context("}");
  context.run_folder.clear();
  EXPECT_THAT(std::string(CreateAlgorithm(context).status().message()), HasSubstr("there is no run folder"));
  context = Context("}");
  MeetingPlace place(2);
  context.ranks = std::make_shared<ThreadRank>(&place, 0, nullptr);
  EXPECT_THAT(std::string(CreateAlgorithm(context).status().message()),
              HasSubstr("q_learning.keep_replay: true, but several learners"));
}

}  // namespace
}  // namespace troupe
