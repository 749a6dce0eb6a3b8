#include "learner/arithmetic/cpu/host_arithmetic.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "learner/arithmetic/cpu/input_slopes.h"
#include "learner/arithmetic/host/compute_pool.h"

namespace troupe {

HostArithmetic::HostArithmetic(std::vector<NetworkPlan> plans, const MakeEngine& make_engine, std::string description,
                               std::string bits, Collective* ranks)
    : description_(std::move(description)), bits_(std::move(bits)), ranks_(*ranks) {
  int64_t size = 0;
  members_.reserve(plans.size());
  for (NetworkPlan& plan : plans) {
    members_.push_back({TrainedNetwork(std::move(plan), at::kCPU)});
    Member& member = members_.back();
    member.engine = make_engine(member.network);
    member.gradient = size;
    if (member.network.is_stepped()) size += member.network.stack.parameters().numel();
    member.totals.resize(member.network.num_sets());
    member.losses.resize(member.network.num_sets());
  }
  for (Member& member : members_) {
    member.figures = size;
    size += member.network.num_sets() * member.network.num_figures();
  }
  sums_ = at::zeros({size}, at::kFloat);
  order_.resize(members_.size());
  std::iota(order_.begin(), order_.end(), size_t{0});
  const auto cost = [&](size_t n) {
    const TrainedNetwork& network = members_[n].network;
    return network.stack.parameters().numel() * network.plan.rows_per_step;
  };
  std::stable_sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return cost(a) > cost(b); });
}

RowMemory HostArithmetic::Rows(size_t network, int64_t states, int64_t steps) {
  Member& member = members_[network];
  const NetworkPlan& plan = member.network.plan;
  const int64_t rows = plan.stack.num_sets * plan.rows_per_step;
  member.states = states;
  member.steps = steps;
  member.inputs.Reserve(states * rows * plan.stack.input_size);
  if (member.network.is_stepped() && plan.objective->has_masks()) {
    member.masks.Reserve(steps * rows * plan.stack.output_size);
  }
  member.fields.Reserve(steps * rows * member.network.fields_per_row());
  if (!plan.stack.is_recurrent()) return {member.inputs.data(), member.masks.data()};
  member.remembered.Reserve(timeline_->num_sequences() * rows * plan.stack.state_size());
  member.remembered_last.resize(timeline_->columns * rows * plan.stack.state_size());
  return {member.inputs.data(), member.masks.data(), member.remembered.data()};
}

NetworkRows HostArithmetic::RowsOf(Member& member) const {
  return {.inputs = member.inputs.data(),
          .masks = member.masks.data(),
          .fields = member.fields.data(),
          .states = member.states,
          .steps = member.steps,
          .rows_per_step = member.network.plan.rows_per_step,
          .timeline = timeline_.get(),
          .remembered = member.remembered.data(),
          .remembered_last = member.remembered_last.data()};
}

void HostArithmetic::UseRows() { RefreshAll(); }

template <typename Count, typename Body>
void HostArithmetic::ForEachItem(Count&& count, Body&& body) {
  int64_t total = 0;
  for (const Member& member : members_) total += count(member);
  ParallelTasks(total, [&](int lane, int64_t task) {
    size_t place = 0;
    while (task >= count(members_[order_[place]])) task -= count(members_[order_[place++]]);
    body(lane, members_[order_[place]], task);
  });
}

void HostArithmetic::RefreshAll() {
  if (std::exchange(refreshed_, true)) return;
  ForEachItem([](const Member& member) { return member.engine->num_refresh_items(); },
              [](int, Member& member, int64_t item) { member.engine->Refresh(item); });
}

void HostArithmetic::Infer(size_t network, std::vector<float>* outputs) {
  Member& member = members_[network];
  const NetworkPlan& plan = member.network.plan;
  outputs->resize(member.states * plan.stack.num_sets * plan.rows_per_step * plan.stack.output_size);
  member.engine->Infer(RowsOf(member), outputs->data());
}

