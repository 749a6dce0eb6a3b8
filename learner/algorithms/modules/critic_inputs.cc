// What critics look at, as rows.
#include <algorithm>
#include <vector>

#include "learner/algorithms/modules/critic_layout.h"
#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {
namespace {

// One state's parts: row `row` of observations [rows, A, O] and of who lives [rows, A] of every group, and of extras
// [rows, S].
struct StateSource {
  std::vector<const float*> observations{};
  std::vector<const uint8_t*> alive{};
  const float* extras = nullptr;
};

float* Append(const float* from, int64_t count, float* to) { return std::copy_n(from, count, to); }

// Writes one row of a batch's joint states after another.
class StateWriter {
 public:
  StateWriter(const CriticLayout& layout, const EnvironmentSpec& environment, const StateSource& source)
      : layout_(layout), environment_(environment), source_(source) {}

  void Write(int64_t row, float* to) const {
    if (layout_.stack.attends()) return WriteTokens(row, to);
    if (layout_.input == GLOBAL_STATE) {
      AppendState(row, to);
      return;
    }
    for (int64_t agent = 0; agent < environment_.groups[layout_.group].num_agents(); ++agent) {
      if (layout_.input == AGENT_SPECIFIC_STATE) to = AppendState(row, to);
      to = AppendAgent(layout_.group, row, agent, to);
    }
  }

 private:
  bool Lives(size_t g, int64_t row, int64_t agent) const {
    return source_.alive[g][row * environment_.groups[g].num_agents() + agent] != 0;
  }

  float* AppendObservation(size_t g, int64_t row, int64_t agent, float* to) const {
    const int64_t agents = environment_.groups[g].num_agents(), size = environment_.groups[g].observation_size;
    if (layout_.masks_dead && !Lives(g, row, agent)) return std::fill_n(to, size, 0.0f);
    return Append(source_.observations[g] + (row * agents + agent) * size, size, to);
  }

  // What stands for one agent.
  float* AppendAgent(size_t g, int64_t row, int64_t agent, float* to) const {
    to = AppendObservation(g, row, agent, to);
    if (!layout_.agent_id_input) return to;
    const int64_t agents = environment_.groups[g].num_agents();
    std::fill(to, to + agents, 0.0f);
    to[agent] = 1.0f;
    return to + agents;
  }

  float* AppendExtras(int64_t row, float* to) const {
    return Append(source_.extras + row * environment_.state_extras_size, environment_.state_extras_size, to);
  }

  float* AppendState(int64_t row, float* to) const {
    for (size_t g = 0; environment_.state_includes_observations && g < environment_.groups.size(); ++g) {
      const int64_t agents = environment_.groups[g].num_agents(), size = environment_.groups[g].observation_size;
      if (!layout_.masks_dead) {
        to = Append(source_.observations[g] + row * agents * size, agents * size, to);
        continue;
      }
      for (int64_t a = 0; a < agents; ++a) to = AppendObservation(g, row, a, to);
    }
    return AppendExtras(row, to);
  }

  void WriteTokens(int64_t row, float* to) const {
    for (size_t g = 0; g < environment_.groups.size(); ++g) {
      for (int64_t a = 0; a < environment_.groups[g].num_agents(); ++a) to = AppendAgent(g, row, a, to);
    }
    to = AppendExtras(row, to);
    for (size_t g = 0; g < environment_.groups.size(); ++g) {
      for (int64_t a = 0; a < environment_.groups[g].num_agents(); ++a) *to++ = Lives(g, row, a) ? 1.0f : 0.0f;
    }
  }

  const CriticLayout& layout_;
  const EnvironmentSpec& environment_;
  const StateSource& source_;
};

}  // namespace

void WriteCriticInputs(const CriticLayout& layout, const EnvironmentSpec& environment, const TrainingBatch& batch,
                       float* inputs) {
  StateSource during{.extras = batch.state_extras.data()}, final{.extras = batch.final_state_extras.data()};
  for (const GroupBatch& group : batch.groups) {
    during.observations.push_back(group.observations.data());
    during.alive.push_back(group.alive.data());
    final.observations.push_back(group.final_observations.data());
    final.alive.push_back(group.final_alive.data());
  }
  const StateWriter write_during(layout, environment, during), write_final(layout, environment, final);
  const int64_t states = static_cast<int64_t>(batch.rollout_length + 1) * batch.columns;
  const int64_t finals = static_cast<int64_t>(batch.truncated_at.size()) / 2;
  const int64_t size = static_cast<int64_t>(layout.rows_per_step) * layout.stack.input_size;
  ParallelFor(states + finals, [&](int, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const bool is_final = row >= states;
      (is_final ? write_final : write_during).Write(is_final ? row - states : row, inputs + row * size);
    }
  });
}

}  // namespace troupe
