/* New namespaces and who one is in them. */
#ifndef GATE_NS_H
#define GATE_NS_H

#include <stdbool.h>

/* Unshares user, network, mount, pid, ipc and uts. True when the whole range of ids is mapped (real root only). */
bool enter_namespaces(void);

#endif
