/* New namespaces and who one is in them. */
#ifndef GATE_NS_H
#define GATE_NS_H

#include <stdbool.h>

/* Unshares user, network, mount, ipc and uts. True when the whole range of ids is mapped (real root only). */
bool enter_namespaces(void);
/* The last one, of processes: the next child is its first. */
void enter_processes(void);

#endif
