/* Other ways to the same files: second mounts of the filesystem, binds of a part, overlays on top. */
#ifndef GATE_VIEWS_H
#define GATE_VIEWS_H

#include "util.h"

/* Every other path at which `path` (real) or a part of it is visible. Views below `path` itself are left out. */
struct list views_of(const char *path);
/* Those among mounts that were read before. */
struct list views_among(const struct list *mounts, const char *path);

#endif
