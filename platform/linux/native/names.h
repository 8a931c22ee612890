/* The sockets that have a name in the file system and that the command may reach: its own, and those let in. */
#ifndef GATE_NAMES_H
#define GATE_NAMES_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "util.h"

enum { OWN_NAMES = 1024 };

/* A file and a hold on it, without which its number could come to mean another one. */
struct named {
  dev_t device;
  ino_t inode;
  int hold;
};

struct names {
  pthread_mutex_t lock;
  struct list let_in; /* for good */
  struct named own[OWN_NAMES];
  size_t count;
};

/* Takes a hold of those that are let in, as they are now: a path can be made to lead elsewhere later. */
void names_open(struct names *names, const struct list *let_in);
/* Takes `hold`, an O_PATH descriptor of a socket that was bound in the jail. A file is bound once in its life, so it
 * stays the jail's. Of too many the oldest is forgotten, and then refused. */
void names_add(struct names *names, int hold);
/* A hold on the one among them that has the number of this file, or -1. It is our own hold, not the file that is asked
 * for: some file systems give one number to two files. */
int names_find(struct names *names, int fd);

#endif
