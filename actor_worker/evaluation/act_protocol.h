// The line protocol by which one agent acts from a shell, a script or a controller box.
//
//   in:   OBSERVATION [ "|" MASK ] { ";" MESSAGE }
//                                      O numbers; N zeros and ones, 1 = allowed (not of continuous actions; those of
//                                      all dimensions of multi-discrete ones side by side); of each neighbour of an
//                                      agent that talks, in their order, the K numbers that it said at the step before,
//                                      or none where nothing came. Separated by spaces, tabs or commas, with or without
//                                      a pair of square brackets (a JSON array) around each part
//         "begin"                      an episode begins: a recurrent actor forgets what it remembers; no action
//                                      follows
//   out:  ACTION [ ";" MESSAGE ]       index 0 … N − 1, an index of each dimension, or N numbers in the environment's
//                                      units, within its bounds; what an agent that talks says, K numbers; separated by
//                                      commas; one line per good line, flushed at once
//   err:  "line L: what is wrong"      for a bad line, which gets no action
#ifndef TROUPE_ACTOR_WORKER_EVALUATION_ACT_PROTOCOL_H_
#define TROUPE_ACTOR_WORKER_EVALUATION_ACT_PROTOCOL_H_

#include <cstdint>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "actor_worker/acting/own_actor.h"

namespace troupe {

struct ObservationLine {
  std::vector<float> observation;  // [O]
  std::vector<uint8_t> mask;       // [mask_size], or empty when the line has none
};

// `choices` of each index that an action consists of; none: a mask is refused. Errors: INVALID_ARGUMENT saying what
// came and what was expected.
absl::Status ParseObservationLine(absl::string_view line, int observation_size, absl::Span<const int> choices,
                                  ObservationLine* parsed);

// The parts of a line that are messages: of each of `neighbours` [message_size], or none. Errors: INVALID_ARGUMENT
// saying what came and what was expected.
absl::Status ParseMessages(absl::Span<const absl::string_view> parts, int neighbours, int message_size,
                           std::vector<std::vector<float>>* messages);

struct ServedLines {
  int64_t acted = 0;
  int64_t refused = 0;
};

// Until `in` ends. `sample`: draws the actions, line k by the k-th actor.draws() numbers of the stream of
// `seed`.
ServedLines ServeActor(OwnActor& actor, bool sample, uint64_t seed, std::istream& in, std::ostream& out,
                       std::ostream& err);

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_EVALUATION_ACT_PROTOCOL_H_
