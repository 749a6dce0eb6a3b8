#include "learner/run/rank_agreement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/base/status_macros.h"
#include "common/clock/steady_time.h"
#include "common/config/experiment_loader.h"
#include "common/files/safetensors_bytes.h"
#include "common/wire/spec_codec.h"
#include "google/protobuf/util/message_differencer.h"
#include "learner/algorithms/modules/rank_share.h"

namespace troupe {
namespace {

// Numbers read one after another.
class Reader {
 public:
  explicit Reader(const std::vector<double>& numbers) : numbers_(numbers) {}
  bool done() const { return next_ >= numbers_.size(); }
  size_t Count() { return static_cast<size_t>(numbers_[next_++]); }
  template <typename T>
  std::vector<T> Several() {
    const size_t count = Count();
    std::vector<T> values(numbers_.begin() + next_, numbers_.begin() + next_ + count);
    next_ += count;
    return values;
  }

 private:
  const std::vector<double>& numbers_;
  size_t next_ = 0;
};

template <typename T>
void AppendSeveral(const std::vector<T>& values, std::vector<double>* numbers) {
  numbers->push_back(static_cast<double>(values.size()));
  numbers->insert(numbers->end(), values.begin(), values.end());
}

}  // namespace

absl::StatusOr<Verdict> Agree(bool ready, bool stop, const absl::Status& health, Collective* ranks,
                              RankDirectory* directory) {
  if (ranks->size() > 1) {
    const int size = ranks->size(), loads_begin = 2 + size;
    // [0]: ranks not ready; [1]: wanting to stop; then a 1 for each rank that is not well; then each rank's load.
    std::vector<double> counts(loads_begin + (directory == nullptr ? 0 : RankLoad::kNumbers * size), 0.0);
    counts[0] = ready ? 0 : 1;
    counts[1] = stop ? 1 : 0;
    counts[2 + ranks->rank()] = health.ok() ? 0 : 1;
    const auto load_of = [&](int rank) { return counts.begin() + loads_begin + RankLoad::kNumbers * rank; };
    if (directory != nullptr) {
      const RankLoad own = directory->Report();
      std::ranges::copy(std::array{own.capacity, own.arrivals}, load_of(ranks->rank()));
    }
    ranks->Sum(absl::MakeSpan(counts));
    RETURN_IF_ERROR(health);
    RETURN_IF_ERROR(ranks->status());
    if (directory != nullptr) {
      std::vector<RankLoad> loads;
      for (int rank = 0; rank < size; ++rank) loads.push_back({load_of(rank)[0], load_of(rank)[1]});
      directory->Take(loads, SteadyTime::Now());
    }
    const auto unwell = std::find(counts.begin() + 2, counts.begin() + loads_begin, 1.0);
    if (unwell != counts.begin() + loads_begin) {
      return absl::AbortedError(
          absl::StrCat("rank ", unwell - counts.begin() - 2, " ended the run; its own output says why"));
    }
    ready = counts[0] == 0;
    stop = counts[1] > 0;
  }
  RETURN_IF_ERROR(health);
  if (stop) return Verdict::kStop;
  return ready ? Verdict::kGoOn : Verdict::kWait;
}

absl::Status AgreeAllIsWell(const absl::Status& own, Collective* ranks) {
  return Agree(/*ready=*/true, /*stop=*/false, own, ranks).status();
}

absl::Status CheckSameExperiment(const Experiment& experiment, Collective* ranks) {
  std::string text = FormatExperiment(experiment);
  ranks->Broadcast(&text);
  RETURN_IF_ERROR(ranks->status());
  ASSIGN_OR_RETURN(const Experiment of_first, ParseExperiment(text, "rank 0's experiment", {}));
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  if (differencer.Compare(of_first, experiment)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("rank ", ranks->rank(), " has another experiment than rank 0: ",
                                                 absl::StrReplaceAll(differences, {{"\n", "; "}})));
}

absl::Status CheckSameEnvironment(const EnvironmentSpec& environment, Collective* ranks) {
  wire::EnvironmentSpec message;
  EncodeEnvironmentSpec(environment, &message);
  std::string bytes = message.SerializeAsString();
  ranks->Broadcast(&bytes);
  RETURN_IF_ERROR(ranks->status());
  if (!message.ParseFromString(bytes)) return absl::InternalError("rank 0's environment cannot be read");
  ASSIGN_OR_RETURN(const EnvironmentSpec of_first, DecodeEnvironmentSpec(message));
  const std::string difference = DescribeDifference(of_first, environment);
  if (difference.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the workers of rank ", ranks->rank(), " have another environment than rank 0's: ", difference));
}

absl::Status CheckSameArithmetic(const std::string& bits, Collective* ranks) {
  std::string of_first = bits;
  ranks->Broadcast(&of_first);
  RETURN_IF_ERROR(ranks->status());
  if (of_first == bits) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("rank ", ranks->rank(), " multiplies otherwise than rank 0: ", bits, " instead of ", of_first,
                   "; a compute.precision that all machines of the run have (F32) makes them alike"));
}

absl::Status ShareStart(Checkpoint* start, bool* resumed, Collective* ranks) {
  ranks->Broadcast(&start->run_id);
  std::string bytes;
  if (ranks->rank() == 0 && *resumed) {
    ASSIGN_OR_RETURN(bytes, FormatSafetensors(EncodeCheckpoint(*start)));
  }
  ranks->Broadcast(&bytes);
  RETURN_IF_ERROR(ranks->status());
  *resumed = !bytes.empty();
  if (ranks->rank() == 0 || !*resumed) return absl::OkStatus();
  ASSIGN_OR_RETURN(SafetensorsFile file, ParseSafetensors(bytes));
  // Its experiment is this rank's, with what rank 0 has worked out.
  ASSIGN_OR_RETURN(*start, DecodeCheckpoint(std::move(file)));
  return absl::OkStatus();
}

absl::Status ShareTensors(std::vector<HostTensor>* tensors, Collective* ranks) {
  if (ranks->size() == 1) return absl::OkStatus();
  std::string bytes;
  if (ranks->rank() == 0) {
    ASSIGN_OR_RETURN(bytes, FormatSafetensors({{}, *tensors}));
  }
  ranks->Broadcast(&bytes);
  RETURN_IF_ERROR(ranks->status());
  if (ranks->rank() == 0) return absl::OkStatus();
  ASSIGN_OR_RETURN(SafetensorsFile file, ParseSafetensors(bytes));
  *tensors = std::move(file.tensors);
  return absl::OkStatus();
}

RankReport JoinReports(RankReport own, Collective* ranks) {
  if (ranks->size() == 1) return own;
  std::vector<double> numbers;
  AppendSeveral(own.lease_epochs, &numbers);
  numbers.push_back(static_cast<double>(own.episodes.size()));
  for (const EpisodeSummary& episode : own.episodes) {
    numbers.push_back(episode.length);
    AppendSeveral(episode.group_returns, &numbers);
    AppendSeveral(episode.statistics, &numbers);
  }
  numbers = Concatenate(numbers, ranks);
  if (!ranks->status().ok()) return own;
  RankReport all;
  for (Reader reader(numbers); !reader.done();) {
    std::ranges::copy(reader.Several<uint32_t>(), std::back_inserter(all.lease_epochs));
    for (size_t episodes = reader.Count(); episodes > 0; --episodes) {
      EpisodeSummary episode;
      episode.length = static_cast<uint32_t>(reader.Count());
      episode.group_returns = reader.Several<float>();
      episode.statistics = reader.Several<float>();
      all.episodes.push_back(std::move(episode));
    }
  }
  return all;
}

}  // namespace troupe
