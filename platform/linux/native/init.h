/* Process 1 of the jail. */
#ifndef GATE_INIT_H
#define GATE_INIT_H

#include "spec.h"

struct init_setup {
  const struct spec *spec;
  int helper;   /* messages */
  int packets;  /* AF_PACKET */
  int terminal; /* or -1 */
  int broker;   /* where the command's process finds it */
  bool whole;   /* root with all ids mapped: keeps file capabilities for the command */
  bool landlock;
  bool files; /* some are kept by name, or symlinks */
  mode_t mask; /* the command's umask */
};

_Noreturn void init_run(const struct init_setup *setup);

#endif
