/* Control sockets that stay reachable because the person said so. */
#ifndef GATE_ALLOWED_H
#define GATE_ALLOWED_H

#include "util.h"

/* Keeps a hold of each existing socket before anything is mounted over it. */
void allowed_open(const struct list *paths);
bool is_allowed(const char *real);
/* Puts each back where a fresh folder hides it now. */
void allowed_restore(void);

#endif