void HostArithmetic::RunEpoch(const Epoch& epoch) {
  const bool whole = epoch.minibatches.size() == 1;
  for (size_t m = 0; m < epoch.minibatches.size(); ++m) {
    for (size_t n = 0; n < members_.size(); ++n) {
      Member& member = members_[n];
      if (!member.network.is_stepped()) continue;
      const Epoch::Network& of = epoch.networks[n];
      MinibatchTask task{.steps = whole ? nullptr : epoch.minibatches[m].data(),
                         .num_steps = static_cast<int64_t>(epoch.minibatches[m].size()),
                         .denominators = of.denominators.data() + m * member.network.num_sets(),
                         .stepped = of.stepped.empty() ? nullptr : of.stepped.data(),
                         .scalars = of.scalars};
      if (!epoch.sequences.empty()) {
        task.sequences = whole ? nullptr : epoch.sequences[m].data();
        task.num_sequences = static_cast<int64_t>(epoch.sequences[m].size());
      }
      member.engine->Begin(RowsOf(member), task);
    }
    const auto stepped = [](const Member& member, int64_t items) { return member.network.is_stepped() ? items : 0; };
    ForEachItem([&](const Member& member) { return stepped(member, member.engine->num_parts()); },
                [](int lane, Member& member, int64_t part) { member.engine->RunPart(part, lane); });
    ForEachItem([&](const Member& member) { return stepped(member, member.engine->num_sum_items()); },
                [&](int, Member& member, int64_t item) {
                  member.engine->Sum(item, sums_.data_ptr<float>() + member.gradient);
                });
    Step(epoch, m);
    if (!ranks_.status().ok()) return;
  }
}

void HostArithmetic::Step(const Epoch& epoch, size_t minibatch) {
  for (size_t n = 0; n < members_.size(); ++n) {
    const Member& member = members_[n];
    if (!member.network.is_stepped()) continue;
    const int figures = member.network.num_figures();
    float* to = sums_.data_ptr<float>() + member.figures;
    for (int64_t set = 0; set < member.network.num_sets(); ++set) {
      Objective::Figures sums{};
      member.engine->AddFigures(static_cast<int>(set), &sums);
      const double denominator = epoch.networks[n].denominators[minibatch * member.network.num_sets() + set];
      for (int i = 0; i < figures; ++i) *to++ = static_cast<float>(sums[i] / denominator);
    }
  }
  ranks_.Sum(&sums_);
  for (size_t n = 0; n < members_.size(); ++n) {
    Member& member = members_[n];
    if (!member.network.is_stepped()) continue;
    const Epoch::Network& of = epoch.networks[n];
    const uint8_t* const stepped = of.stepped.empty() ? nullptr : of.stepped.data();
    const int num_figures = member.network.num_figures();
    const float* const figures = sums_.data_ptr<float>() + member.figures;
    for (int64_t set = 0; set < member.network.num_sets(); ++set) {
      const float* const own = figures + set * num_figures;
      member.losses[set] = std::accumulate(own, own + num_figures, 0.0f);
    }
    const std::vector<FlatAdam::HostStepResult>& results = member.network.optimizer.StepOnHost(
        of.learning_rate, sums_.data_ptr<float>() + member.gradient, member.losses.data(), stepped);
    for (int64_t set = 0; set < member.network.num_sets(); ++set) {
      if (stepped != nullptr && stepped[set] == 0) continue;
      SetFigures& total = member.totals[set];
      if (results[set].skipped) {
        total.skipped += 1;
        continue;
      }
      for (int i = 0; i < num_figures; ++i) {
        total.sums[i] += figures[set * num_figures + i];
        if (first_minibatch_) total.first[i] = figures[set * num_figures + i];
      }
      total.gradient_norm += results[set].gradient_norm;
      total.steps += 1;
    }
  }
  first_minibatch_ = false;
  refreshed_ = false;
  RefreshAll();
}

UpdateFigures HostArithmetic::TakeFigures() {
  UpdateFigures figures;
  for (Member& member : members_) {
    figures.push_back(member.totals);
    member.totals.assign(member.totals.size(), {});
  }
  first_minibatch_ = true;
  return figures;
}

std::vector<HostTensor> HostArithmetic::Export(size_t network, const std::string& prefix) const {
  return members_[network].network.Export(prefix);
}

void HostArithmetic::Blend(size_t from, size_t to, double rate) {
  const float* const source = members_[from].network.stack.parameters().const_data_ptr<float>();
  float* const target = members_[to].network.stack.parameters().data_ptr<float>();
  const int64_t count = members_[to].network.stack.parameters().numel();
  const auto share = static_cast<float>(rate);
  if (share == 1.0f) {
    std::copy_n(source, count, target);
  } else {
    for (int64_t i = 0; i < count; ++i) target[i] += share * (source[i] - target[i]);
  }
  refreshed_ = false;
}

InputGradient HostArithmetic::Differentiate(size_t network, absl::Span<const float> inputs, int64_t rows) {
  InputGradient found;
  if (members_[network].engine->Differentiate(inputs, rows, &found)) return found;
  const TrainedNetwork& of = members_[network].network;
  return DifferentiateByInputs(of.plan.stack, of.stack.parameters(), inputs, rows);
}

void HostArithmetic::Save(size_t network, std::vector<HostTensor>* state) const {
  members_[network].network.Save(state);
}

void HostArithmetic::Load(size_t network, absl::Span<const HostTensor> state) {
  members_[network].network.Load(state);
  refreshed_ = false;
}

}  // namespace troupe
