/* The jail's network: a loopback on which every address is local. */
#ifndef GATE_NET_H
#define GATE_NET_H

#include <stdbool.h>

/* Brings `lo` up and adds the two local routes. True when there is IPv6. */
bool network_up(void);

#endif
