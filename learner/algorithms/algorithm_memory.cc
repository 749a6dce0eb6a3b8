#include "learner/algorithms/algorithm_memory.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/wire/chunk_bytes.h"
#include "common/wire/chunk_layout.h"
#include "learner/algorithms/modules/critic_layout.h"
#include "learner/algorithms/modules/joint_critic.h"
#include "learner/algorithms/modules/option_view.h"
#include "learner/algorithms/modules/policy_objective.h"
#include "learner/arithmetic/autograd/monotonic_mixer.h"
#include "learner/arithmetic/cpu/sequence_network.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "learner/arithmetic/objectives/chosen_output.h"
#include "learner/arithmetic/objectives/loss_rows.h"
#include "learner/arithmetic/select/create_arithmetic.h"
#include "learner/replay/replay_priorities.h"

namespace troupe {
namespace {

constexpr double kFloat = sizeof(float);
// Of every parameter: itself, its gradient, Adam's two moments; both packed copies of the inner loop's; three in each
// of the snapshots that the checkpoint writer may hold (two regular, two best), and those again as a file's bytes.
constexpr double kCopiesOfParameters = 4 + 2 + 4 * 3 + 3;
// Where networks are stepped out of blocks (arithmetic/blocks): partial gradients of a set and, with layer norms, the
// weights that have taken them in.
constexpr double kPartialGradients = 16, kFoldedWeights = 1;
// Elsewhere: parts with a gradient each, and rows of which autograd keeps the layers' outputs and their gradients at
// once, on every thread (arithmetic/autograd/autograd_engine.cc).
constexpr double kAutogradParts = 32, kAutogradRows = 2048 * 2;

// Numbers that a row leaves on its way through the layers.
double NumbersOfRow(const DenseStackSpec& stack) {
  // A cell's gates, what it remembers before and after, and its output.
  const double of_cell = 2.0 * stack.num_gates() * stack.recurrent_size + 2.0 * stack.state_size();
  const double hidden = std::accumulate(stack.hidden_sizes.begin(), stack.hidden_sizes.end(), 0.0) + of_cell;
  if (!stack.attends()) return stack.input_size + hidden + stack.output_size;
  // Of every token and layer: queries, keys, values, their mixture, both sums, both norms, what was fed; scores and
  // shares of every other token.
  const AttentionSpec& attention = stack.attention;
  const double tokens = attention.num_tokens();
  const double layer = 14.0 * attention.token_size + 4.0 * attention.heads * tokens;
  return stack.input_size + tokens * (attention.token_size + attention.layers * layer) +
         (attention.per_token ? tokens : 1.0) * hidden + stack.output_size;
}

// `minibatch_rows`: input rows of the network in a minibatch; `sequence`: steps of a sequence.
double NetworkBytes(const DenseStackSpec& stack, double minibatch_rows, double sequence) {
  const auto parameters = static_cast<double>(stack.num_parameters());
  const double widths = NumbersOfRow(stack), tokens = stack.attends() ? stack.attention.num_tokens() : 1;
  const bool norms = stack.input_layer_norm || stack.hidden_layer_norm;
  const double step = RunsInBlocks(stack)
                          ? parameters * (kPartialGradients + (norms ? kFoldedWeights : 0))
                          : parameters * std::min(kAutogradParts, 1 + minibatch_rows * tokens / 2048) +
                                2 * std::min(minibatch_rows, std::max(1.0, kAutogradRows / tokens)) * widths;
  // Of every thread a block of rows, with all that its steps leave for the way back (arithmetic/cpu/sequence_engine.h);
  // autograd keeps what every operator made.
  const double left = stack.communicates() ? 3 * widths : widths;
  const double sequences = stack.is_recurrent() ? ComputeThreads() * sequence * kSequenceRows * left : 0;
  return kFloat * (parameters * kCopiesOfParameters + step + sequences);
}

// Places of a set's agents; sets with fewer are padded (modules/actor_rows.h).
double RowsPerStep(const PolicySpec& policy) {
  std::vector<int> members(policy.stack.num_sets, 0);
  for (const int set : policy.set_of_agent) ++members[set];
  return static_cast<double>(policy.stack.num_sets) * *std::max_element(members.begin(), members.end());
}

// What a gradient step of Q-learning goes through.
struct ValueSteps {
  double states = 0;     // that some network is inferred on, each network's counted
  double trained = 0;    // joint steps
  double sequences = 0;  // of recurrent agents
  double length = 1;     // steps of a sequence
};

// What Q-learning holds: a minibatch, of which some states are inferred on besides, and networks, some with a target.
std::vector<MemoryTerm> ValueLearningMemory(const std::vector<PolicySpec>& policies, const ValueSteps& steps,
                                            int networks_of_each) {
  double rows = 0, networks = 0;
  for (const PolicySpec& policy : policies) {
    const double places = RowsPerStep(policy);
    // Inputs and outputs of all states; the loss's fields, and slopes, actions and values of every agent; what agents
    // remember where sequences begin, and each network's after their last steps.
    rows += places * kFloat *
            (steps.states * (policy.stack.input_size + policy.stack.output_size) +
             steps.trained * (int{ChosenOutputRow::kCount} + 4) +
             (2 * networks_of_each + 1) * steps.sequences * policy.stack.state_size());
    networks += networks_of_each * NetworkBytes(policy.stack, steps.trained * places, steps.length);
  }
  return {{"the agents' rows of a gradient step", rows},
          {"networks, optimisers and their copies for checkpoints", networks}};
}

MemoryTerm ReplayMemory(const char* field, uint64_t bytes, double share) {
  return {absl::StrCat("the replay, ", field, " = ", bytes), static_cast<double>(bytes) * share};
}

// What MADDPG holds of `minibatch` joint steps; `critics` with a target each.
absl::StatusOr<std::vector<MemoryTerm>> JointActionMemory(const Experiment& experiment,
                                                          const EnvironmentSpec& environment,
                                                          const std::vector<PolicySpec>& policies, int critics) {
  const double minibatch = experiment.maddpg().minibatch_size();
  double rows = 0, networks = 0, joint_action = 0, agents = 0, widest = 0;
  for (const PolicySpec& policy : policies) {
    const double places = RowsPerStep(policy);
    // Inputs and outputs of both states; slopes, what they are followed through, and outputs kept.
    rows += places * kFloat * minibatch * (2 * policy.stack.input_size + 5 * policy.stack.output_size);
    networks += 2 * NetworkBytes(policy.stack, minibatch * places, 1);
    joint_action += policy.num_agents * policy.action_size;
    agents += policy.num_agents;
    widest = std::max<double>(widest, policy.action_size);
  }
  ASSIGN_OR_RETURN(const JointCriticSpec critic,
                   MakeJointCritic(experiment.critic(), environment, static_cast<int64_t>(joint_action)));
  const double sets = critic.stack.num_sets, row = critic.stack.input_size;
  // Of every critic and target a row for each set; views of the joint steps to be differentiated at, and their slopes.
  double critic_rows = minibatch * kFloat * (2.0 * critics * sets * (row + 4) + 2 * std::max(sets, agents) * row);
  // Views for every choice, and their values; critics of single agents have as many as any of them.
  const double choices = std::max(joint_action, sets * widest);
  if (experiment.maddpg().discrete_gradient() == EXPECTED) critic_rows += minibatch * kFloat * choices * (row + 1);
  networks += 2 * critics * NetworkBytes(critic.stack, minibatch * sets, 1);
  return std::vector<MemoryTerm>{{"the agents' rows of a gradient step", rows},
                                 {"the critics' rows of a gradient step", critic_rows},
                                 {"networks, optimisers and their copies for checkpoints", networks},
                                 {"what a gradient step draws", 2 * minibatch * kFloat * 3 * row}};
}

bool AnyRecurrent(const std::vector<PolicySpec>& policies) {
  return std::ranges::any_of(policies, [](const PolicySpec& policy) { return policy.stack.is_recurrent(); });
}

// Of IQL, VDN and QMIX, `columns` of `all_columns` being this learner's.
std::vector<MemoryTerm> ReplayLearningMemory(const Experiment& experiment, const EnvironmentSpec& environment,
                                             const std::vector<PolicySpec>& policies, double columns,
                                             double all_columns) {
  const QLearningSettings& settings = experiment.q_learning();
  const CollectionSettings& collection = experiment.collection();
  ValueSteps steps{.states = 3.0 * settings.minibatch_size(), .trained = 1.0 * settings.minibatch_size()};
  double drawn = 2 * steps.trained;  // states
  if (AnyRecurrent(policies)) {
    steps.length =
        settings.has_replay_sequence_length() ? settings.replay_sequence_length() : collection.sequence_length();
    steps.sequences = std::max(1.0, std::floor(steps.trained / steps.length));
    steps.trained = steps.sequences * steps.length;
    // The states after the last steps, and one of a truncated episode's end.
    drawn = steps.sequences * (steps.length + 2);
    steps.states = 2 * drawn;
  }
  std::vector<MemoryTerm> terms = ValueLearningMemory(policies, steps, 2);
  if (experiment.algorithm().name() == "qmix") {
    // As of other networks, and its target; a part's gradient for every 256 rows.
    const MonotonicMixerSpec mixer{.agents = environment.num_agents(),
                                   .state_size = environment.state_size(),
                                   .embedding = static_cast<int>(settings.mixer_embedding()),
                                   .hypernetwork_size = static_cast<int>(settings.hypernetwork_size()),
                                   .state_layer_norm = settings.mixer_state_layer_norm()};
    terms.push_back({"the mixing network", kFloat * static_cast<double>(MonotonicMixer::NumParameters(mixer)) *
                                               (2 * kCopiesOfParameters + 1 + steps.trained / 256)});
  }
  // The sample's own tensors, and its states as a mixing network sees them.
  terms.push_back({"what a gradient step draws", drawn * kFloat * 2 * environment.state_size()});
  terms.push_back(ReplayMemory("q_learning.replay_bytes", settings.replay_bytes(), columns / all_columns));
  ChunkShape shape = ChunkShapeOf(experiment, policies);
  shape.copies = static_cast<int>(all_columns);
  shape.half_observations = false;
  const auto batch = static_cast<double>(std::max<size_t>(1, ChunkBytes(environment, shape, 0)));
  if (settings.priority_exponent() > 0) {
    const auto batches = static_cast<int64_t>(static_cast<double>(settings.replay_bytes()) / batch);
    const int every = AnyRecurrent(policies) ? static_cast<int>(collection.sequence_length()) : 1;
    // Those of a checkpoint beside them.
    terms.push_back({"the replay's priorities", 1.5 * static_cast<double>(ReplayPriorities::Bytes(
                                                          std::max<int64_t>(1, batches), shape.rollout_length,
                                                          static_cast<int>(columns), every))});
  }
  if (settings.keep_replay()) terms.push_back({"a batch on its way to disk", batch * columns / all_columns});
  return terms;
}

}  // namespace

absl::StatusOr<std::vector<MemoryTerm>> AlgorithmMemory(const Experiment& experiment,
                                                        const EnvironmentSpec& environment,
                                                        const std::vector<PolicySpec>& policies, int columns) {
  const double all_columns =
      static_cast<double>(experiment.collection().num_shards()) * experiment.collection().copies_per_shard();
  if (experiment.has_q_learning()) {
    return ReplayLearningMemory(experiment, environment, policies, columns, all_columns);
  }
  if (experiment.has_maddpg()) {
    const int critics = experiment.algorithm().name() == "matd3" ? 2 : 1;
    ASSIGN_OR_RETURN(std::vector<MemoryTerm> terms, JointActionMemory(experiment, environment, policies, critics));
    terms.push_back(ReplayMemory("maddpg.replay_bytes", experiment.maddpg().replay_bytes(), columns / all_columns));
    return terms;
  }
  if (experiment.has_pqn()) {
    const double batch = static_cast<double>(experiment.collection().rollout_length()) * columns;
    const double part = experiment.pqn().minibatch_size();
    ValueSteps steps{.states = batch + 2.0 * columns, .trained = part == 0 ? batch : std::min(batch, part)};
    if (AnyRecurrent(policies)) {
      steps.length = std::min(experiment.collection().sequence_length(), experiment.collection().rollout_length());
      steps.sequences = batch / steps.length + columns;
    }
    return ValueLearningMemory(policies, steps, 1);
  }
  const OptionView options(environment, policies);
  ASSIGN_OR_RETURN(std::vector<CriticLayout> layouts, MakeCriticLayouts(experiment.critic(), options.environment()));
  for (size_t c = 0, count = layouts.size(); c < count; ++c) {
    if (options.HasManager(layouts[c])) layouts.push_back(layouts[c]);  // a managers' critic like it
  }
  const double steps = static_cast<double>(experiment.collection().rollout_length()) * columns;
  // The states after the last step, and those of truncated episodes' ends.
  const double states = steps + 2.0 * columns;
  const double set_minibatch = experiment.ppo().minibatch_size();  // 0: the whole batch
  const double minibatch = set_minibatch == 0 ? steps : std::min(steps, set_minibatch);
  const double sequence =
      std::min<double>(experiment.collection().sequence_length(), experiment.collection().rollout_length());
  const double sequences = steps / sequence + columns;
  double actor_rows = 0, critic_rows = 0, estimates = 0, networks = 0;
  for (const auto& [policy, group, place, manages] : options.actors()) {
    const double rows = steps * RowsPerStep(policy);
    // Inputs, masks and fields; a field on its way into them; advantages, and those on their way into the fields; what
    // lag correction recomputes.
    const auto objective = MakePolicyObjective(policy, experiment.ppo().clip());
    const double fields = static_cast<double>(objective->FieldsPerRow(policy.stack.output_size));
    const double masks = objective->has_masks() ? policy.stack.output_size : 0;
    actor_rows += rows * (kFloat * (policy.stack.input_size + fields + 1) + masks) +
                  steps * policy.num_agents * kFloat * 4 +
                  sequences * RowsPerStep(policy) * policy.stack.state_size() * kFloat;
    networks += NetworkBytes(policy.stack, minibatch * RowsPerStep(policy), sequence);
  }
  for (const CriticLayout& layout : layouts) {
    // What is remembered where sequences begin, and at the end, there and from batch to batch.
    critic_rows += layout.rows_per_step * kFloat *
                   (states * layout.stack.input_size + (sequences + 2.0 * columns) * layout.stack.state_size());
    // Values twice while they are rescaled; rewards, values before and after, advantages and targets; two flags; the
    // rows of the loss.
    estimates += layout.columns() * (states * 2 * kFloat + steps * (5 * kFloat + 2 + kFloat * int{ValueRow::kCount}));
    networks += NetworkBytes(layout.stack, minibatch * layout.rows_per_step, sequence);
  }
  // A batch as networks see it: a group's tensors three times over where it has a manager.
  for (size_t g = 0; options.any() && g < policies.size(); ++g) {
    const double copies = options.has_manager(static_cast<int>(g)) ? 3 : 1;
    const double row =
        policies[g].observation_size + 2.0 * policies[g].action_size + 2.0 * policies[g].options.count + 8;
    estimates += copies * steps * policies[g].num_agents * row * kFloat;
  }
  // The shuffled steps, as a list and dealt to minibatches.
  estimates += steps * 2 * sizeof(int64_t);
  return std::vector<MemoryTerm>{
      {"the actors' rows of an update", actor_rows},
      {"the critics' inputs", critic_rows},
      {"values, advantages, targets and the order of the steps", estimates},
      {"networks, optimisers and their copies for checkpoints", networks},
  };
}

}  // namespace troupe
