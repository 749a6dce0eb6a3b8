#include "learner/replay/replay_priorities.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/random.h"

namespace troupe {
namespace {

int64_t Starts(int rollout_length, int every) { return (rollout_length + every - 1) / every; }

// Every rank's number.
std::vector<double> OfAllRanks(double own, Collective* ranks) {
  std::vector<double> all(ranks->size(), 0.0);
  all[ranks->rank()] = own;
  ranks->Sum(absl::MakeSpan(all));
  return all;
}

}  // namespace

ReplayPriorities::ReplayPriorities(const PrioritySettings& settings, int64_t most_batches, int rollout_length,
                                   int columns)
    : settings_(settings),
      most_batches_(most_batches),
      starts_(Starts(rollout_length, settings.every)),
      columns_(columns, SumTree(most_batches_ * starts_)) {}

int64_t ReplayPriorities::Bytes(int64_t most_batches, int rollout_length, int columns, int every) {
  return columns * SumTree::Bytes(most_batches * Starts(rollout_length, every));
}

void ReplayPriorities::Fill(uint64_t batch, float priority) {
  for (SumTree& column : columns_) {
    for (int64_t start = 0; start < starts_; ++start) column.Set(PlaceOf(batch, start), priority);
  }
}

void ReplayPriorities::Add(uint64_t batch, uint64_t first, Collective* ranks) {
  first_ = std::max(first_, batch - std::min(batch, static_cast<uint64_t>(most_batches_)));
  for (; first_ < first; ++first_) Fill(first_, 0);
  largest_ = std::ranges::max(OfAllRanks(largest_, ranks));
  Fill(batch, static_cast<float>(std::pow(largest_, settings_.exponent)));
}

ReplayPriorities::Draws ReplayPriorities::Draw(uint64_t key, int64_t count, double exponent, const ReplayShare& share,
                                               Collective* ranks) const {
  std::vector<double> totals(share.all);
  for (int64_t column = 0; column < share.count; ++column) totals[share.first + column] = columns_[column].total();
  ranks->Sum(absl::MakeSpan(totals));
  double total = 0;
  int64_t last = 0;
  for (int64_t column = 0; column < share.all; ++column) {
    total += totals[column];
    if (totals[column] > 0) last = column;
  }
  RandomStream random(key);
  Draws draws;
  std::vector<double> priorities;
  double before = 0;
  for (int64_t i = 0, column = 0; i < count; ++i) {
    const double at = (static_cast<double>(i) + random.UniformDouble()) / static_cast<double>(count) * total;
    for (; column < last && at >= before + totals[column]; ++column) before += totals[column];
    const int64_t own = column - share.first;
    if (own < 0 || own >= share.count) continue;
    const int64_t place = columns_[own].Find(std::max(0.0, at - before));
    // Of the batches that are kept the one whose place it is.
    const auto slot = static_cast<uint64_t>(place / starts_), slots = static_cast<uint64_t>(most_batches_);
    const uint64_t batch = first_ + (slot + slots - first_ % slots) % slots;
    draws.places.push_back({batch, static_cast<int>(place % starts_) * settings_.every, static_cast<int>(own)});
    priorities.push_back(columns_[own].value(place));
  }
  const double none = std::numeric_limits<double>::infinity();
  const double own_least = priorities.empty() ? 0 : std::ranges::min(priorities);
  double least = none;
  for (const double of_rank : OfAllRanks(own_least, ranks)) least = of_rank > 0 ? std::min(least, of_rank) : least;
  for (const double priority : priorities) {
    draws.weights.push_back(static_cast<float>(std::pow(priority / least, -exponent)));
  }
  return draws;
}

void ReplayPriorities::Set(const ReplayPlace& place, double error) {
  const double size = std::fabs(error) + settings_.offset;
  if (!std::isfinite(size)) return;  // nothing was learnt of it
  largest_ = std::max(largest_, size);
  columns_[place.column].Set(PlaceOf(place.batch, place.step / settings_.every),
                             static_cast<float>(std::pow(size, settings_.exponent)));
}

std::vector<float> ReplayPriorities::Save(uint64_t batch) const {
  std::vector<float> saved;
  for (int64_t start = 0; start < starts_; ++start) {
    for (const SumTree& column : columns_) saved.push_back(static_cast<float>(column.value(PlaceOf(batch, start))));
  }
  return saved;
}

void ReplayPriorities::Load(uint64_t batch, absl::Span<const float> saved) {
  const auto columns = static_cast<int64_t>(columns_.size());
  for (int64_t start = 0; start < starts_; ++start) {
    for (int64_t column = 0; column < columns; ++column) {
      columns_[column].Set(PlaceOf(batch, start), saved[start * columns + column]);
    }
  }
}

}  // namespace troupe
