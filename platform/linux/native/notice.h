/* A system call of the jail that waits for the broker's answer (seccomp's user notification). */
#ifndef GATE_NOTICE_H
#define GATE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct notice {
  uint64_t id;
  pid_t thread; /* that made the call, as seen from here */
  int number;
  uint64_t arguments[6];
};

enum outcome { NOTICE_TAKEN, NOTICE_NONE, NOTICE_OVER };

/* Waits for one. NONE: interrupted, or its caller died; OVER: nobody is left who could call. */
enum outcome notice_take(int listener, struct notice *notice);
/* Whether the caller still waits, so that what was read by its number was its own. */
bool notice_valid(int listener, const struct notice *notice);
/* Ends the call with a result, or a negative errno. */
void notice_answer(int listener, const struct notice *notice, int result);
/* Lets the kernel do the call. Only where its outcome does not matter to the jail: its arguments may be others by then. */
void notice_continue(int listener, const struct notice *notice);
/* A copy of `fd` for the caller. Its number there, or -1 with errno. */
int notice_give(int listener, const struct notice *notice, int fd, bool cloexec);
/* Lets the two processes take turns on one processor, where the kernel can. */
void notice_prefer_turns(int listener);

#endif
