#define _GNU_SOURCE
#include "caller.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "report.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { OF_THREAD = O_EXCL, NAME_ROOM = 64 };

void lookout_open(struct lookout *lookout) {
  lookout->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  lookout->fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  lookout->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (lookout->proc < 0 || lookout->fds < 0 || lookout->root < 0) fail("broker", "/proc");
}

/* One field of /proc/PID/status in `base`, with what follows it. */
static bool status_field(const char *status, const char *field, int base, uint64_t *value) {
  const char *line = strstr(status, field);
  if (!line) return false;
  *value = strtoull(line + strlen(field), NULL, base);
  return true;
}

bool caller_status(const struct lookout *lookout, pid_t thread, char status[STATUS_ROOM]) {
  char name[NAME_ROOM];
  snprintf(name, sizeof name, "%d/status", (int)thread);
  int fd = openat(lookout->proc, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t size = read(fd, status, STATUS_ROOM - 1);
  close(fd);
  if (size < 0) return false;
  status[size] = 0;
  return true;
}

/* Before Linux 6.9 only a whole process can be held: right where all its threads share their descriptors. */
static int hold_process(const struct lookout *lookout, pid_t thread) {
  char status[STATUS_ROOM];
  uint64_t process = 0;
  if (!caller_status(lookout, thread, status) || !status_field(status, "\nTgid:", 10, &process)) return -1;
  if ((pid_t)process != thread && syscall(SYS_kcmp, thread, (pid_t)process, KCMP_FILES, 0, 0) != 0) {
    errno = EPERM;
    return -1;
  }
  return (int)syscall(SYS_pidfd_open, (pid_t)process, 0);
}

int caller_descriptor(const struct lookout *lookout, pid_t thread, int number) {
  int held = (int)syscall(SYS_pidfd_open, thread, OF_THREAD);
  if (held < 0 && errno == EINVAL) held = hold_process(lookout, thread);
  if (held < 0) return -1;
  int fd = (int)syscall(SYS_pidfd_getfd, held, number, 0);
  int problem = errno;
  close(held);
  errno = problem;
  return fd;
}

bool caller_read(pid_t thread, uint64_t address, void *data, size_t size) {
  struct iovec here = {data, size}, there = {(void *)(uintptr_t)address, size};
  return process_vm_readv(thread, &here, 1, &there, 1, 0) == (ssize_t)size;
}

bool caller_write(pid_t thread, uint64_t address, const void *data, size_t size) {
  struct iovec here = {(void *)(uintptr_t)data, size}, there = {(void *)(uintptr_t)address, size};
  return process_vm_writev(thread, &here, 1, &there, 1, 0) == (ssize_t)size;
}

bool caller_text(pid_t thread, uint64_t address, char *text, size_t room) {
  enum { PAGE = 4096 };
  for (size_t size = 0; size < room;) {
    /* The next page may not be there, and the string may end before it. */
    size_t part = PAGE - (address + size) % PAGE;
    if (part > room - size) part = room - size;
    errno = EFAULT;
    if (!caller_read(thread, address + size, text + size, part)) return false;
    if (memchr(text + size, 0, part)) return true;
    size += part;
  }
  errno = ENAMETOOLONG;
  return false;
}

bool caller_interrupted(const struct lookout *lookout, pid_t thread) {
  char status[STATUS_ROOM];
  uint64_t process = 0, own = 0, shared = 0, blocked = 0, ignored = 0;
  if (!caller_status(lookout, thread, status)) return true;
  status_field(status, "\nTgid:", 10, &process);
  status_field(status, "\nSigPnd:", 16, &own);
  status_field(status, "\nShdPnd:", 16, &shared);
  status_field(status, "\nSigBlk:", 16, &blocked);
  status_field(status, "\nSigIgn:", 16, &ignored);
  /* A signal for the whole process goes to its first thread, if that one takes it. */
  uint64_t pending = own | ((pid_t)process == thread ? shared : 0);
  return (pending & ~blocked & ~ignored) != 0;
}

/* `/proc/self` and its kin name the caller, not us: what comes after them, or NULL. `length` is that of the first part,
 * which leads back into its own view; no other is followed. */
static const char *of_itself(const char *path, size_t *length) {
  static const char *const names[] = {"/proc/self/", "/proc/thread-self/", "/dev/"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *rest = path + strlen(names[i]);
    if (strncmp(path, names[i], strlen(names[i])) != 0) continue;
    *length = strcspn(rest, "/");
    if (i < 2 && ((*length == 4 && strncmp(rest, "root", 4) == 0) || (*length == 3 && strncmp(rest, "cwd", 3) == 0)))
      return rest;
    if (strncmp(rest, "fd/", 3) != 0 || !isdigit((unsigned char)rest[3])) continue;
    *length = 3 + strcspn(rest + 3, "/");
    return rest;
  }
  return NULL;
}

static int enter(const struct lookout *lookout, pid_t thread, const char *what) {
  char name[NAME_ROOM];
  snprintf(name, sizeof name, "%d/%s", (int)thread, what);
  int fd = openat(lookout->proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int done = fchdir(fd), problem = errno;
  close(fd);
  errno = problem;
  return done;
}

/* Opens that first part, and leaves the rest of the path. */
static int open_itself(const struct lookout *lookout, pid_t thread, const char *first, size_t length, const char **path) {
  char name[NAME_ROOM];
  if (length > NAME_ROOM / 2) {
    errno = ENOENT;
    return -1;
  }
  snprintf(name, sizeof name, "%d/%.*s", (int)thread, (int)length, first);
  *path = first + length + strspn(first + length, "/");
  return openat(lookout->proc, name, O_PATH | O_CLOEXEC);
}

static int start(const struct lookout *lookout, pid_t thread, int base, const char *path) {
  if (*path == '/') return 0;
  return base < 0 ? enter(lookout, thread, "cwd") : fchdir(base);
}

/* Not by way of another process's `/proc/PID/root`: that we may look into it does not mean that the caller may. */
static int open_there(const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int caller_open(const struct lookout *lookout, pid_t thread, int base, const char *path) {
  size_t length;
  const char *first = of_itself(path, &length);
  int fd = -1, own = first ? open_itself(lookout, thread, first, length, &path) : -1;
  if (first && (own < 0 || !*path)) return own;
  if (enter(lookout, thread, "root") == 0 && chroot(".") == 0 && start(lookout, thread, first ? own : base, path) == 0)
    fd = open_there(path);
  int problem = errno;
  if (own >= 0) close(own);
  /* Back at once: nothing of the caller's may be kept busy by us. */
  if (fchdir(lookout->root) < 0 || chroot(".") < 0) _exit(EXIT_FAILED);
  errno = problem;
  return fd;
}

int caller_shares(const struct lookout *lookout, pid_t thread, const char *space) {
  char own_name[NAME_ROOM], its_name[NAME_ROOM];
  struct stat own, its;
  snprintf(own_name, sizeof own_name, "self/ns/%s", space);
  snprintf(its_name, sizeof its_name, "%d/ns/%s", (int)thread, space);
  if (fstatat(lookout->proc, own_name, &own, 0) < 0 || fstatat(lookout->proc, its_name, &its, 0) < 0) return -1;
  return its.st_ino == own.st_ino && its.st_dev == own.st_dev;
}
