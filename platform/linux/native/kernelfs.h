/* The kernel's own filesystems. */
#ifndef GATE_KERNELFS_H
#define GATE_KERNELFS_H

#include <stdbool.h>

/* A fresh /sys where the kernel lets us, read-only with all below; kernel filesystems elsewhere are covered. */
void kernel_filesystems(void);
/* No device files but those of our /dev. */
void devices_off(void);
/* A fresh /proc for this pid namespace. `root`: what uid 0 owns in it becomes read-only. */
void proc_fresh(bool root);

#endif
