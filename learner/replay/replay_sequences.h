// Sequences of a replay as a batch that recurrent networks are trained along: what was seen, done and paid step for
// step, over pieces of one stream and over episodes' ends, and what agents remembered where each begins.
//
// Sequences begin where memory was recorded (stored state, "Recurrent Experience Replay in Distributed Reinforcement
// Learning", ICLR 2019, section 3). n-step returns are those of replay_sample.h, and end with their sequence: the
// estimate then follows from the state after it.
#ifndef TROUPE_LEARNER_REPLAY_REPLAY_SEQUENCES_H_
#define TROUPE_LEARNER_REPLAY_REPLAY_SEQUENCES_H_

#include <cstdint>
#include <vector>

#include "learner/replay/replay_sample.h"
#include "learner/replay/replay_store.h"

namespace troupe {

struct SequenceSettings {
  int length = 1;          // L, joint steps of a sequence
  int recorded_every = 1;  // steps of a piece from one recorded memory to the next
  ReturnSettings returns;
};

// [L, n] is the sequences' joint steps, step t of sequence i being number t · n + i; what is not kept of a sequence,
// for its stream goes on no further, is zeros.
struct SequenceSample {
  // rollout_length L, a column for each of the n sequences: rows 0 … L, flags, final states and, [1, n, A, H],
  // network_states. After the last step that is kept a row holds the state behind it.
  TrainingBatch states;
  std::vector<uint8_t> kept;                // [L, n]
  std::vector<int64_t> next_states;         // [L, n], from where estimates follow: t · n + i, or (L + 1) · n + k of a
                                            // final state k
  std::vector<float> team_rewards;          // [L, n], R of what the team is paid
  std::vector<std::vector<float>> rewards;  // [groups][L, n, A], R of each agent
  std::vector<float> discounts;             // [L, n], γ^k; 0 where the episode terminated
};

// Of places whose steps are multiples of recorded_every.
SequenceSample GatherSequences(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                               const SequenceSettings& settings);

}  // namespace troupe

#endif  // TROUPE_LEARNER_REPLAY_REPLAY_SEQUENCES_H_
