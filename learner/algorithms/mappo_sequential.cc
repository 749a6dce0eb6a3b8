// What Mappo does with a batch where ppo.update_order is SEQUENTIAL. On the CPU sets and critics that wait for their
// turn cost nothing; a GPU's steps compute all networks in every turn.
#include <algorithm>

#include "common/base/random.h"
#include "learner/algorithms/mappo.h"
#include "learner/algorithms/modules/sequential_factor.h"
#include "learner/algorithms/modules/update_figures.h"
#include "learner/algorithms/modules/update_order.h"

namespace troupe {
namespace {

// What the run's seed is mixed with (mappo.cc has the others).
constexpr uint64_t kUpdateOrder = 0x6f;

}  // namespace

Mappo::Movers Mappo::NoMovers() const {
  Movers movers;
  for (const Actor& actor : actors_) movers.emplace_back(actor.map.sets, 0);
  movers.resize(actors_.size() + critics_.size(), {0});
  return movers;
}

Mappo::EpochsDone Mappo::RunInTurn(const TrainingBatch& batch, const RankShare& share, uint64_t update,
                                   const Rates& rates) {
  std::vector<int> sets;
  for (const Actor& actor : actors_) sets.push_back(actor.frozen ? 0 : actor.map.sets);
  const std::vector<ParameterSet> order =
      DrawUpdateOrder(sets, MixKey({context_.experiment.seed(), kUpdateOrder, update}));
  if (ppo_.value_norm_update() == PER_MINIBATCH) {
    // Not written before the critics' first minibatch; but some arithmetics compute what they then leave as it is.
    for (size_t c = 0; c < critics_.size(); ++c) {
      WriteValueRows(c, std::vector<const ValueNorm*>(batch.env_steps(), &critics_[c].value_norm));
    }
  }
  SequentialFactor factor(batch.env_steps());
  std::vector<float> outputs;
  EpochsDone done;
  for (const ParameterSet& turn : order) {
    const Actor& actor = actors_[turn.network];
    const GroupBatch& group = PartOf(batch, turn.network);
    WriteActorTargets(turn.network, batch, factor.Times(actor.advantages));
    Movers movers = NoMovers();
    movers[turn.network][turn.set] = 1;
    const EpochsDone own = RunEpochs(batch, share, update, rates, ppo_.epochs(), std::move(movers));
    if (!ranks_.status().ok()) return done;
    done.epochs = std::max(done.epochs, own.epochs);
    done.update_kl += own.update_kl / static_cast<double>(order.size());
    // Taken turn by turn: what an arithmetic keeps as the first minibatch's is then that of the set whose turn it is.
    AddFigures(arithmetic_->TakeFigures(), &done.figures);
    arithmetic_->Infer(turn.network, &outputs);
    factor.TakeIn(actor.policy, turn.set, actor.trained, ReferenceLogProbabilities(turn.network, batch),
                  ActionLogProbabilities(actor.policy, actor.map, group, batch.env_steps(), outputs,
                                         arithmetic_->Free(turn.network)));
  }
  // No turn looks at a critic, so that they may come last: as many epochs as the set that took most of them.
  Movers movers = NoMovers();
  for (size_t c = 0; c < critics_.size(); ++c) movers[CriticNetwork(c)] = {static_cast<uint8_t>(!critics_[c].frozen)};
  RunEpochs(batch, share, update, rates, done.epochs, std::move(movers));
  return done;
}

}  // namespace troupe
