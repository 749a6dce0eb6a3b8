// How large a chunk is, by the layout of chunk_layout.h.
#ifndef TROUPE_COMMON_WIRE_CHUNK_BYTES_H_
#define TROUPE_COMMON_WIRE_CHUNK_BYTES_H_

#include <cstddef>

#include "common/specs/environment_spec.h"
#include "common/wire/chunk_layout.h"

namespace troupe {

// With so many truncated episodes. A batch is a chunk of as many copies as it has columns.
size_t ChunkBytes(const EnvironmentSpec& spec, const ChunkShape& shape, size_t truncated_episodes);

// What a chunk is taken to have where memory is planned: one episode a copy ends in it.
inline size_t UsualChunkBytes(const EnvironmentSpec& spec, const ChunkShape& shape) {
  return ChunkBytes(spec, shape, static_cast<size_t>(shape.copies));
}

}  // namespace troupe

#endif  // TROUPE_COMMON_WIRE_CHUNK_BYTES_H_
