/* Keeps the way to a protected path from being renamed away. */
#ifndef GATE_PINS_H
#define GATE_PINS_H

#include "util.h"

/* Adds every folder and symlink on the way to `path` (the end itself excluded) that could be renamed or replaced. */
void pins_collect(struct list *pins, const char *path);
/* Whether this is a file that its folder lets the one who asks unlink or replace. */
bool is_loose_file(const char *path);
/* Binds each onto itself, outermost first: a mount point cannot be renamed, unlinked or replaced by those who have that
 * mount. Whether a symlink is among them. */
bool pins_apply(struct list *pins);

#endif
