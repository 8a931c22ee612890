/*
 * rename and the removal of folders. The kernel keeps a mount point's name where it is for those only who have that
 * mount: a process with mounts of its own, which has let go of the jail's, could move the folders above gate's files out
 * of the way and put others in their place. So who sees the jail's mounts makes the call himself, and for everybody else
 * it is made here, where the jail's mounts are.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker.h"

#define HERE ((uint64_t)AT_FDCWD)

/* A name in a folder, as the caller gave it. */
struct entry {
  int folder;
  const char *name;
  char path[PATH_MAX];
};

/* The folder's path, "." or "/" where it is not in `entry->path`; the last part stays as the name, with its slashes. */
static const char *split(struct entry *entry) {
  char *end = entry->path + strlen(entry->path);
  while (end > entry->path && end[-1] == '/') end--;
  char *slash = memrchr(entry->path, '/', (size_t)(end - entry->path));
  entry->name = end == entry->path ? "." : slash ? slash + 1 : entry->path;
  if (!slash) return end == entry->path ? "/" : ".";
  *slash = 0;
  return slash == entry->path ? "/" : entry->path;
}

static int find(struct server *server, uint64_t folder, uint64_t address, struct entry *entry) {
  const struct lookout *lookout = &server->broker->lookout;
  pid_t thread = server->notice.thread;
  int base = -1;
  if (!caller_text(thread, address, entry->path, sizeof entry->path)) return -errno;
  if (!*entry->path) return -ENOENT;
  if (*entry->path != '/' && (int)folder != AT_FDCWD) {
    base = caller_descriptor(lookout, thread, (int)folder);
    if (base < 0) return -errno;
  }
  entry->folder = notice_valid(server->broker->listener, &server->notice)
                      ? caller_open(lookout, thread, base, split(entry))
                      : -1;
  int result = entry->folder < 0 ? -errno : 0;
  if (base >= 0) close(base);
  return result;
}

static int rename_as(struct server *server, uint64_t from_folder, uint64_t from, uint64_t to_folder, uint64_t to,
                     uint64_t flags) {
  struct entry old = {.folder = -1}, new = {.folder = -1};
  int result = find(server, from_folder, from, &old);
  if (result == 0) result = find(server, to_folder, to, &new);
  if (result == 0 && syscall(SYS_renameat2, old.folder, old.name, new.folder, new.name, (unsigned)flags) < 0)
    result = -errno;
  if (old.folder >= 0) close(old.folder);
  if (new.folder >= 0) close(new.folder);
  return result;
}

static int remove_as(struct server *server, uint64_t folder, uint64_t path, uint64_t flags) {
  struct entry entry = {.folder = -1};
  int result = find(server, folder, path, &entry);
  if (result == 0 && unlinkat(entry.folder, entry.name, (int)flags) < 0) result = -errno;
  if (entry.folder >= 0) close(entry.folder);
  return result;
}

static int make_call(struct server *server) {
  const uint64_t *with = server->notice.arguments;
  switch (server->notice.number) {
#ifdef SYS_rename
    case SYS_rename: return rename_as(server, HERE, with[0], HERE, with[1], 0);
    case SYS_rmdir: return remove_as(server, HERE, with[0], AT_REMOVEDIR);
    case SYS_unlink: return remove_as(server, HERE, with[0], 0);
#endif
#ifdef SYS_renameat
    case SYS_renameat: return rename_as(server, with[0], with[1], with[2], with[3], 0);
#endif
    case SYS_renameat2: return rename_as(server, with[0], with[1], with[2], with[3], with[4]);
    case SYS_unlinkat: return remove_as(server, with[0], with[1], with[2]);
    default: return -ENOSYS;
  }
}

void serve_rename(struct server *server) {
  struct broker *broker = server->broker;
  const struct notice *notice = &server->notice;
  int shared = caller_shares(&broker->lookout, notice->thread, "mnt"), result = -EPERM;
  /* Nobody but the thread itself, which waits, can give it another view: its arguments may change as they like. */
  if (shared == 1 && notice_valid(broker->listener, notice)) {
    notice_continue(broker->listener, notice);
    return;
  }
  if (shared == 0 && caller_become(&broker->lookout, notice->thread)) {
    result = make_call(server);
    caller_leave(&broker->lookout);
  }
  notice_answer(broker->listener, notice, result);
}
