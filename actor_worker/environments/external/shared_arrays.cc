#include "actor_worker/environments/external/shared_arrays.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr int64_t kAlignment = 64;

int64_t Aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Calls visit(array, elements) for every array of the table, in its order.
template <typename Visit>
void VisitArrays(const EnvironmentSpec& spec, int64_t copies, SharedArrays& arrays, const Visit& visit) {
  visit(arrays.commands, copies);
  visit(arrays.seeds, copies);
  visit(arrays.endings, copies);
  visit(arrays.statistics, copies * spec.num_statistics());
  visit(arrays.state_extras, copies * spec.state_extras_size);
  arrays.groups.resize(spec.groups.size());
  for (size_t g = 0; g < spec.groups.size(); ++g) {
    const AgentGroupSpec& group = spec.groups[g];
    SharedArrays::Group& views = arrays.groups[g];
    const int64_t rows = copies * group.num_agents();
    if (group.has_masks()) {
      visit(views.discrete, rows * group.num_choices());
    } else {
      visit(views.continuous, rows * group.action_size);
    }
    visit(views.observations, rows * group.observation_size);
    visit(views.action_mask, group.has_masks() ? rows * group.action_size : 0);
    visit(views.alive, rows);
    visit(views.rewards, rows);
  }
}

}  // namespace

absl::StatusOr<SharedLayout> PlanSharedMemory(const EnvironmentSpec& spec, int copies) {
  constexpr int kCommonArrays = 5, kGroupArrays = 5;
  SharedLayout layout;
  layout.bytes = Aligned((kCommonArrays + kGroupArrays * int64_t(spec.groups.size())) * sizeof(uint64_t));
  SharedArrays unused;
  VisitArrays(spec, copies, unused, [&layout](const auto& array, int64_t elements) {
    layout.offsets.push_back(elements == 0 ? 0 : layout.bytes);
    // Sizes are at most 1e6 agents of 1e6 numbers of some thousand copies: no overflow before it is refused.
    if (layout.bytes <= kMostSharedBytes) layout.bytes += Aligned(elements * int64_t{sizeof(array[0])});
  });
  if (layout.bytes <= kMostSharedBytes) return layout;
  return absl::ResourceExhaustedError(absl::StrCat(copies, " copies of what agents see and do take more than ",
                                                   kMostSharedBytes >> 20, " MiB: fewer copies, or more processes"));
}

SharedArrays LayOut(const EnvironmentSpec& spec, int copies, const SharedLayout& layout, char* memory) {
  std::memcpy(memory, layout.offsets.data(), layout.offsets.size() * sizeof(uint64_t));
  SharedArrays arrays;
  size_t next = 0;
  VisitArrays(spec, copies, arrays, [&]<typename T>(absl::Span<T>& array, int64_t elements) {
    array = {reinterpret_cast<T*>(memory + layout.offsets[next++]), size_t(elements)};
  });
  return arrays;
}

}  // namespace troupe
