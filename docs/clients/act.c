/* One agent of an actor file in plain C99, answering as `actor_worker act --agent` does (its lines are told in
 * actor_worker/evaluation/act_protocol.h): an observation per line in, an action per line out.
 *
 *   cc -O2 -I/usr/include/troupe -o act act.c -ltroupe_policy
 *   ./act runs/traffic_grid/actors/best.safetensors J0 < observations.txt     greedy
 *   ./act runs/traffic_grid/actors/best.safetensors J0 17 < observations.txt  drawn, by seed 17
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "troupe_policy.h"

#define LONGEST_LINE 1000000

static char line[LONGEST_LINE];

/* Numbers up to one of `ends` into `numbers`; -1 where other than `expected` came, else where it ended. */
static int read_numbers(char** at, const char* ends, float* numbers, int expected) {
  for (int found = 0;; ++found) {
    *at += strspn(*at, " \t,\r\n[]");
    if (**at == '\0' || strchr(ends, **at) != NULL) return found == expected ? 0 : -1;
    char* end;
    const float number = strtof(*at, &end);
    if (end == *at || found == expected) return -1;
    numbers[found] = number;
    *at = end;
  }
}

struct turn {
  float* observation;
  uint8_t* mask; /* NULL without one */
  const float** heard;
};

/* OBSERVATION [ "|" MASK ] { ";" MESSAGE }, an empty message where nothing came. */
static int read_turn(const troupe_actor_sizes* of, float* numbers, uint8_t* mask, struct turn* turn) {
  char* at = line;
  turn->observation = numbers;
  turn->mask = NULL;
  for (int i = 0; i < of->neighbours; ++i) turn->heard[i] = NULL;
  if (read_numbers(&at, "|;", numbers, of->observation) != 0) return -1;
  numbers += of->observation;
  if (*at == '|') {
    ++at;
    if (of->mask == 0 || read_numbers(&at, ";", numbers, of->mask) != 0) return -1;
    for (int i = 0; i < of->mask; ++i) mask[i] = numbers[i] == 1.0f;
    turn->mask = mask;
  }
  for (int i = 0; *at == ';'; ++i) {
    ++at;
    at += strspn(at, " \t\r\n");
    if (*at == '\0' || *at == ';') continue;
    numbers += of->mask > of->message ? of->mask : of->message;
    if (i >= of->neighbours || read_numbers(&at, ";", numbers, of->message) != 0) return -1;
    turn->heard[i] = numbers;
  }
  return 0;
}

static void* room_for(size_t count, size_t size) {
  void* const room = calloc(count + 1, size);
  if (room == NULL) exit(1);
  return room;
}

static int failed(void) {
  fprintf(stderr, "act: %s\n", troupe_policy_error());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    fprintf(stderr, "usage: act ACTORS AGENT [SEED] < observations\n");
    return 2;
  }
  troupe_policy* const policy = troupe_policy_open(argv[1]);
  if (policy == NULL) return failed();
  troupe_actor* const actor = troupe_actor_create(policy, argv[2]);
  if (actor == NULL) return failed();
  if (argc == 4) troupe_actor_seed(actor, strtoull(argv[3], NULL, 10));

  const troupe_actor_sizes of = troupe_actor_get_sizes(actor);
  const size_t widest = of.mask > of.message ? of.mask : of.message;
  float* const numbers = room_for(of.observation + (1 + of.neighbours) * widest, sizeof(float));
  uint8_t* const mask = room_for(of.mask, 1);
  float* const uniforms = room_for(of.uniforms, sizeof(float));
  int32_t* const indices = room_for(of.indices, sizeof(int32_t));
  float* const taken = room_for(of.numbers, sizeof(float));
  struct turn turn = {.heard = room_for(of.neighbours, sizeof(float*))};

  for (int number = 1; fgets(line, sizeof line, stdin) != NULL; ++number) {
    troupe_actor_draw(actor, uniforms);
    if (strncmp(line, "begin", 5) == 0) {
      troupe_actor_begin(actor);
      continue;
    }
    if (read_turn(&of, numbers, mask, &turn) != 0) {
      fprintf(stderr, "line %d: not the numbers that were expected\n", number);
      continue;
    }
    if (troupe_actor_act(actor, turn.observation, turn.mask, argc == 4 ? uniforms : NULL, turn.heard, indices, taken) !=
        0) {
      fprintf(stderr, "line %d: %s\n", number, troupe_policy_error());
      continue;
    }
    for (int i = 0; i < of.indices; ++i) printf("%s%d", i == 0 ? "" : ",", indices[i]);
    for (int i = 0; i < of.numbers; ++i) printf("%s%.9g", i == 0 ? "" : ",", taken[i]);
    for (int i = 0; i < of.message; ++i) printf("%s%.9g", i == 0 ? ";" : ",", troupe_actor_message(actor)[i]);
    printf("\n");
    fflush(stdout);
  }
  troupe_actor_destroy(actor);
  troupe_policy_close(policy);
  free(numbers);
  free(mask);
  free(uniforms);
  free(indices);
  free(taken);
  free((void*)turn.heard);
  return 0;
}
