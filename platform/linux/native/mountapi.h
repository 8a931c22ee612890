/* The kernel's mount calls by descriptor (Linux 5.12), which older C libraries do not declare. */
#ifndef GATE_MOUNTAPI_H
#define GATE_MOUNTAPI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { ATTR_RDONLY = 1, ATTR_NOSUID = 2, ATTR_NODEV = 4, ATTR_NOEXEC = 8 };

/* A detached copy of the mount at `path` (with what is mounted below when `recursive`); a final symlink is not
 * followed. -1 with errno. */
int tree_clone(const char *path, bool recursive);
/* Attaches a detached mount at `path`, also on a symlink. -1 with errno. */
int tree_attach(int tree, const char *path);
/* A detached tmpfs. Fatal on failure. */
int tmpfs_make(mode_t mode);
/* Attributes of the mount at `path`, of everything below too when `recursive`. -1 with errno. */
int attributes_set(const char *path, uint64_t set, uint64_t clear, bool recursive);
/* Attributes of a detached mount. -1 with errno. */
int tree_attributes(int tree, uint64_t set);
/* Binds `from` on `to` (both without final symlinks); fatal. */
void bind_path(const char *from, const char *to, bool recursive, const char *step);

#endif
