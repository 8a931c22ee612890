#define _GNU_SOURCE
#include "mountapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"
#include "util.h"

/* The same numbers on every architecture since they were added together. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_move_mount
#define SYS_move_mount 429
#endif
#ifndef SYS_fsopen
#define SYS_fsopen 430
#endif
#ifndef SYS_fsconfig
#define SYS_fsconfig 431
#endif
#ifndef SYS_fsmount
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

enum {
  TREE_CLONE = 1,
  WHOLE_TREE = 0x8000, /* AT_RECURSIVE */
  FROM_EMPTY_PATH = 4, /* MOVE_MOUNT_F_EMPTY_PATH */
  CONFIG_STRING = 1,
  CONFIG_CREATE = 6,
  FS_CLOEXEC = 1,
};

struct mount_attributes {
  uint64_t set, clear, propagation, user_namespace;
};

int tree_clone(const char *path, bool recursive) {
  int flags = TREE_CLONE | O_CLOEXEC | AT_SYMLINK_NOFOLLOW | (recursive ? WHOLE_TREE : 0);
  return (int)syscall(SYS_open_tree, AT_FDCWD, path, flags);
}

int tree_attach(int tree, const char *path) {
  return (int)syscall(SYS_move_mount, tree, "", AT_FDCWD, path, FROM_EMPTY_PATH);
}

int tmpfs_make(mode_t mode) {
  int context = (int)syscall(SYS_fsopen, "tmpfs", FS_CLOEXEC);
  if (context < 0) fail("tmpfs", "fsopen");
  char octal[16];
  snprintf(octal, sizeof octal, "%o", mode & 07777U);
  if (syscall(SYS_fsconfig, context, CONFIG_STRING, "mode", octal, 0) < 0) fail("tmpfs", "mode");
  if (syscall(SYS_fsconfig, context, CONFIG_CREATE, NULL, NULL, 0) < 0) fail("tmpfs", "create");
  int tree = (int)syscall(SYS_fsmount, context, FS_CLOEXEC, ATTR_NOSUID | ATTR_NODEV);
  if (tree < 0) fail("tmpfs", "fsmount");
  close(context);
  return tree;
}

int attributes_set(const char *path, uint64_t set, uint64_t clear, bool recursive) {
  struct mount_attributes wanted = {.set = set, .clear = clear};
  int flags = AT_SYMLINK_NOFOLLOW | (recursive ? WHOLE_TREE : 0);
  return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &wanted, sizeof wanted);
}

int tree_attributes(int tree, uint64_t set) {
  struct mount_attributes wanted = {.set = set};
  return (int)syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | WHOLE_TREE, &wanted, sizeof wanted);
}

void bind_path(const char *from, const char *to, bool recursive, const char *step) {
  int tree = tree_clone(from, recursive);
  if (tree < 0) fail(step, from);
  if (tree_attach(tree, to) < 0) fail(step, to);
  close(tree);
}
