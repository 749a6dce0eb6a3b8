// What the learners of one data-parallel run (ranks 0 … size − 1) do together. No LibTorch here: the rest of the
// learner knows the group by this header alone; ranks/rank_group.h makes a real one.
//
// Every rank makes the same calls in the same order, or all of them wait. The first call that fails sets status();
// from then on calls return at once and leave their arguments as they are, so arithmetic in between needs no check, and
// whoever uses what came out asks status() first.
#ifndef TROUPE_LEARNER_RANKS_COLLECTIVE_H_
#define TROUPE_LEARNER_RANKS_COLLECTIVE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace at {
class Tensor;
}

namespace troupe {

// Not thread-safe: one thread owns it.
class Collective {
 public:
  virtual ~Collective() = default;

  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Element-wise sums over the ranks, in place: the same bits on every rank, and again for the same terms. Equally many
  // everywhere.
  virtual void Sum(absl::Span<double> values) = 0;
  // One dimension, float32, on the device that training runs on.
  virtual void Sum(at::Tensor* values) = 0;
  // Rank 0's bytes for everybody.
  virtual void Broadcast(std::string* bytes) = 0;

  // OK, or UNAVAILABLE: a rank is gone or did not answer in time. It stays what it once became.
  virtual absl::Status status() const = 0;
};

// A learner by itself: sums are their own.
class SingleRank final : public Collective {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void Sum(absl::Span<double>) override {}
  void Sum(at::Tensor*) override {}
  void Broadcast(std::string*) override {}
  absl::Status status() const override { return absl::OkStatus(); }
};

}  // namespace troupe

#endif  // TROUPE_LEARNER_RANKS_COLLECTIVE_H_
