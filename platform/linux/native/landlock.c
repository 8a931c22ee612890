#define _GNU_SOURCE
#include "landlock.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "report.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

enum { ABI_WITH_SCOPES = 6, ASK_VERSION = 1, SCOPE_ABSTRACT_UNIX = 1, SCOPE_SIGNAL = 2 };

struct ruleset {
  uint64_t handled_fs, handled_net, scoped;
};

bool landlock_scopes_present(void) {
  return syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION) >= ABI_WITH_SCOPES;
}

void landlock_scope(void) {
  /* No rights are handled: one would forbid every mount, and with it the command's own sandbox. */
  struct ruleset ruleset = {.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL};
  int fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof ruleset, 0);
  if (fd < 0) fail("landlock", "create");
  if (syscall(SYS_landlock_restrict_self, fd, 0) < 0) fail("landlock", "restrict");
  close(fd);
}
