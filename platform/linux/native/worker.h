/* The process that becomes the command. */
#ifndef GATE_WORKER_H
#define GATE_WORKER_H

#include "init.h"

struct worker {
  pid_t pid;
  int go;     /* write end: the worker waits for it */
  int status; /* read end: end of file when the command runs or could not */
};

struct worker worker_start(const struct init_setup *setup);
/* Lets it go on and waits for exec. When that fails the worker has told Node before this returns. */
void worker_release(const struct worker *worker);

#endif
