// A team of players is paid for its joint action, once: small games with exact optima, on which algorithms that
// factorise values differ.
//
// One matrix: one step, after which the episode is over (terminated). Several: a step before it in which player 0's
// action chooses the matrix, the others' do nothing and nobody is paid; so the two-step game of the QMIX paper
// (arXiv:1803.11485, section 5) is "[[7, 7], [7, 7]]; [[0, 1], [1, 8]]".
//
// Everybody gets the whole payoff. A player observes the state (the step of choosing, or the matrix it plays) and who
// it is, each as a one-hot. Actions that a player does not have in a state are masked. Global state: all observations.
// Statistics: matrix (which one was played), payoff, optimal (1 if nothing is paid better).
#ifndef TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_MATRIX_GAME_H_
#define TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_MATRIX_GAME_H_

#include <string>
#include <vector>

#include "actor_worker/environments/environment.h"
#include "actor_worker/environments/matrix_game/payoffs.h"

namespace troupe {

class MatrixGame final : public Environment {
 public:
  // `matrices`: as ParsePayoffs gives them.
  explicit MatrixGame(std::vector<PayoffMatrix> matrices);

  const EnvironmentSpec& spec() const override { return spec_; }
  absl::Status Reset(uint64_t seed) override;
  absl::Status Step(const JointAction& action, StepOutcome& outcome) override;
  void Observe(JointObservation& observation) const override;
  void EpisodeStatistics(absl::Span<double> statistics) const override;
  std::string Render() const override;
  void Draw(Scene& scene) const override;

  // What the best players do now.
  const std::vector<int32_t>& OptimalActions() const;
  double optimum() const { return bests_[best_matrix_].payoff; }

 private:
  bool choosing() const { return matrix_ < 0; }
  int NumActions(int player) const;

  const std::vector<PayoffMatrix> matrices_;
  std::vector<BestJointAction> bests_;  // of each matrix
  int best_matrix_ = 0;
  std::vector<int32_t> choice_of_best_;  // the joint action of the step of choosing
  EnvironmentSpec spec_;
  int matrix_ = -1;  // being played; -1: about to be chosen
  double payoff_ = 0;
  std::vector<int32_t> played_;  // the joint action that was paid; empty before
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_WORKER_ENVIRONMENTS_MATRIX_GAME_MATRIX_GAME_H_
