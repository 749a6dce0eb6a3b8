#include "learner/arithmetic/gpu/device_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace troupe {
namespace {

c10::Stream CurrentStream(at::Device device) {
  const c10::impl::VirtualGuardImpl implementation(device.type());
  return implementation.getStream(device.has_index() ? device : implementation.getDevice());
}

}  // namespace

DeviceStream::DeviceStream(at::Device device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl implementation(device.type());
  stream_ = implementation.getStreamFromGlobalPool(device.has_index() ? device : implementation.getDevice(),
                                                   /*isHighPriority=*/false);
}

DeviceStream::Scope::Scope(const DeviceStream& stream) {
  if (!stream.stream_.has_value()) return;
  outer_ = CurrentStream(stream.stream_->device());
  c10::Event before(outer_->device_type());
  before.record(*outer_);
  before.block(*stream.stream_);
  guard_.emplace(*stream.stream_);
}

DeviceStream::Scope::~Scope() {
  if (!guard_.has_value()) return;
  try {
    c10::Event after(guard_->current_stream().device_type());
    after.record(guard_->current_stream());
    after.block(outer_.value());
  } catch (const c10::Error&) {
    // The device is out of order, and whoever uses it next is told so.
  }
}

DeviceStream::FreeScope::FreeScope(const DeviceStream& stream) {
  if (stream.stream_.has_value()) guard_.emplace(*stream.stream_);
}

DeviceMark::DeviceMark(at::Device device) : device_(device) {
  if (!device.is_cpu()) event_.emplace(device.type());
}

void DeviceMark::Set() {
  if (event_.has_value()) event_->record(CurrentStream(device_));
}

void DeviceMark::Await() const {
  if (event_.has_value()) event_->block(CurrentStream(device_));
}

void DeviceMark::AwaitOnHost() const {
  if (event_.has_value() && event_->was_marked_for_recording()) event_->synchronize();
}

bool DeviceMark::IsPassed() const { return !event_.has_value() || event_->query(); }

}  // namespace troupe
