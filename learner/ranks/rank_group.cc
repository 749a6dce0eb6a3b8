#include "learner/ranks/rank_group.h"

#define USE_C10D_GLOO
#include <cstdlib>
#include <optional>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "learner/ranks/nccl.h"
#include "learner/ranks/rank_store.h"

namespace troupe {
namespace {

class RankGroup final : public Collective {
 public:
  RankGroup(c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo, const RankGroupOptions& options)
      : gloo_(std::move(gloo)), options_(options) {}

  int rank() const override { return options_.rank; }
  int size() const override { return options_.size; }
  absl::Status status() const override { return status_; }

  void Sum(absl::Span<double> values) override {
    at::Tensor tensor = at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kDouble);
    if (!values.empty()) SumOnHost(&tensor);
  }

  void Sum(at::Tensor* values) override {
    if (values->is_cpu()) return SumOnHost(values);
    if (!nccl_.has_value()) StartNccl(values->device());
    if (*nccl_ != nullptr) return Do([&] { (*nccl_)->Sum(values); });
    at::Tensor host = values->to(at::kCPU);
    SumOnHost(&host);
    values->copy_(host);
  }

  void Broadcast(std::string* bytes) override {
    double size = rank() == 0 ? static_cast<double>(bytes->size()) : 0;
    Sum(absl::MakeSpan(&size, 1));
    if (!status_.ok() || size == 0) return bytes->resize(static_cast<size_t>(size));
    bytes->resize(static_cast<size_t>(size));
    std::vector<at::Tensor> tensors = {at::from_blob(bytes->data(), {static_cast<int64_t>(size)}, at::kByte)};
    Do([&] { gloo_->broadcast(tensors)->wait(); });
  }

 private:
  template <typename Call>
  void Do(Call&& call) {
    if (!status_.ok()) return;
    try {
      call();
    } catch (const std::exception& error) {
      status_ =
          absl::UnavailableError(absl::StrCat("rank ", rank(), " has lost the other learners: ", ReasonOf(error)));
    }
  }

  void SumOnHost(at::Tensor* values) {
    std::vector<at::Tensor> tensors = {*values};
    Do([&] { gloo_->allreduce(tensors)->wait(); });
  }

  // Null for all when one of them has no NCCL.
  void StartNccl(at::Device device) {
    const absl::StatusOr<NcclLibrary> library = LoadNccl();
    double missing = library.ok() ? 0 : 1;
    Sum(absl::MakeSpan(&missing, 1));
    nccl_.emplace();
    if (!status_.ok()) return;
    if (missing > 0) {
      const std::string reason = library.ok() ? "another rank has none" : std::string(library.status().message());
      return options_.log(absl::StrCat("no NCCL (", reason, "): gradients go through host memory"));
    }
    std::string id = rank() == 0 ? NewNcclId(*library) : "";
    Broadcast(&id);
    Do([&] { nccl_->reset(new NcclGroup(*library, id, rank(), size(), device, options_.timeout)); });
  }

  const c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_;
  const RankGroupOptions options_;
  std::optional<std::unique_ptr<NcclGroup>> nccl_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Collective>> JoinRankGroup(const RankGroupOptions& options) {
  ASSIGN_OR_RETURN(c10::intrusive_ptr<c10d::Store> store, JoinRankStore(options));
  ASSIGN_OR_RETURN(const std::string address, AddressFacing(options.master_address, options.master_port));
  using Gloo = c10d::ProcessGroupGloo;
  try {
    auto gloo_options = Gloo::Options::create(absl::ToChronoMilliseconds(options.timeout));
    const char* const interface = std::getenv("GLOO_SOCKET_IFNAME");
    gloo_options->devices = {interface == nullptr ? Gloo::createDeviceForHostname(address)
                                                  : Gloo::createDeviceForInterface(interface)};
    auto gloo = c10::make_intrusive<Gloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", std::move(store)),
                                          options.rank, options.size, std::move(gloo_options));
    return std::unique_ptr<Collective>(new RankGroup(std::move(gloo), options));
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat("rank ", options.rank, " cannot connect to the other learners: ", ReasonOf(error)));
  }
}

}  // namespace troupe
