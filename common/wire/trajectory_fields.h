// The table of what a trajectory is made of, a row per tensor: of a chunk on its way from worker to learner and of the
// batch it is trained on. Allocation, reading, checks, copying and bounds go through the rows; nothing else lists them.
//
// A new tensor is a field of proto/trajectory.proto, a member and a row here, who writes it (the worker's ChunkBuilder)
// and who reads it (an algorithm). A row's place in memory is the member of the same name; members have the shapes
// beside them.
//
// T = steps, E = copies (of a batch: B columns), A = agents of the group, O = observation size, N = action size, D =
// indices of a multi-discrete action, H = network state size, L = sequence length, S = state_extras_size, K = truncated
// episodes.
#ifndef TROUPE_COMMON_WIRE_TRAJECTORY_FIELDS_H_
#define TROUPE_COMMON_WIRE_TRAJECTORY_FIELDS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/specs/environment_spec.h"
#include "common/wire/chunk_shape.h"

namespace troupe {

// A tensor's first axis.
enum class FieldRows {
  kSteps,           // T: what was done at step t and came of it
  kObserved,        // T+1: what was seen before step t; the last is the next chunk's first
  kSequenceStarts,  // ⌈T / L⌉: how things were before step i·L
  kTruncated,       // K, and no axis of copies: truncated_at says where
};

// What a tensor's values must be before they are trained on.
enum class FieldCheck {
  kFinite,    // no NaN, no infinity
  kFlag,      // 0 or 1
  kAction,    // in [0, N), of index d of a multi-discrete action in [0, n_d), and allowed where the agent is alive
  kTogether,  // what makes sense only with other tensors: learner/ingest/chunk_values
};

// The numbers that shapes are made of, for one group or for what concerns all agents jointly.
struct FieldSizes {
  uint32_t steps = 0, copies = 0, truncated = 0;
  uint32_t agents = 1, observation_size = 0, action_size = 0;
  uint32_t num_choices = 0;            // D
  absl::Span<const int> action_sizes;  // n_d of multi-discrete actions; of the spec that the sizes are made from
  uint32_t state_size = 0, sequence_length = 1;  // of the group's network
  uint32_t state_extras_size = 0;
  uint32_t num_options = 0, option_steps = 0;
  uint32_t option_state_size = 2;  // (option, steps for which it has been followed)
  uint32_t place_size = 2;         // (t, copy)
  bool discrete = false, continuous = false, multi_discrete = false, has_masks = false, remembers = false;
  bool asks_who_lives = false;
  bool half_observations = false;
  bool values_actions = false;  // groups with masks only
  bool meets_saved = false;
  bool has_options = false;
  absl::Span<const absl::string_view> left_out;
};

// Where a tensor exists at all.
struct FieldCondition {
  bool FieldSizes::*holds = nullptr;  // null: everywhere
  absl::string_view otherwise;        // why it does not, for whoever sends it nevertheless
};
inline constexpr FieldCondition kDiscrete{&FieldSizes::discrete, "the group's actions are not discrete"};
inline constexpr FieldCondition kMultiDiscrete{&FieldSizes::multi_discrete,
                                               "the group's actions are not multi-discrete"};
inline constexpr FieldCondition kMasked{&FieldSizes::has_masks, "the group's actions are continuous"};
inline constexpr FieldCondition kContinuous{&FieldSizes::continuous, "the group's actions are discrete"};
inline constexpr FieldCondition kAskingWhoLives{&FieldSizes::asks_who_lives, "the run's critics do not ask who lives"};
inline constexpr FieldCondition kRemembering{&FieldSizes::remembers, "the group's network remembers nothing"};
inline constexpr FieldCondition kMeetingSaved{&FieldSizes::meets_saved, "the run has no pool of saved opponents"};
inline constexpr FieldCondition kValuingActions{&FieldSizes::values_actions,
                                                "the run's algorithm learns no values of discrete actions"};

inline constexpr FieldCondition kFollowingOptions{&FieldSizes::has_options, "the group has no options"};

// The last axis; kSingle: single numbers, and no such axis.
using FieldWidth = uint32_t FieldSizes::*;
inline constexpr FieldWidth kSingle = nullptr;

// A row of the table. Its type is that of the member: float, int32_t or uint8_t.
struct TrajectoryField {
  absl::string_view name;  // the member's
  int number = 0;          // of the message's field
  FieldRows rows = FieldRows::kSteps;
  bool per_agent = false;  // an axis A
  FieldWidth width = kSingle;
  FieldCheck check = FieldCheck::kFinite;
  absl::string_view wire;  // what the message's field is called
  FieldCondition only_where{};
  bool half = false;      // travels as float16 where the shape has half_observations
  bool optional = false;  // travels for algorithms whose card lists it (common/specs/algorithm_card)

