#include "common/metrics/memory_budget.h"

#include <string>

#include "gtest/gtest.h"

namespace troupe {
namespace {

constexpr double kMebibyte = 1 << 20;

TEST(MemoryBudget, WhatFitsIsFine) {
  const std::vector<MemoryTerm> terms = {{"two batches", 300 * kMebibyte}, {"networks", 100 * kMebibyte}};
  EXPECT_EQ(SumOf(terms), 400 * kMebibyte);
  EXPECT_TRUE(CheckMemory(terms, MemoryUse{624 * kMebibyte, 1024 * kMebibyte}, "").ok());
  EXPECT_TRUE(CheckMemory(terms, std::nullopt, "").ok());
}

TEST(MemoryBudget, WhatDoesNotFitIsToldWithTheArithmetic) {
  const std::vector<MemoryTerm> terms = {{"two batches", 300 * kMebibyte}, {"networks", 100 * kMebibyte}};
  const absl::Status status = CheckMemory(terms, MemoryUse{625 * kMebibyte, 1024 * kMebibyte}, "do less");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "memory: 400 MiB are needed besides the 625 MiB in use, and the limit is 1024 MiB:\n"
            "       300 MiB  two batches\n"
            "       100 MiB  networks\n"
            "do less");
}

}  // namespace
}  // namespace troupe
