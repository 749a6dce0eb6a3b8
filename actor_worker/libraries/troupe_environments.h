// The worker's environments in any program: copies of one are reset and stepped, all arrays are the environment's and
// keep their place. C99. libtroupe_environments.so needs the C++ library and Abseil. Left out are `sumo` and
// `external`, whose copies are processes. python/troupe/environments makes PettingZoo environments of it.
//
// E = copies, and of a group A = agents, O = observed numbers, N = actions (or dimensions of continuous ones), D =
// indices of an action; S = numbers of the global state. C order throughout.
//
//   environment = troupe_environment_create("grid_world", settings, 1, 2);      settings: {"size", "6"}; two copies
//   troupe_environment_group_arrays(environment, 0, &arrays);
//   troupe_environment_reset(environment, 0, seed); troupe_environment_reset(environment, 1, seed + 1);
//   until over: write arrays.indices or arrays.numbers; troupe_environment_step(environment, NULL)
//
// What fails returns NULL or -1 and leaves a sentence for troupe_environments_error(). Threads: different environments
// may be used by different ones at once; one by one at a time. Everything random follows from the seeds of
// troupe_environment_reset: an episode is the one that `actor_worker evaluate` plays with that seed.
#ifndef TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_ENVIRONMENTS_H_
#define TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_ENVIRONMENTS_H_

#include <stddef.h>
#include <stdint.h>

#ifndef TROUPE_API
#define TROUPE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; a library of another number is another interface. */
#define TROUPE_ENVIRONMENTS_INTERFACE 1
TROUPE_API int troupe_environments_interface(void);

/* Of the last call of this thread that failed; "" before. Good until the next one that fails. */
TROUPE_API const char* troupe_environments_error(void);

/* What there is: the name of environment `index`, NULL beyond the last; one line about it, and its settings with
 * defaults, ranges and meaning, a line each, NULL where there is none of the name. Good for ever. */
TROUPE_API const char* troupe_environments_name(size_t index);
TROUPE_API const char* troupe_environments_summary(const char* name);
TROUPE_API const char* troupe_environments_settings(const char* name);

typedef struct troupe_environment troupe_environment;

/* `settings`: num_settings names, each followed by its value, as an experiment has them under environment.settings.
 * `copies` at least 1. */
TROUPE_API troupe_environment* troupe_environment_create(const char* name, const char* const* settings,
                                                         size_t num_settings, int copies);
TROUPE_API void troupe_environment_destroy(troupe_environment* environment);

/* JSON, good as long as the environment: {"name", "copies", "groups": [{"name", "team", "agents": [name],
 * "observation":
 * [{"name", "unit", "divided_by", "meaning"}], "actions": [{"name", "meaning"}], "observation_size", "action_kind":
 * "discrete" | "multi_discrete" | "continuous", "action_size", "action_sizes": [choices of each dimension],
 * "action_bounds": [[low, high]]}], "state_size", "statistics": [name]}. Lists of names are empty where nobody tells.
 */
TROUPE_API const char* troupe_environment_spec(const troupe_environment* environment);

typedef struct {
  const float* observations;   /* [E, A, O] */
  const uint8_t* action_masks; /* [E, A, N], 1 = allowed, choices of all dimensions side by side; NULL: continuous */
  const uint8_t* alive;        /* [E, A], 0: takes no part in the next step */
  const float* rewards;        /* [E, A], of the last step */
  int32_t* indices;            /* [E, A, D], written by the caller before a step; NULL: continuous */
  float* numbers;              /* [E, A, N], the same of continuous actions, in the environment's units; else NULL */
} troupe_group_arrays;

typedef struct {
  const float* state;        /* [E, S], what a central critic sees */
  const uint8_t* terminated; /* [E], 1: the last step was the episode's last, in a final state */
  const uint8_t* truncated;  /* [E], 1: the same, for time ran out */
  const double* statistics;  /* [E, number of statistics], of the last episode that was over */
} troupe_copy_arrays;

/* Of group `group`, -1 beyond the last; of all copies. */
TROUPE_API int troupe_environment_group_arrays(troupe_environment* environment, size_t group,
                                               troupe_group_arrays* arrays);
TROUPE_API void troupe_environment_copy_arrays(const troupe_environment* environment, troupe_copy_arrays* arrays);

/* Begins an episode in one copy. */
TROUPE_API int troupe_environment_reset(troupe_environment* environment, int copy, uint64_t seed);

/* Steps the copies whose entry of `which` [E] is not 0; NULL: all. Each must have been reset since it was created and
 * since its episode ended. Actions of agents that are not alive are not looked at. Nothing is stepped where an action
 * is not allowed or beyond its bounds. After an error of an environment itself its copy must be reset. */
TROUPE_API int troupe_environment_step(troupe_environment* environment, const uint8_t* which);

/* A few lines about a copy's state, good until the next call; NULL: no such copy, or never reset. */
TROUPE_API const char* troupe_environment_render(troupe_environment* environment, int copy);

#ifdef __cplusplus
}
#endif

#endif  // TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_ENVIRONMENTS_H_
