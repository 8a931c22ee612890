/* Where sockets can be. */
#ifndef GATE_SOCKETS_H
#define GATE_SOCKETS_H

#include "spec.h"

/* Paths that are or were sockets: of the kernel's table, of the command's environment, of the places where daemons
 * put them (those of other network namespaces, such as a rootless docker's, are in no table of ours). */
struct list sockets_find(const struct spec *spec, const char *unix_table);
/* Whether a socket lies in a folder, at most `depth` folders down. */
bool has_socket(const char *folder, int depth);

#endif
