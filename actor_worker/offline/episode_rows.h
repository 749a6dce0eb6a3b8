// Whole episodes of one player as rows of tensors, for learning from them later.
#ifndef TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_ROWS_H_
#define TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "common/base/host_tensor.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// K episodes of lengths T1, T2, …, one after the other: the rows of what is seen are R = Σ (T + 1), the last of an
// episode being its last state's; those of what is done are Q = Σ T. A, O, N, D, S as in environment.h.
//
//   seeds I64 [K] (the bits of an unsigned number), lengths I64 [K], terminated U8 [K] (0: truncated),
//   statistics F64 [K, EnvironmentSpec::num_statistics()], state_extras F32 [R, S], where there are any
//   of each group: observations/GROUP F32 [R, A, O], alive/GROUP U8 [R, A], action_masks/GROUP U8 [R, A, N] (not of
//   continuous groups), actions/GROUP I32 [Q, A, D] or F32 [Q, A, N] in the environment's units,
//   rewards/GROUP F32 [Q, A]
//
// Not thread-safe.
class EpisodeRows {
 public:
  explicit EpisodeRows(const EnvironmentSpec& spec);

  // Of a row of what is seen and one of what is done.
  static int64_t BytesPerStep(const EnvironmentSpec& spec);

  // For Watch::look: after the reset and after every step.
  void Look(const EpisodeBuffers::Copy& copy, bool over);
  // The episode that was looked at is over, as it must be.
  void End(const EpisodeResult& result);

  int64_t episodes() const { return static_cast<int64_t>(seeds_.size()); }
  int64_t bytes() const { return bytes_; }

  // The tensors of all that ended; there are none afterwards.
  std::vector<HostTensor> Take();

 private:
  struct Group {
    std::vector<float> observations, controls, rewards;
    std::vector<uint8_t> alive, masks;
    std::vector<int32_t> indices;
  };
  void TakeGroup(size_t g, std::vector<HostTensor>& tensors);

  const EnvironmentSpec spec_;
  std::vector<int64_t> seeds_, lengths_;
  std::vector<uint8_t> terminated_;
  std::vector<double> statistics_;
  std::vector<float> state_extras_;
  std::vector<Group> groups_;
  int64_t rows_seen_ = 0, rows_done_ = 0, bytes_ = 0;
  bool began_ = false, ended_terminated_ = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_OFFLINE_EPISODE_ROWS_H_
