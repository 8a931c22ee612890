/* Sockets of the outside that the command tried, counted over short windows. */
#ifndef GATE_TURNED_H
#define GATE_TURNED_H

#include <pthread.h>
#include <stddef.h>

enum { TURNED_SLOTS = 64, TURNED_PATH = 512 };

struct turned_away {
  char path[TURNED_PATH];
  unsigned long count;
};

struct turned {
  pthread_mutex_t lock;
  struct turned_away slots[TURNED_SLOTS];
  size_t used;
  unsigned long others; /* of this window that found no slot */
};

void turned_note(struct turned *turned, const char *path);
/* Tells Node and begins the next window. */
void turned_tell(struct turned *turned);

#endif