  // The same row, but for:
  constexpr TrajectoryField Called(absl::string_view wire_name) const {
    TrajectoryField changed = *this;
    changed.wire = wire_name;
    return changed;
  }
  constexpr TrajectoryField Only(FieldCondition where) const {
    TrajectoryField changed = *this;
    changed.only_where = where;
    return changed;
  }
  constexpr TrajectoryField MayBeHalf() const {
    TrajectoryField changed = *this;
    changed.half = true;
    return changed;
  }
  constexpr TrajectoryField Optional() const {
    TrajectoryField changed = *this;
    changed.optional = true;
    return changed;
  }
};

constexpr TrajectoryField PerAgent(absl::string_view name, int number, FieldRows rows, FieldWidth width,
                                   FieldCheck check) {
  return {name, number, rows, /*per_agent=*/true, width, check, name};
}
constexpr TrajectoryField Joint(absl::string_view name, int number, FieldRows rows, FieldWidth width,
                                FieldCheck check) {
  return {name, number, rows, /*per_agent=*/false, width, check, name};
}

// Of each group.
struct GroupFields {
  // Calls visit(row, the row's member of each of `of`) for every row.
  template <typename Visit, typename... Tensors>
  static constexpr void ForEach(const Visit& visit, Tensors&... of) {
    using enum FieldRows;
    using enum FieldCheck;
    constexpr FieldWidth O = &FieldSizes::observation_size, N = &FieldSizes::action_size, D = &FieldSizes::num_choices,
                         H = &FieldSizes::state_size, held = &FieldSizes::option_state_size;
    visit(PerAgent("observations", 1, kObserved, O, kFinite).MayBeHalf(), of.observations...);
    visit(PerAgent("discrete_actions", 2, kSteps, kSingle, kAction).Called("actions").Only(kDiscrete),
          of.discrete_actions...);
    visit(PerAgent("multi_discrete_actions", 2, kSteps, D, kAction).Called("actions").Only(kMultiDiscrete),
          of.multi_discrete_actions...);
    visit(PerAgent("continuous_actions", 2, kSteps, N, kFinite).Called("actions").Only(kContinuous),
          of.continuous_actions...);
    visit(PerAgent("log_probabilities", 3, kSteps, kSingle, kFinite).Optional(), of.log_probabilities...);
    visit(PerAgent("rewards", 4, kSteps, kSingle, kFinite), of.rewards...);
    visit(PerAgent("action_masks", 5, kObserved, N, kFlag).Only(kMasked), of.action_masks...);
    visit(PerAgent("alive", 6, kObserved, kSingle, kFlag), of.alive...);
    visit(PerAgent("final_observations", 7, kTruncated, O, kFinite), of.final_observations...);
    visit(PerAgent("final_alive", 20, kTruncated, kSingle, kFlag).Only(kAskingWhoLives), of.final_alive...);
    visit(PerAgent("network_states", 8, kSequenceStarts, H, kFinite).Only(kRemembering), of.network_states...);
    visit(PerAgent("final_action_masks", 30, kTruncated, N, kFlag).Only(kValuingActions), of.final_action_masks...);
    visit(PerAgent("learns", 40, kSteps, kSingle, kFlag).Only(kMeetingSaved), of.learns...);
    visit(PerAgent("options", 50, kSteps, kSingle, kTogether).Only(kFollowingOptions), of.options...);
    visit(PerAgent("option_log_probabilities", 51, kSteps, kSingle, kFinite).Only(kFollowingOptions),
          of.option_log_probabilities...);
    visit(PerAgent("option_states", 52, kObserved, held, kTogether).Only(kFollowingOptions), of.option_states...);
  }
};

// One group's tensors. Floats and so on are what holds them: spans of a message, vectors of a batch. Large: what holds
// those that make up most of a chunk.
template <typename Floats, typename Ints, typename Bytes, typename Large = Floats>
struct GroupTensors {
  using Fields = GroupFields;
  Large observations;           // [T+1, E, A, O]
  Ints discrete_actions;        // [T, E, A], empty for groups of other kinds
  Ints multi_discrete_actions;  // [T, E, A, D], empty for groups of other kinds
  Floats continuous_actions;    // [T, E, A, N], empty for groups of other kinds
  Floats log_probabilities;     // [T, E, A], of the behaviour policy; empty where left out
  Floats rewards;               // [T, E, A]
  Bytes action_masks;           // [T+1, E, A, N], 1 = allowed; empty for continuous groups
  Bytes alive;                  // [T+1, E, A], 1 = the agent acts at this step
  Floats final_observations;    // [K, A, O]
  Bytes final_alive;            // [K, A], 1 = the agent lived; empty where critics do not ask
  Large network_states;         // [⌈T / L⌉, E, A, H], what agents remembered before step i·L; empty where H = 0
  Bytes final_action_masks;     // [K, A, N], 1 = allowed; empty where no values of actions are learnt
  Bytes learns;                 // [T, E, A], 0: a saved version chose the action; empty where there is no pool of them
  Ints options;                 // [T, E, A], followed at step t; empty without options, as the next two
  Floats option_log_probabilities;  // [T, E, A], under the manager that chose; 0 where none was chosen
  Floats option_states;             // [T+1, E, A, 2], before step t: the option followed until then, for how many steps
};

// Of what concerns all agents jointly.
struct JointFields {
  template <typename Visit, typename... Tensors>
  static constexpr void ForEach(const Visit& visit, Tensors&... of) {
    using enum FieldRows;
    using enum FieldCheck;
    constexpr FieldWidth S = &FieldSizes::state_extras_size, place = &FieldSizes::place_size;
    visit(Joint("state_extras", 6, kObserved, S, kFinite), of.state_extras...);
    visit(Joint("terminated", 7, kSteps, kSingle, kFlag), of.terminated...);
    visit(Joint("truncated", 8, kSteps, kSingle, kFlag), of.truncated...);
    visit(Joint("truncated_at", 9, kTruncated, place, kTogether), of.truncated_at...);
    visit(Joint("final_state_extras", 10, kTruncated, S, kFinite), of.final_state_extras...);
  }
};

// Their tensors, as GroupTensors.
template <typename Floats, typename Ints, typename Bytes, typename Large = Floats>
struct JointTensors {
  using Fields = JointFields;
  Large state_extras;         // [T+1, E, S]
  Bytes terminated;           // [T, E]: nothing follows step t; row t+1 is another episode's first
  Bytes truncated;            // [T, E]: row t+1 is another episode's first; bootstrap from final_*
  Ints truncated_at;          // [K, 2]: (t, copy); of a batch: (t, column)
  Floats final_state_extras;  // [K, S]
};

// Calls visit(row, first's member, the members of `more`) for every row of the table that `first` is of.
template <typename Visit, typename First, typename... More>
void ForEachField(const Visit& visit, First& first, More&... more) {
  std::remove_const_t<First>::Fields::ForEach(visit, first, more...);
}

template <typename Fields>
constexpr size_t CountFields() {
  size_t count = 0;
  Fields::ForEach([&count](const TrajectoryField&) { ++count; });
  return count;
}
// Every member has a row.
static_assert(sizeof(GroupTensors<char, char, char>) == CountFields<GroupFields>());
static_assert(sizeof(JointTensors<char, char, char>) == CountFields<JointFields>());

// `truncated`: K.
FieldSizes GroupSizes(const EnvironmentSpec& spec, const ChunkShape& shape, size_t group, uint32_t truncated);
FieldSizes JointSizes(const EnvironmentSpec& spec, const ChunkShape& shape, uint32_t truncated);

// Whether the tensor exists. Where it does not it has no bytes on the way and no elements in memory.
inline bool Exists(const TrajectoryField& field, const FieldSizes& sizes) {
  if (field.only_where.holds != nullptr && !(sizes.*field.only_where.holds)) return false;
  return !field.optional || std::ranges::find(sizes.left_out, field.name) == sizes.left_out.end();
}

// Why a tensor does not exist.
absl::string_view WhyNot(const TrajectoryField& field, const FieldSizes& sizes);

// The first axis.
uint32_t RowsOf(const TrajectoryField& field, const FieldSizes& sizes);
// All axes of a tensor that exists, and their product; 0 elements where it does not exist.
std::vector<uint32_t> ShapeOf(const TrajectoryField& field, const FieldSizes& sizes);
size_t NumElements(const TrajectoryField& field, const FieldSizes& sizes);

// The names of optional fields that are not among `wanted`.
std::vector<absl::string_view> OptionalFieldsBut(const std::vector<std::string>& wanted);

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_TRAJECTORY_FIELDS_H_
