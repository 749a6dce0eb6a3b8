// Two updates end where tests/oracle says: a learner in float64, written from the papers in NumPy, whose answers lie in
// tests/oracle/cases. Every case is trained in every arithmetic that a CPU allows, a GPU's steps included.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/files/safetensors.h"
#include "learner/arithmetic/host/compute_pool.h"
#include "tests/algorithms/batch_builder.h"

namespace troupe {
namespace {

// How networks are stepped. `cpu` is TROUPE_CPU's value, "" for none.
struct Path {
  std::string name{}, cpu{};
  Precision precision = F32;
  ArithmeticOptions::Overrides overrides{};
  int threads = 1;
};

// How far from the oracle a path may end; CompareState says of what.
constexpr double kFloatTolerance = 1e-4, kBfloatTolerance = 0.25, kNormedBfloatTolerance = 0.55;

std::vector<Path> AllPaths() {
  return {{.name = "fastest blocks"},
          {.name = "three threads", .threads = 3},
          {.name = "AVX-512", .cpu = "avx512"},
          {.name = "AVX2", .cpu = "avx2"},
          {.name = "LibTorch", .cpu = "none"},
          {.name = "autograd", .overrides = {.autograd = true}, .threads = 2},
          {.name = "GPU's steps", .overrides = {.gpu_on_cpu = true}},
          {.name = "GPU's steps in parts", .overrides = {.gpu_on_cpu = true, .rows_per_part = 20}},
          {.name = "bfloat16 in AMX", .precision = BF16},
          {.name = "bfloat16 in AVX-512", .cpu = "bf16", .precision = BF16},
          {.name = "bfloat16 in GPU's steps", .precision = BF16, .overrides = {.gpu_on_cpu = true}}};
}

std::string Folder() { return std::string(TROUPE_SOURCE_DIR) + "/tests/oracle/cases"; }

std::vector<std::string> AllCases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder())) names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Case {
 public:
  explicit Case(const std::string& name) : file_(ReadSafetensors(Folder() + "/" + name + ".safetensors").value()) {
    for (const HostTensor& tensor : file_.tensors) tensors_[tensor.name] = &tensor;
  }

  const std::string& Text(const std::string& key) const { return file_.metadata.at(key); }
  int Number(const std::string& key) const { return std::stoi(Text(key)); }
  const HostTensor* Find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second;
  }
  // Nothing of a tensor that is not there: empty ones are left out.
  template <typename T>
  std::vector<T> Values(const std::string& name) const {
    if (Find(name) == nullptr) return {};
    const HostTensor& tensor = *Find(name);
    std::vector<T> values(tensor.num_elements());
    EXPECT_EQ(tensor.bytes.size(), values.size() * sizeof(T)) << name;
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return values;
  }

  AlgorithmContext Context(const Path& path) const {
    std::vector<AgentGroupSpec> groups;
    for (const absl::string_view text : absl::StrSplit(Text("groups"), ';')) {
      std::istringstream stream{std::string(text)};
      std::string name;
      int agents = 0, observation = 0, actions = 0;
      stream >> name >> agents >> observation >> actions;
      groups.push_back(DiscreteGroup(name, agents, observation, actions));
      for (std::string word; stream >> word;) {
        if (word == "continuous") groups.back().action_kind = ActionKind::kContinuous;
        if (word == "indices") {  // how many, and the choices of each
          groups.back().action_kind = ActionKind::kMultiDiscrete;
          stream >> actions;
          groups.back().action_sizes.resize(actions);
          for (int& size : groups.back().action_sizes) stream >> size;
        }
        if (word == "team") stream >> groups.back().team;
      }
    }
    AlgorithmContext context = MakeContext(Text("settings"), std::move(groups), Number("state_extras_size"));
    context.environment.state_includes_observations = Number("state_includes_observations") != 0;
    context.experiment.mutable_compute()->set_precision(path.precision);
    context.arithmetic.overrides = path.overrides;
    return context;
  }

  TrainingBatch Batch(const AlgorithmContext& context, uint64_t update) const {
    const std::string prefix = "batch" + std::to_string(update) + "/";
    TrainingBatch batch;
    batch.rollout_length = Number("rollout_length");
    batch.columns = Number("columns");
    batch.state_extras = Values<float>(prefix + "state_extras");
    batch.terminated = Values<uint8_t>(prefix + "terminated");
    batch.truncated = Values<uint8_t>(prefix + "truncated");
    batch.truncated_at = Values<int32_t>(prefix + "truncated_at");
    batch.final_state_extras = Values<float>(prefix + "final_state_extras");
    batch.policy_versions.assign(batch.columns, update);
    for (const AgentGroupSpec& group : context.environment.groups) {
      const std::string own = prefix + group.name + "/";
      batch.groups.push_back({.observations = Values<float>(own + "observations"),
                              .discrete_actions = Values<int32_t>(own + "discrete_actions"),
                              .multi_discrete_actions = Values<int32_t>(own + "multi_discrete_actions"),
                              .continuous_actions = Values<float>(own + "continuous_actions"),
                              .log_probabilities = Values<float>(own + "log_probabilities"),
                              .rewards = Values<float>(own + "rewards"),
                              .action_masks = Values<uint8_t>(own + "action_masks"),
                              .alive = Values<uint8_t>(own + "alive"),
                              .final_observations = Values<float>(own + "final_observations"),
                              .final_alive = Values<uint8_t>(own + "final_alive"),
                              .network_states = Values<float>(own + "network_states"),
                              .final_action_masks = Values<uint8_t>(own + "final_action_masks"),
                              .options = Values<int32_t>(own + "options"),
                              .option_log_probabilities = Values<float>(own + "option_log_probabilities"),
                              .option_states = Values<float>(own + "option_states")});
    }
    const std::vector<int64_t> streams = Values<int64_t>(prefix + "streams");  // [columns, 4]
    for (size_t at = 0; at < streams.size(); at += 4) {
      batch.streams.push_back({.shard = static_cast<uint32_t>(streams[at]),
                               .copy = static_cast<uint32_t>(streams[at + 1]),
                               .lease_epoch = static_cast<uint32_t>(streams[at + 2]),
                               .sequence = static_cast<uint64_t>(streams[at + 3])});
    }
    return batch;
  }

 private:
  SafetensorsFile file_;
  std::map<std::string, const HostTensor*> tensors_;
};

