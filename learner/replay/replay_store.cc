#include "learner/replay/replay_store.h"

#include "absl/strings/str_cat.h"
#include "common/base/random.h"

namespace troupe {

int64_t ReplayStore::Bytes(const TrainingBatch& batch) {
  int64_t bytes = LeastBytes(batch);
  const auto add_field = [&](const TrajectoryField& field, const auto& values) {
    if (field.rows == FieldRows::kTruncated) bytes += static_cast<int64_t>(values.size() * sizeof(values[0]));
  };
  ForEachField(add_field, batch);
  for (const GroupBatch& group : batch.groups) ForEachField(add_field, group);
  if (!batch.truncated_at.empty()) bytes += batch.env_steps() * static_cast<int64_t>(sizeof(int32_t));
  return bytes;
}

int64_t ReplayStore::LeastBytes(const TrainingBatch& batch) {
  // Without the packed steps' own head, so that bounds keep as many batches as before steps were packed.
  int64_t bytes = sizeof(Slot) - sizeof(Slot::packed);
  const auto add = [&](const auto& values) { bytes += static_cast<int64_t>(values.size() * sizeof(values[0])); };
  const auto add_field = [&](const TrajectoryField& field, const auto& values) {
    if (field.rows != FieldRows::kTruncated) add(values);
  };
  ForEachField(add_field, batch);
  for (const GroupBatch& group : batch.groups) {
    bytes += sizeof(GroupBatch);
    ForEachField(add_field, group);
  }
  add(batch.policy_versions);
  add(batch.streams);
  return bytes + batch.columns * static_cast<int64_t>(sizeof(Piece));
}

absl::Status ReplayStore::Add(const TrainingBatch& batch, int64_t bytes) {
  if (static_cast<int64_t>(batch.streams.size()) != batch.columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch.streams: ", batch.streams.size(), " elements, expected ", batch.columns));
  }
  if (!slots_.empty()) {
    const TrainingBatch& kept = slots_.back().rest;
    if (batch.rollout_length != kept.rollout_length || batch.columns != kept.columns) {
      return absl::InvalidArgumentError(absl::StrCat("batch: ", batch.rollout_length, " steps of ", batch.columns,
                                                     " columns, expected ", kept.rollout_length, " of ", kept.columns,
                                                     " as those before"));
    }
  }
  const StepPacking packing(batch);
  if (packing_.has_value() && packing != *packing_) {
    return absl::InvalidArgumentError("batch: tensors of other widths than those before");
  }
  if (bytes > most_bytes_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a batch of ", bytes, " bytes does not fit a replay of ", most_bytes_, " bytes"));
  }
  while (bytes_ + bytes > most_bytes_) {
    bytes_ -= slots_.front().bytes;
    slots_.pop_front();
    ++first_;
  }
  packing_ = packing;
  const uint64_t number = end();
  Slot& slot = slots_.emplace_back(Slot{
      .rest = StepPacking::Rest(batch), .packed = packing.Pack(batch), .bytes = bytes, .next = {}, .final_of = {}});
  bytes_ += bytes;
  slot.next.resize(batch.columns);
  if (!batch.truncated_at.empty()) slot.final_of.assign(batch.env_steps(), -1);
  for (size_t k = 0; 2 * k < batch.truncated_at.size(); ++k) {
    const int64_t cell = int64_t{batch.truncated_at[2 * k]} * batch.columns + batch.truncated_at[2 * k + 1];
    slot.final_of[cell] = static_cast<int32_t>(k);
  }
  for (int column = 0; column < batch.columns; ++column) {
    const ColumnStream& stream = batch.streams[column];
    Last& last = last_[{stream.shard, stream.copy}];
    const bool kept = last.piece.column >= 0 && last.piece.batch >= first_;
    if (kept && stream.Continues(last.stream)) {
      slots_[last.piece.batch - first_].next[last.piece.column] = {number, column};
    }
    last = {stream, {number, column}};
  }
  return absl::OkStatus();
}

std::optional<ReplayPlace> ReplayStore::Following(const ReplayPlace& place) const {
  const std::vector<char>& steps = packed(place.batch);
  const bool ends =
      packing_->terminated(steps, place.step, place.column) || packing_->truncated(steps, place.step, place.column);
  return ends ? std::nullopt : NextOf(place);
}

std::optional<ReplayPlace> ReplayStore::NextOf(const ReplayPlace& place) const {
  const Slot& slot = slots_[place.batch - first_];
  if (place.step + 1 < slot.rest.rollout_length) return ReplayPlace{place.batch, place.step + 1, place.column};
  const Piece& next = slot.next[place.column];
  if (next.column < 0) return std::nullopt;
  return ReplayPlace{next.batch, 0, next.column};
}

int64_t ReplayStore::FinalOf(const ReplayPlace& place) const {
  const Slot& slot = slots_[place.batch - first_];
  return slot.final_of[int64_t{place.step} * slot.rest.columns + place.column];
}

std::vector<ReplayPlace> ReplayStore::Draw(uint64_t key, int64_t count, const ReplayShare& share, int every) const {
  RandomStream random(key);
  const auto starts = static_cast<uint32_t>((slots_.front().rest.rollout_length + every - 1) / every);
  std::vector<ReplayPlace> places;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t batch = first_ + random.Below(static_cast<uint32_t>(slots_.size()));
    const int step = static_cast<int>(random.Below(starts)) * every;
    const int64_t column = static_cast<int64_t>(random.Below(static_cast<uint32_t>(share.all))) - share.first;
    if (column < 0 || column >= share.count) continue;
    places.push_back({batch, step, static_cast<int>(column)});
  }
  return places;
}

}  // namespace troupe
