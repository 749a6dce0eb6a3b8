#include "learner/replay/replay_sequences.h"

#include <optional>

#include "learner/batch/team_reward.h"
#include "learner/replay/replay_rows.h"

namespace troupe {
namespace {

constexpr int32_t kNone = -1;

// Writes the sequence that begins at `place` as column `i`; final_of [L, n]: which final state followed.
void CopySequence(const ReplayStore& store, ReplayPlace place, const SequenceSettings& settings, int64_t i,
                  SequenceSample* sample, std::vector<int32_t>* final_of) {
  const StepPacking& packing = store.packing();
  TrainingBatch* const to = &sample->states;
  const int64_t n = to->columns;
  for (int64_t t = 0; t < settings.length; ++t) {
    const std::vector<char>& packed = store.packed(place.batch);
    const int64_t cell = t * n + i;
    packing.CopyState(packed, place.step, place.column, cell, to);
    packing.CopyAct(packed, place.step, place.column, cell, to);
    sample->kept[cell] = 1;
    if (to->truncated[cell] != 0) {
      (*final_of)[cell] = static_cast<int32_t>(to->truncated_at.size() / 2);
      AppendFinal(store.rest(place.batch), store.FinalOf(place), to);
      to->truncated_at.insert(to->truncated_at.end(), {static_cast<int32_t>(t), static_cast<int32_t>(i)});
    }
    const std::optional<ReplayPlace> next = store.NextOf(place);
    if (t + 1 == settings.length || !next.has_value()) {
      packing.CopyState(packed, place.step + 1, place.column, cell + n, to);
      return;
    }
    place = *next;
  }
}

// R, γ^k and where the estimate follows from, of the joint step `first` of a sequence.
void SumReturns(const ReturnSettings& settings, const std::vector<int32_t>& final_of,
                const std::vector<double>& team_rewards, int64_t first, SequenceSample* sample) {
  const TrainingBatch& states = sample->states;
  const int64_t n = states.columns, steps = states.env_steps();
  double team = 0, weight = 1;
  int64_t cell = first;
  for (int k = 1;; ++k, cell += n) {
    team += weight * team_rewards[cell];
    for (size_t g = 0; g < states.groups.size(); ++g) {
      const std::vector<float>& paid = states.groups[g].rewards;
      const int64_t agents = static_cast<int64_t>(paid.size()) / steps;
      for (int64_t a = 0; a < agents; ++a) {
        sample->rewards[g][first * agents + a] += static_cast<float>(weight * paid[cell * agents + a]);
      }
    }
    weight *= settings.discount;
    sample->next_states[first] = cell + n;
    if (states.terminated[cell] != 0) {
      weight = 0;
      break;
    }
    if (final_of[cell] != kNone) {
      sample->next_states[first] = steps + n + final_of[cell];
      break;
    }
    if (k == settings.n || cell + n >= steps || sample->kept[cell + n] == 0) break;
  }
  sample->team_rewards[first] = static_cast<float>(team);
  sample->discounts[first] = static_cast<float>(weight);
}

}  // namespace

SequenceSample GatherSequences(const ReplayStore& store, const std::vector<ReplayPlace>& places,
                               const SequenceSettings& settings) {
  const auto n = static_cast<int64_t>(places.size());
  const TrainingBatch& like = store.rest(store.first());
  const int64_t sequences =
      (like.rollout_length + settings.recorded_every - 1) / settings.recorded_every * int64_t{like.columns};
  SequenceSample sample{.states = store.packing().MakeBatch(settings.length, n)};
  const int64_t steps = sample.states.env_steps();
  sample.kept.resize(steps);
  sample.next_states.resize(steps);
  sample.team_rewards.resize(steps);
  sample.discounts.resize(steps);
  for (size_t g = 0; g < like.groups.size(); ++g) {
    sample.rewards.emplace_back(sample.states.groups[g].rewards.size());
    sample.states.groups[g].network_states.resize(like.groups[g].network_states.size() / sequences * n);
  }
  std::vector<int32_t> final_of(steps, kNone);
  for (int64_t i = 0; i < n; ++i) {
    const ReplayPlace& place = places[i];
    const TrainingBatch& from = store.rest(place.batch);
    const int64_t sequence = place.step / settings.recorded_every * int64_t{from.columns} + place.column;
    for (size_t g = 0; g < from.groups.size(); ++g) {
      CopyRow(from.groups[g].network_states, sequences, sequence, i, &sample.states.groups[g].network_states);
    }
    CopySequence(store, place, settings, i, &sample, &final_of);
  }
  std::vector<double> team_rewards(steps);
  for (int64_t cell = 0; cell < steps; ++cell) {
    team_rewards[cell] = TeamRewardAt(sample.states, cell, settings.returns.team_reward);
  }
  for (int64_t cell = 0; cell < steps; ++cell) {
    if (sample.kept[cell] != 0) SumReturns(settings.returns, final_of, team_rewards, cell, &sample);
  }
  return sample;
}

}  // namespace troupe
