#ifndef GATE_HANDOVER_H
#define GATE_HANDOVER_H

#include <stdbool.h>

/* Sends one line of Node's IPC protocol (under 1 kB) with a descriptor, and waits until Node took it. */
void hand_over(const char *line, int fd);
/* The same while the jail runs: never waits. False (errno) where the channel does not take it. */
bool hand_over_now(const char *line, int fd);

#endif
