#ifndef GATE_LANDLOCK_H
#define GATE_LANDLOCK_H

#include <stdbool.h>

/* Whether this kernel has Landlock's scopes (ABI 6, Linux 6.12). */
bool landlock_scopes_present(void);
/* No signals and no abstract sockets across the border of the jail. Fatal on failure. */
void landlock_scope(void);

#endif