std::vector<double> AsDoubles(const HostTensor& tensor) {
  std::vector<double> values(tensor.num_elements());
  if (tensor.data_type == DataType::kInt64) {
    std::vector<int64_t> counts(values.size());
    std::memcpy(counts.data(), tensor.bytes.data(), tensor.bytes.size());
    std::copy(counts.begin(), counts.end(), values.begin());
  } else if (tensor.data_type == DataType::kFloat64) {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  } else {
    std::copy_n(tensor.floats(), values.size(), values.begin());
  }
  return values;
}

// Squares of how far numbers are from where they should be, and of how far that is from where they began.
struct Distance {
  double error = 0, way = 0;
  int64_t count = 0;

  void Add(const Distance& other) { error += other.error, way += other.way, count += other.count; }
  double MeanWay() const { return count == 0 ? 0.0 : std::sqrt(way / count); }
  double MeanError() const { return count == 0 ? 0.0 : std::sqrt(error / count); }
};

// A tensor that the case gives no beginning began at 0.
Distance Measure(const Case& one, const HostTensor& came) {
  const std::vector<double> values = AsDoubles(came), expected = AsDoubles(*one.Find("expected/" + came.name));
  const HostTensor* const initial = one.Find("initial/" + came.name);
  const std::vector<double> start = initial == nullptr ? std::vector<double>(values.size()) : AsDoubles(*initial);
  Distance distance{.count = static_cast<int64_t>(values.size())};
  for (size_t i = 0; i < values.size(); ++i) {
    distance.error += std::pow(values[i] - expected[i], 2);
    distance.way += std::pow(expected[i] - start[i], 2);
  }
  return distance;
}

// Puts the case's parameters into a state as the algorithm begins with.
void Begin(const Case& one, Algorithm* algorithm) {
  std::vector<HostTensor> state = algorithm->SaveState();
  for (HostTensor& tensor : state) {
    ASSERT_NE(one.Find("expected/" + tensor.name), nullptr) << tensor.name << " is not in the case";
    const HostTensor* const initial = one.Find("initial/" + tensor.name);
    if (initial == nullptr) continue;
    ASSERT_EQ(tensor.shape, initial->shape) << tensor.name;
    tensor.bytes = initial->bytes;
  }
  ASSERT_TRUE(algorithm->LoadState(state).ok());
}

// Norms of narrow layers magnify what bfloat16 rounds off.
bool HasNorms(const Case& one) { return one.Text("settings").find("layer_norm: true") != std::string::npos; }

// Networks that remember, or a replay: batches say whose pieces they hold, and the CPU alone trains on them.
bool HasStreams(const Case& one) { return one.Find("batch0/streams") != nullptr; }

bool Attends(const Case& one) { return one.Text("settings").find("attention_heads") != std::string::npos; }

