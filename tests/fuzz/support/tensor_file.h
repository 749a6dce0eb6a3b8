// Tensor files out of an input's bytes.
#ifndef TROUPE_TESTS_FUZZ_SUPPORT_TENSOR_FILE_H_
#define TROUPE_TESTS_FUZZ_SUPPORT_TENSOR_FILE_H_

#include <string>
#include <string_view>

namespace troupe::fuzz {

// A file whose header's length fits whatever was made of the header, which mutation would seldom see to. Input: how
// many bytes of tensors there are (two bytes), the header, the tensors.
std::string TensorFileOf(std::string_view input);

// The input of a file, without its checksums: those of a changed file would be wrong, and nothing else be tried.
std::string InputOf(const std::string& file);

}  // namespace troupe::fuzz

#endif  // TROUPE_TESTS_FUZZ_SUPPORT_TENSOR_FILE_H_
