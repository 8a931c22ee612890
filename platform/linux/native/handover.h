#ifndef GATE_HANDOVER_H
#define GATE_HANDOVER_H

/* Sends one line of Node's IPC protocol (under 1 kB) with a descriptor, and waits until Node took it. */
void hand_over(const char *line, int fd);

#endif
