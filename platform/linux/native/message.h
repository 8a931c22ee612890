/* What the helper (outside the pid namespace) and init (inside) say to each other, one datagram each. */
#ifndef GATE_MESSAGE_H
#define GATE_MESSAGE_H

#include <stdbool.h>

enum operation {
  /* helper to init */
  OP_LAUNCH,   /* value: whether to give the terminal */
  OP_SIGNAL,   /* value: number, for the command's process group */
  OP_CONTINUE, /* value: whether to give the terminal */
  OP_DESTROY,  /* end everything, with the last reports */
  /* init to helper */
  OP_STANDING, /* /proc is mounted, nothing can fail until launch */
  OP_LAUNCHED, /* or not: then the worker told Node why, and OP_ENDED follows */
  OP_STOPPED,      /* value: the signal */
  OP_ENDED,        /* value: the wait status; everything else is gone */
};

struct message {
  enum operation operation;
  int value;
  /* How many OP_CONTINUE init had seen: a stop told before one is stale. */
  unsigned continues;
  /* OP_STOPPED: whether the terminal's foreground group is one of the jail. */
  bool has_terminal;
};

/* False when the other side is gone. */
bool message_send(int fd, const struct message *message);
bool message_receive(int fd, struct message *message);

#endif
