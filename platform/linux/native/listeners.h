/* Sockets made inside, served by Node outside. */
#ifndef GATE_LISTENERS_H
#define GATE_LISTENERS_H

#include <stdbool.h>

#include "spec.h"

/* Makes every listener and hands each over to Node. Returns how many. */
unsigned hand_over_listeners(const struct spec *spec, bool ipv6);
/* Hands over a TCP socket (family 4 or 6) of the jail's network for Node to connect, or says `nosocket NUMBER ERRNO`.
 * Node asks for one at a time. */
void hand_over_socket(unsigned number, int family);

#endif
