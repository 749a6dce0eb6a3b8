// Watches an episode and makes a Recording of it, within limits.
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_EPISODE_RECORDER_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_EPISODE_RECORDER_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/episode_buffers.h"
#include "actor_worker/evaluation/episode_runner.h"
#include "actor_worker/replay_page/recording.h"
#include "actor_worker/replay_page/shape_table.h"

namespace troupe {

// Numbers are those that a recording keeps, of shapes, changes, facts, figures, actions and rewards; a page has about
// four bytes for each. What comes beyond is left out, and Recording::left_out says so.
struct RecordingLimits {
  int64_t every = 1;                // every N-th step is a frame, and the last one
  size_t frames = 5'000;            // those after are left out
  size_t numbers = 3'000'000;       // a frame that would pass it and those after are left out
  size_t observations = 1'000'000;  // numbers that agents observe in all frames; those after are left out
  size_t figures = 48;              // series of an environment's charts
};

// Not thread-safe.
class EpisodeRecorder {
 public:
  // `spec`: the environment's.
  EpisodeRecorder(const EnvironmentSpec& spec, RecordingLimits limits);

  // For Watch::look: after the reset and after every step.
  void Look(const Environment& environment, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far, bool over);

  // Once the episode is over, or stopped; the recorder is spent then.
  Recording Take(EpisodeResult result) &&;

 private:
  void AddRewards(const EpisodeBuffers::Copy& copy);
  bool WithinLimits(int64_t step);
  RecordedFrame FrameOf(const Environment& environment, const EpisodeBuffers::Copy& copy, const EpisodeResult& so_far);
  void Draw(const Environment& environment, RecordedFrame& frame);
  void NoteFigures(const Scene& scene, RecordedFrame& frame);
  void NoteAgents(const EpisodeBuffers::Copy& copy, RecordedFrame& frame);
  std::string ActionName(size_t group, const GroupAction& action, int agent) const;

  const RecordingLimits limits_;
  Recording recording_;
  ShapeTable shapes_;
  std::vector<int32_t> drawn_;  // shapes of the frame before, by place
  std::map<std::pair<std::string, std::string>, size_t> figure_of_;
  std::vector<float> rewards_;  // [A], since the frame before
  size_t numbers_ = 0, observations_ = 0;
  bool full_ = false;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_EPISODE_RECORDER_H_
