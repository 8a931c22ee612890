/* /run without its sockets. */
#ifndef GATE_RUNDIR_H
#define GATE_RUNDIR_H

#include <stdbool.h>

/* Rebuilds /run (and /var/run where that is a folder) from what is in it, save sockets and the folders in which
 * daemons put theirs. Later sockets then do not appear either. */
void rebuild_run_folders(void);
/* Whether a path lies in a folder that was rebuilt. */
bool in_rebuilt(const char *real);

#endif
