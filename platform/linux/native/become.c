/* The credentials of a caller, for root's jails: there the command may be any user. All calls are made raw, because the
 * C library would change every thread. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker.h"
#include "caller.h"
#include "caps.h"
#include "report.h"

enum { GROUPS = 128 };

struct person {
  uid_t user;
  gid_t group;
  gid_t groups[GROUPS];
  size_t count;
  bool over_files; /* CAP_DAC_OVERRIDE in the jail's own user namespace */
};

/* The last of the four numbers of a line: what counts for files. */
static bool fourth(const char *status, const char *field, unsigned *value) {
  const char *line = strstr(status, field);
  return line && sscanf(line + strlen(field), "%*u %*u %*u %u", value) == 1;
}

static bool person_of(const struct lookout *lookout, pid_t thread, struct person *person) {
  char status[STATUS_ROOM];
  if (!caller_status(lookout, thread, status)) return false;
  const char *groups = strstr(status, "\nGroups:"), *caps = strstr(status, "\nCapEff:");
  errno = EPROTO;
  if (!groups || !caps) return false;
  if (!fourth(status, "\nUid:", &person->user) || !fourth(status, "\nGid:", &person->group)) return false;
  char *rest = (char *)(uintptr_t)groups + strlen("\nGroups:");
  while (person->count < GROUPS) {
    char *end;
    unsigned long group = strtoul(rest, &end, 10);
    if (end == rest || memchr(rest, '\n', (size_t)(end - rest))) break;
    person->groups[person->count++] = (gid_t)group;
    rest = end;
  }
  uint64_t effective = strtoull(caps + strlen("\nCapEff:"), NULL, 16);
  person->over_files = (effective & CAP_BIT_DAC_OVERRIDE) && caller_shares(lookout, thread, "user") == 1;
  return true;
}

bool caller_become(const struct lookout *lookout, pid_t thread) {
  if (!lookout->users) return true;
  struct person person = {0};
  if (!person_of(lookout, thread, &person)) return false;
  if (lookout->groups && syscall(SYS_setgroups, person.count, person.groups) < 0) return false;
  if (syscall(SYS_setresgid, -1, person.group, -1) < 0 || syscall(SYS_setresuid, -1, person.user, -1) < 0) return false;
  /* A user other than root has lost them with this. */
  uint64_t effective = BROKER_CAPS | (person.over_files ? CAP_BIT_DAC_OVERRIDE : 0);
  return caps_effective(effective, BROKER_ROOT_CAPS);
}

void caller_leave(const struct lookout *lookout) {
  if (!lookout->users) return;
  /* The next caller brings its own groups. */
  if (syscall(SYS_setresuid, -1, 0, -1) < 0 || !caps_effective(BROKER_ROOT_CAPS, BROKER_ROOT_CAPS))
    _exit(EXIT_FAILED);
}
