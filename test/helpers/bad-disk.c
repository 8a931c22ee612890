/*
 * A disk that fails or is slow, for whoever is started with LD_PRELOAD: only writes and flushes of a run's two files.
 * BAD_DISK_FAIL: while this file exists, fdatasync fails with EIO. BAD_DISK_WRITE_US, BAD_DISK_FLUSH_US: how much
 * longer each write and each fdatasync takes, in microseconds.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_of_run(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, "/ledger.jsonl") != NULL || strstr(path, "/bodies.pack") != NULL;
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  const char *fail = getenv("BAD_DISK_FAIL");
  if (fail != NULL && is_of_run(fd) && access(fail, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  const char *slow = getenv("BAD_DISK_FLUSH_US");
  if (slow != NULL && is_of_run(fd)) usleep((useconds_t)atoi(slow));
  return real(fd);
}

ssize_t write(int fd, const void *bytes, size_t count) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  const char *slow = getenv("BAD_DISK_WRITE_US");
  if (slow != NULL && is_of_run(fd)) usleep((useconds_t)atoi(slow));
  return real(fd, bytes, count);
}
