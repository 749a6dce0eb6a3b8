// CRC-32C (Castagnoli), the checksum of tensor files.
#ifndef TROUPE_COMMON_FILES_CRC32C_H_
#define TROUPE_COMMON_FILES_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace troupe {

// Of `bytes` appended to what `crc` is the checksum of (0: nothing). Crc32c("123456789") == 0xE3069283 (RFC 3720, B.4's
// polynomial).
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

}  // namespace troupe

#endif  // TROUPE_COMMON_FILES_CRC32C_H_
