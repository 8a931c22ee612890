/* Sockets made inside, served by Node outside. */
#ifndef GATE_LISTENERS_H
#define GATE_LISTENERS_H

#include <stdbool.h>

#include "spec.h"

/* Makes every listener, hands each over to Node and closes the channel. Returns how many. */
unsigned hand_over_listeners(const struct spec *spec, bool ipv6);

#endif
