/* What is mounted where, from /proc/self/mountinfo. */
#ifndef GATE_MOUNTINFO_H
#define GATE_MOUNTINFO_H

#include "util.h"

struct mount_entry {
  unsigned major, minor;
  char *root;  /* the folder of the filesystem that is seen here */
  char *point; /* where */
  char *type, *super;
};

/* All mounts, in the order in which they were made. Fatal on failure. */
struct list mounts_read(void);
/* The mount in which `path` lies, or NULL. */
const struct mount_entry *mount_of(const struct list *mounts, const char *path);
/* Whether something is mounted exactly at `path`. */
bool is_mount_point(const struct list *mounts, const char *path);

#endif
