// Trained actors in any program: an actor file is read, and each agent acts from its own observations, bit for bit as
// `actor_worker act` has it act. C99. libtroupe_policy.so needs the C++ library and Abseil, nothing of gRPC, protobuf
// or LibTorch; docs/clients/act.c is a program that uses all of it.
//
// What fails returns NULL or -1 and leaves a sentence for troupe_policy_error(); nothing that a file or a caller brings
// ends the program, but for pointers to less memory than is said here. O, N, D, K, H are the actor's sizes.
//
// Threads: a policy may be used by several at once; an actor by one at a time. What actors compute depends on file,
// agent, and what they were given since they began, never on each other.
#ifndef TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_POLICY_H_
#define TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_POLICY_H_

#include <stddef.h>
#include <stdint.h>

#ifndef TROUPE_API
#define TROUPE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; a library of another number is another interface. */
#define TROUPE_POLICY_INTERFACE 1
TROUPE_API int troupe_policy_interface(void);

/* Of the last call of this thread that failed; "" before. Good until the next one that fails. */
TROUPE_API const char* troupe_policy_error(void);

typedef struct troupe_policy troupe_policy;
typedef struct troupe_actor troupe_actor;

/* Of a file (actors/best.safetensors of a run, `learner export`), or of its bytes, which may be freed then. */
TROUPE_API troupe_policy* troupe_policy_open(const char* path);
TROUPE_API troupe_policy* troupe_policy_parse(const void* bytes, size_t size);
/* Actors made of it live on. */
TROUPE_API void troupe_policy_close(troupe_policy* policy);
TROUPE_API size_t troupe_policy_num_agents(const troupe_policy* policy);
/* The name of agent `index`, good while the policy is open; NULL beyond the last. */
TROUPE_API const char* troupe_policy_agent(const troupe_policy* policy, size_t index);

typedef struct {
  int32_t observation; /* O: numbers that it observes */
  int32_t mask;        /* N: actions, of multi-discrete ones the choices of all dimensions; 0: actions are continuous */
  int32_t indices;     /* D: an action is so many indices: 1, or multi-discrete; 0: continuous */
  int32_t numbers;     /* N of continuous actions, else 0 */
  int32_t uniforms;    /* uniform numbers that one action is drawn by */
  int32_t neighbours;  /* agents that it hears */
  int32_t message;     /* K: numbers that it tells who hears it; 0: nobody talks */
  int32_t state;       /* H: numbers that it remembers, its message the last K of them; 0: nothing */
} troupe_actor_sizes;

/* `agent`: its name, or "GROUP/INDEX". An actor has a copy of its weights. */
TROUPE_API troupe_actor* troupe_actor_create(const troupe_policy* policy, const char* agent);
TROUPE_API void troupe_actor_destroy(troupe_actor* actor);
TROUPE_API troupe_actor_sizes troupe_actor_get_sizes(const troupe_actor* actor);
/* [D]: index d of an action is in [0, choices[d]). */
TROUPE_API const int32_t* troupe_actor_choices(const troupe_actor* actor);
/* The name of neighbour `index`, in the order of `heard`; NULL beyond the last. */
TROUPE_API const char* troupe_actor_neighbour(const troupe_actor* actor, size_t index);

/* An episode begins: forgets all that it remembers. */
TROUPE_API void troupe_actor_begin(troupe_actor* actor);

/* observation [O]. mask [N], 1 = allowed, at least one in each dimension; NULL: all are. uniforms in [0, 1) draw the
 * action as in training; NULL: the most probable one. heard: of each neighbour the [K] that it said at the step before,
 * NULL of one from whom nothing came; NULL: nothing came at all. The action is written to indices [D], or to
 * numbers [N] in the environment's units and within its bounds; the other one may be NULL. After an error the actor is
 * as it was before the call. */
TROUPE_API int troupe_actor_act(troupe_actor* actor, const float* observation, const uint8_t* mask,
                                const float* uniforms, const float* const* heard, int32_t* indices, float* numbers);

/* [K]: what it tells since it last acted, zeros before; good until it acts or begins. */
TROUPE_API const float* troupe_actor_message(const troupe_actor* actor);

/* What it remembers, [H], out of and into an actor of the same agent, finite numbers. */
TROUPE_API void troupe_actor_get_state(const troupe_actor* actor, float* state);
TROUPE_API int troupe_actor_set_state(troupe_actor* actor, const float* state);

/* The next numbers [uniforms] of the actor's stream, those of `act --sample --seed=SEED` line by line. */
TROUPE_API void troupe_actor_seed(troupe_actor* actor, uint64_t seed); /* 0 before */
TROUPE_API void troupe_actor_draw(troupe_actor* actor, float* uniforms);

#ifdef __cplusplus
}
#endif

#endif  // TROUPE_ACTOR_WORKER_LIBRARIES_TROUPE_POLICY_H_
