// Copies of a table's tensors (common/wire/trajectory_fields.h) into a batch.
#ifndef TROUPE_LEARNER_INGEST_FIELD_COPY_H_
#define TROUPE_LEARNER_INGEST_FIELD_COPY_H_

#include <cstring>
#include <type_traits>
#include <vector>

#include "absl/types/span.h"
#include "common/wire/scattered_floats.h"
#include "common/wire/trajectory_fields.h"

namespace troupe {

// `from` is [rows, E, …], `to` is [rows, B, …]: each row's E columns go to the block's place.
template <typename T>
void CopyRows(absl::Span<const T> from, int rows, int block, std::vector<T>& to) {
  if (from.empty()) return;
  const size_t from_row = from.size() / rows, to_row = to.size() / rows;
  for (int row = 0; row < rows; ++row) {
    std::memcpy(to.data() + row * to_row + block * from_row, from.data() + row * from_row, from_row * sizeof(T));
  }
}

inline void CopyRows(const ScatteredFloats& from, int rows, int block, std::vector<float>& to) {
  if (from.empty()) return;
  const size_t from_row = from.size() / rows, to_row = to.size() / rows;
  ScatteredFloats::Reader reader(from);
  for (int row = 0; row < rows; ++row) reader.Read(from_row, to.data() + row * to_row + block * from_row);
}

// `sizes` are a batch's: copies = B.
template <typename Batch>
void AllocateColumns(const FieldSizes& sizes, Batch* batch) {
  ForEachField(
      [&](const TrajectoryField& field, auto& to) {
        if (field.rows != FieldRows::kTruncated) to.resize(NumElements(field, sizes));
      },
      *batch);
}

// `sizes` are the chunk's. Touches nothing but the block's columns.
template <typename View, typename Batch>
void CopyColumns(const FieldSizes& sizes, const View& view, int block, Batch* batch) {
  ForEachField(
      [&](const TrajectoryField& field, const auto& from, auto& to) {
        if (field.rows != FieldRows::kTruncated) CopyRows(from, static_cast<int>(RowsOf(field, sizes)), block, to);
      },
      view, *batch);
}

// Calls visit(member, the members of `more`) for the tensors with K rows.
template <typename Visit, typename First, typename... More>
void ForEachTruncated(const Visit& visit, First& first, More&... more) {
  ForEachField(
      [&](const TrajectoryField& field, auto&... members) {
        if (field.rows == FieldRows::kTruncated) visit(members...);
      },
      first, more...);
}

}  // namespace troupe

#endif  // TROUPE_LEARNER_INGEST_FIELD_COPY_H_