// What a figure may be away from the oracle's. A clip fraction moves by whole samples in bfloat16.
double Allowed(const Case& one, const std::string& name, double should, const Path& path) {
  const bool exact = path.precision == F32 || name.find("rate") != std::string::npos;
  const double relative = exact           ? 1e-4
                          : HasNorms(one) ? 0.6
                                          : 0.25,
               absolute = exact           ? 2e-6
                          : HasNorms(one) ? 0.1
                                          : 0.03;
  return relative * std::abs(should) + absolute;
}

// The figures an update reports, next to the oracle's.
void CompareFigures(const Case& one, uint64_t update, const UpdateStatistics& came, const Path& path) {
  const std::map<std::string, double> values(came.values.begin(), came.values.end());
  const std::vector<std::string> names = absl::StrSplit(one.Text("figures"), ' ');
  const std::vector<double> expected = one.Values<double>("expected/figures");
  EXPECT_EQ(values.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const double should = expected[update * names.size() + i];
    ASSERT_TRUE(values.contains(names[i])) << names[i];
    EXPECT_NEAR(values.at(names[i]), should, Allowed(one, names[i], should, path))
        << names[i] << " of update " << update;
  }
}

// Root mean squares of a tensor's errors against those of its way. A parameter may come back to where it began: what
// its network moved counts for it as well. In bfloat16 whole networks are compared.
void CompareState(const Case& one, const std::vector<HostTensor>& state, const Path& path) {
  const auto is_parameter = [&](const HostTensor& tensor) { return one.Find("initial/" + tensor.name) != nullptr; };
  const auto network_of = [](const HostTensor& tensor) {
    return tensor.name.substr(0, tensor.name.find('/', tensor.name.find('/') + 1));
  };
  std::map<std::string, Distance> networks;
  for (const HostTensor& tensor : state) {
    if (is_parameter(tensor)) networks[network_of(tensor)].Add(Measure(one, tensor));
  }
  if (path.precision == BF16) {
    const double tolerance = HasNorms(one) ? kNormedBfloatTolerance : kBfloatTolerance;
    for (const auto& [network, distance] : networks) {
      EXPECT_LE(distance.MeanError(), tolerance * distance.MeanWay()) << network;
    }
    return;
  }
  for (const HostTensor& tensor : state) {
    const Distance distance = Measure(one, tensor);
    double way = distance.MeanWay();
    if (is_parameter(tensor)) way = std::max(way, networks[network_of(tensor)].MeanWay());
    EXPECT_LE(distance.MeanError(), kFloatTolerance * way) << tensor.name;
  }
}

class Oracle : public ::testing::TestWithParam<std::string> {
 protected:
  void TearDown() override {
    unsetenv("TROUPE_CPU");
    SetComputeThreads(1);
  }
};

TEST_P(Oracle, TwoUpdatesEndWhereTheOracleEnds) {
  const Case one(GetParam());
  const std::vector<int64_t> progress = one.Values<int64_t>("progress");  // [updates, 3]
  for (const Path& path : AllPaths()) {
    SCOPED_TRACE(path.name);
    path.cpu.empty() ? unsetenv("TROUPE_CPU") : setenv("TROUPE_CPU", path.cpu.c_str(), /*overwrite=*/1);
    SetComputeThreads(path.threads);
    const AlgorithmContext context = one.Context(path);
    const auto algorithm = CreateAlgorithm(context);
    // Layer norms in bfloat16, or a processor without it; recurrent networks, attention and targets in bfloat16 or a
    // GPU's steps.
    const bool on_cpu_alone = HasStreams(one) || Attends(one);
    const bool may_refuse = path.precision == BF16 || (on_cpu_alone && path.overrides.gpu_on_cpu);
    if (may_refuse && absl::IsFailedPrecondition(algorithm.status())) continue;
    ASSERT_TRUE(algorithm.ok()) << algorithm.status();
    ASSERT_NO_FATAL_FAILURE(Begin(one, algorithm->get()));
    for (size_t update = 0; 3 * update < progress.size(); ++update) {
      const int64_t* const at = progress.data() + 3 * update;
      const auto figures = (*algorithm)
                               ->Update(one.Batch(context, update), {.update = static_cast<uint64_t>(at[0]),
                                                                     .env_steps = static_cast<uint64_t>(at[1]),
                                                                     .total_env_steps = static_cast<uint64_t>(at[2])});
      ASSERT_TRUE(figures.ok()) << figures.status();
      CompareFigures(one, update, *figures, path);
    }
    CompareState(one, (*algorithm)->SaveState(), path);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Oracle, ::testing::ValuesIn(AllCases()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace troupe
