#include "actor_worker/evaluation/evaluation_progress.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/command_line/evaluation_progress.h"
#include "common/command_line/terminal.h"

namespace troupe {
namespace {

constexpr char kEraseLine[] = "\r\x1b[2K";

// "0:12", "1:02:03".
std::string Clock(double seconds) {
  const int64_t whole = static_cast<int64_t>(seconds + 0.5);
  if (whole < 3600) return absl::StrFormat("%d:%02d", whole / 60, whole % 60);
  return absl::StrFormat("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace

EvaluationProgress::EvaluationProgress(std::FILE* out, bool is_terminal, absl::Duration interval, int num_players,
                                       int num_episodes, absl::Duration now)
    : out_(out),
      is_terminal_(is_terminal),
      interval_(is_terminal ? absl::Milliseconds(200) : interval),
      num_episodes_(num_players * num_episodes),
      episodes_each_(num_episodes),
      began_(now),
      shown_(now) {}

EvaluationProgress::~EvaluationProgress() {
  if (is_terminal_) std::fputs(kEraseLine, out_);
  std::fflush(out_);
}

void EvaluationProgress::Begin(const std::string& player) {
  absl::MutexLock lock(&mutex_);
  player_ = player;
  ++players_begun_;
}

void EvaluationProgress::Update(int finished, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  if (now - shown_ < interval_) return;
  shown_ = now;
  const int done = std::max(0, players_begun_ - 1) * episodes_each_ + finished;
  std::string text = absl::StrCat(kEvaluationProgress, done, " of ", num_episodes_, " episodes, ", player_, " plays");
  // Players differ in speed, so this is a guess; before the first episode there is none.
  if (done > 0) {
    const double left = absl::ToDoubleSeconds(now - began_) * (num_episodes_ - done) / done;
    absl::StrAppend(&text, "; about ", Clock(left), " left");
  }
  if (is_terminal_) text = FittedProgress(text, TerminalColumns(fileno(out_)));
  std::fprintf(out_, is_terminal_ ? "%s%s" : "%s%s\n", is_terminal_ ? kEraseLine : "", text.c_str());
  std::fflush(out_);
}

absl::Duration EvaluationProgress::Now() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace troupe
