/* Folders and files that look different inside: covers, overlays, replaced files, read-only ones. */
#ifndef GATE_COVERS_H
#define GATE_COVERS_H

#include "spec.h"

/* Where private files lie while mounts are made from them; nothing needs /sys until the end. */
#define STAGING "/sys"

/* The real path of something that must exist. Fatal. */
char *real_path(const char *path, const char *step);
void write_files(int folder, const struct list *files, const char *step);
/* All of the spec's places, in an order in which none undoes another. Whether files or symlinks are kept by name. */
bool places_apply(const struct spec *spec);

#endif
