/* The helper's life after the jail stands: between Node, init and the terminal. */
#ifndef GATE_SUPERVISE_H
#define GATE_SUPERVISE_H

#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#include "broker.h"

struct supervisor {
  pid_t init;
  int messages; /* to init */
  struct broker_handle broker;
  int terminal; /* or -1 */
  unsigned continues;
  bool modes_known;
  struct termios modes; /* of the terminal, before the command ran */
};

/* Blocks what the terminal sends; to be called before init is forked. */
void supervise_block_signals(void);
_Noreturn void supervise(struct supervisor *supervisor);

#endif
