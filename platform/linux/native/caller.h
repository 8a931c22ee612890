/* The thread whose system call waits: its descriptors, its memory, its view of the file system, its credentials.
 * What is read here is its own only if the notice is still valid afterwards. */
#ifndef GATE_CALLER_H
#define GATE_CALLER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util.h"

/* All of /proc/PID/status; of somebody in hundreds of groups it is long. */
enum { STATUS_ROOM = 16384 };

/* What one process of ours needs to look at others. */
struct lookout {
  int proc; /* /proc of our own pid namespace: the jail's shows other numbers */
  int fds;  /* /proc/self/fd there */
  int root; /* the jail's */
  bool users; /* the command may change its user: calls are made with the caller's */
  bool groups; /* and its groups */
};

/* Before the jail's /proc is mounted. Fatal on failure. */
void lookout_open(struct lookout *lookout);

/* A descriptor of ours for the same open file, or -1 with errno. */
int caller_descriptor(const struct lookout *lookout, pid_t thread, int number);
bool caller_read(pid_t thread, uint64_t address, void *data, size_t size);
bool caller_write(pid_t thread, uint64_t address, const void *data, size_t size);
/* /proc/PID/status as text; false with errno. */
bool caller_status(const struct lookout *lookout, pid_t thread, char status[STATUS_ROOM]);
/* Whether a signal waits for it that would have interrupted the call. */
bool caller_interrupted(const struct lookout *lookout, pid_t thread);
/* A string with its NUL; false with errno. */
bool caller_text(pid_t thread, uint64_t address, char *text, size_t room);
/* What the caller means by `path`, followed to its end: an O_PATH descriptor, or -1 with errno. A relative one begins at
 * `base`, or where the caller is if that is negative. Needs a file system view that this thread shares with nobody, and
 * the caller's credentials for what may be searched. */
int caller_open(const struct lookout *lookout, pid_t thread, int base, const char *path);
/* Whether it is in the jail's own namespace of this kind ("mnt", "user"), not in one it made: 1, 0, or -1 with errno. */
int caller_shares(const struct lookout *lookout, pid_t thread, const char *space);
/* Takes on the caller's users, groups and power over files; false with errno. */
bool caller_become(const struct lookout *lookout, pid_t thread);
void caller_leave(const struct lookout *lookout);

#endif
