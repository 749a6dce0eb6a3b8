// What a replay page knows of one player's episode: frames of numbers, and the texts and shapes they refer to. A shape
// or text that occurs many times is kept once, and a frame holds only what its drawing changed, so that a map of a
// thousand still roads costs a page no more than one picture of it.
#ifndef TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_H_
#define TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "actor_worker/evaluation/episode_runner.h"
#include "common/specs/environment_spec.h"

namespace troupe {

// A rectangle of drawn places, in the recording's units (RecordingLimits::map_units along the longer side of the map
// that the environment declared), y upwards.
struct RecordedMap {
  int left = 0, bottom = 0, right = 0, top = 0;
};

// A shape as numbers; `values` hold, in this order: kind, ink, 100 · opacity, outline, size, align, text, note (the two
// as indices of Recording::texts), then x and y of each point. Lengths are in the recording's units.
struct RecordedShape {
  static constexpr int kNumbersBeforePoints = 8;
  std::vector<int32_t> values;
  bool operator==(const RecordedShape&) const = default;
};

// A = agents of all groups, in their order; texts are indices of Recording::texts.
struct RecordedFrame {
  int64_t step = 0;  // environment steps before it
  int num_shapes = 0;
  std::vector<int32_t> changes;       // place in the drawing, then the index of its shape, of each that is another one
                                      // than a frame before
  std::vector<int32_t> facts;         // name and value of each: texts
  std::vector<float> figures;         // of Recording::figures, NaN: none in this frame
  std::vector<int32_t> actions;       // [A] texts, of the step before; empty in the first frame
  std::vector<float> controls;        // the continuous ones of these in numbers, [A, N] of group after group
  std::vector<float> rewards;         // [A], since the frame before
  std::vector<uint8_t> alive;         // [A]
  std::vector<float> observations;    // [A, O] of group after group; empty where left out
  std::vector<double> group_returns;  // since the reset: EpisodeResult::group_returns
};

struct RecordedFigure {
  std::string chart, series;
};

struct Recording {
  std::string player;  // who plays
  std::string how;     // in a few words: how it acts
  EnvironmentSpec spec;
  std::vector<std::string> texts;
  std::vector<RecordedShape> shapes;
  RecordedMap map;  // around the declared map, zeros where nothing is drawn
  std::vector<RecordedFigure> figures;
  std::vector<RecordedFrame> frames;
  EpisodeResult result;
  std::string ending;                 // "terminated", "truncated" or "stopped"
  std::vector<std::string> left_out;  // a sentence for everything that limits kept out
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_REPLAY_PAGE_RECORDING_H_
