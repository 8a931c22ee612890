/* A /dev of our own: no disks, no serial lines, no tunnels, no other terminals. */
#ifndef GATE_DEV_H
#define GATE_DEV_H

/* Replaces /dev. Keeps a few descriptors open that must live as long as the jail. */
void dev_private(void);

#endif
