#define _GNU_SOURCE
#include "ns.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "util.h"

/* The map of our own namespace onto itself: "inside outside count" becomes "inside inside count". */
static char *whole_map(const char *path) {
  char *own = read_file(path);
  if (!own) return NULL;
  char *map = copy_text("");
  char *rest = own;
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
    unsigned long inside, outside, count;
    if (sscanf(line, "%lu %lu %lu", &inside, &outside, &count) != 3) continue;
    map = text_of("%s%lu %lu %lu\n", map, inside, inside, count);
  }
  return map;
}

static int write_map(pid_t pid, const char *name, const char *map) {
  return map ? write_file(text_of("/proc/%d/%s", (int)pid, name), map) : -1;
}

/* Runs in the parent namespace, for only from there more than one id can be mapped. */
static _Noreturn void mapper(int channel, const char *uids, const char *gids) {
  char go = 0;
  if (read_all(channel, &go, 1) < 0) _exit(0);
  pid_t parent = getppid();
  /* Users first: that is what may be refused, and nothing is mapped yet then, so the identity map remains possible. */
  int problem = 0;
  if (write_map(parent, "uid_map", uids) < 0 || write_map(parent, "gid_map", gids) < 0) problem = errno;
  if (write_all(channel, &problem, sizeof problem) < 0) _exit(1);
  _exit(0);
}

static pid_t start_mapper(int *channel) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) fail("user-namespace", "socketpair");
  const char *uids = whole_map("/proc/self/uid_map"), *gids = whole_map("/proc/self/gid_map");
  pid_t child = fork();
  if (child < 0) fail("user-namespace", "fork");
  if (child == 0) {
    close(ends[0]);
    mapper(ends[1], uids, gids);
  }
  close(ends[1]);
  *channel = ends[0];
  return child;
}

/* Whether the whole range could be mapped; it cannot without CAP_SETFCAP in the namespace we came from. */
static bool map_all(pid_t child, int channel) {
  int problem = 0;
  if (write_all(channel, "g", 1) < 0 || read_all(channel, &problem, sizeof problem) < 0) problem = EPIPE;
  close(channel);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  return problem == 0;
}

static void map_self(uid_t uid, gid_t gid) {
  if (write_file("/proc/self/setgroups", "deny") < 0 && errno != ENOENT) fail("user-namespace", "setgroups");
  if (write_file("/proc/self/gid_map", text_of("%u %u 1", gid, gid)) < 0) fail("user-namespace", "gid_map");
  /* For root the kernel wants CAP_SETFCAP outside even for this one. */
  if (write_file("/proc/self/uid_map", text_of("%u %u 1", uid, uid)) < 0)
    fail("user-namespace", uid == 0 ? "uid_map of root" : "uid_map");
}

bool enter_namespaces(void) {
  uid_t uid = geteuid();
  gid_t gid = getegid();
  int channel = -1;
  pid_t child = uid == 0 ? start_mapper(&channel) : 0;
  if (unshare(CLONE_NEWUSER) < 0) fail("user-namespace", "unshare");
  bool whole = child > 0 && map_all(child, channel);
  if (!whole) map_self(uid, gid);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("no-new-privs", "prctl");
  if (unshare(CLONE_NEWNET) < 0) fail("network-namespace", "unshare");
  if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0) fail("namespaces", "unshare");
  /* Private, not slave: a mount that appears outside later (a second view of gate's data) must not appear here. */
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("mount-namespace", "private");
  return whole;
}

void enter_processes(void) {
  if (unshare(CLONE_NEWPID) < 0) fail("namespaces", "unshare");
}
