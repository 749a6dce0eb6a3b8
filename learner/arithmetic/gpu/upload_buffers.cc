#include "learner/arithmetic/gpu/upload_buffers.h"

#include <algorithm>

namespace troupe {
namespace {

at::Tensor Shaped(const at::Tensor& bytes, at::IntArrayRef sizes, at::ScalarType type) {
  const int64_t count = c10::multiply_integers(sizes) * static_cast<int64_t>(c10::elementSize(type));
  return bytes.narrow(0, 0, count).view(type).view(sizes);
}

}  // namespace

UploadBuffers::UploadBuffers(at::Device device) : device_(device), stream_(device), sets_{Set(device), Set(device)} {}

UploadBuffers::~UploadBuffers() {
  for (const Set& set : sets_) set.sent.AwaitOnHost();
}

void UploadBuffers::Begin() {
  current_ = 1 - current_;
  Set& set = sets_[current_];
  set.sent.AwaitOnHost();
  set.handed_out = set.sent_off = 0;
  const DeviceStream::FreeScope scope(stream_);
  set.released.Await();
}

at::Tensor UploadBuffers::Host(at::IntArrayRef sizes, at::ScalarType type) {
  Set& set = sets_[current_];
  const int64_t bytes = c10::multiply_integers(sizes) * static_cast<int64_t>(c10::elementSize(type));
  const size_t place = set.handed_out++;
  if (place == set.host.size()) set.host.emplace_back(), set.device.emplace_back();
  at::Tensor& host = set.host[place];
  if (!host.defined() || host.numel() < bytes) {
    // The device may still read what is replaced. An eighth more: what grows does so again.
    set.released.AwaitOnHost();
    const int64_t capacity = host.defined() ? bytes + bytes / 8 : bytes;
    host = at::empty({capacity}, at::TensorOptions().dtype(at::kByte).pinned_memory(!device_.is_cpu()));
    const DeviceStream::FreeScope scope(stream_);
    set.device[place] = at::empty({capacity}, at::TensorOptions().dtype(at::kByte).device(device_));
  }
  return Shaped(host, sizes, type);
}

at::Tensor UploadBuffers::Send(const at::Tensor& host) {
  Set& set = sets_[current_];
  const DeviceStream::FreeScope scope(stream_);
  at::Tensor there = Shaped(set.device[set.sent_off++], host.sizes(), host.scalar_type());
  there.copy_(host, /*non_blocking=*/true);
  set.sent.Set();
  return there;
}

void UploadBuffers::Await() { sets_[current_].sent.Await(); }

void UploadBuffers::Release() { sets_[current_].released.Set(); }

}  // namespace troupe
