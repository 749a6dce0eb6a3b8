// What `actor_worker evaluate` says while it plays, and how the learner, whose final table it makes, knows these lines.
#ifndef TROUPE_COMMON_COMMAND_LINE_EVALUATION_PROGRESS_H_
#define TROUPE_COMMON_COMMAND_LINE_EVALUATION_PROGRESS_H_

namespace troupe {

// Lines of its standard error that begin so tell how far it is: they are shown and not kept.
inline constexpr char kEvaluationProgress[] = "evaluated ";

}  // namespace troupe

#endif  // TROUPE_COMMON_COMMAND_LINE_EVALUATION_PROGRESS_H_
