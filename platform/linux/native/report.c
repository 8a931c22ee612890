#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void say(const char *format, ...) {
  char line[2048];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0) return;
  size_t size = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;
  /* A path may hold a newline; a line must stay a line. */
  for (size_t i = 0; i < size; i++)
    if (line[i] == '\n') line[i] = '?';
  line[size++] = '\n';
  /* One send a line: several processes share the socket while the jail is built. */
  ssize_t sent = send(FD_REPORT, line, size, MSG_NOSIGNAL);
  (void)sent; /* Node is gone: the dead-man socket ends everything. */
}

void fail(const char *step, const char *detail) {
  say("error %s %d %s", step, errno, detail);
  _exit(EXIT_FAILED);
}

void feature(const char *name) { say("feature %s", name); }
