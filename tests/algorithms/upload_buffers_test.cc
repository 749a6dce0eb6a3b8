#include "learner/arithmetic/gpu/upload_buffers.h"

#include <gtest/gtest.h>

namespace troupe {
namespace {

at::Tensor Upload(UploadBuffers* uploads, at::IntArrayRef sizes, float value) {
  const at::Tensor host = uploads->Host(sizes, at::kFloat);
  EXPECT_EQ(host.sizes(), sizes);
  host.fill_(value);
  return uploads->Send(host);
}

bool Holds(const at::Tensor& tensor, float value) { return at::equal(tensor, at::full_like(tensor, value)); }

TEST(UploadBuffers, OneSetStaysAsItIsWhileTheOtherIsFilled) {
  UploadBuffers uploads(at::kCPU);
  uploads.Begin();
  const at::Tensor first = Upload(&uploads, {3, 4}, 1);
  uploads.Await();
  uploads.Release();
  uploads.Begin();
  const at::Tensor second = Upload(&uploads, {3, 4}, 2);
  EXPECT_TRUE(Holds(first, 1));
  uploads.Begin();
  const at::Tensor third = Upload(&uploads, {3, 4}, 3);
  EXPECT_TRUE(Holds(second, 2));
  EXPECT_EQ(third.data_ptr(), first.data_ptr()) << "memory is allocated once";
}

TEST(UploadBuffers, TensorsOfAnyTypeFollowEachOtherAndMayGrow) {
  UploadBuffers uploads(at::kCPU);
  for (const int64_t size : {5, 3, 900, 7}) {
    uploads.Begin();
    const at::Tensor floats = uploads.Host({2, size}, at::kFloat), bytes = uploads.Host({size}, at::kByte);
    floats.fill_(0.5);
    bytes.fill_(static_cast<int>(size % 100));
    const at::Tensor there = uploads.Send(floats), after = uploads.Send(bytes);
    EXPECT_TRUE(Holds(there, 0.5));
    EXPECT_EQ(after.sum().item<int64_t>(), size * (size % 100));
  }
}

}  // namespace
}  // namespace troupe
