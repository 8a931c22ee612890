#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

int terminal_open(void) { return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY); }

bool terminal_is_ours(int terminal) { return terminal >= 0 && tcgetpgrp(terminal) == getpgrp(); }

bool terminal_at_start(int terminal) { return terminal_is_ours(terminal) && isatty(0) && isatty(1); }

void terminal_take(int terminal) {
  /* SIGTTOU is blocked in the helper; a terminal that is gone needs no owner. */
  if (terminal >= 0) (void)tcsetpgrp(terminal, getpgrp());
}

void terminal_reclaim(int terminal) {
  if (terminal < 0 || terminal_is_ours(terminal)) return;
  pid_t owner = tcgetpgrp(terminal);
  /* All groups of the jail are gone by now: one that exists is somebody else's. */
  if (owner > 0 && (kill(-owner, 0) == 0 || errno != ESRCH)) return;
  terminal_take(terminal);
}

bool terminal_modes(int terminal, struct termios *modes) {
  return terminal_is_ours(terminal) && tcgetattr(terminal, modes) == 0;
}

void terminal_restore(int terminal, const struct termios *modes) {
  /* A terminal that is gone has no modes. */
  (void)tcsetattr(terminal, TCSANOW, modes);
}
