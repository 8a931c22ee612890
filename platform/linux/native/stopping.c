#define _GNU_SOURCE
#include "stopping.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "terminal.h"

static void tell_init(const struct supervisor *supervisor, enum operation operation, int value) {
  struct message message = {.operation = operation, .value = value};
  (void)message_send(supervisor->messages, &message);
}

void continue_command(struct supervisor *supervisor) {
  supervisor->continues++;
  tell_init(supervisor, OP_CONTINUE, terminal_is_ours(supervisor->terminal));
}

/* Lets the signal through to this process too. True when it stopped us and somebody continued us since. */
static bool stop_self(int number) {
  sigset_t one, pending;
  sigemptyset(&one);
  sigaddset(&one, number);
  sigprocmask(SIG_UNBLOCK, &one, NULL);
  sigprocmask(SIG_BLOCK, &one, NULL);
  return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

void command_stopped(struct supervisor *supervisor, const struct message *message) {
  int number = message->value;
  bool wants_terminal = number == SIGTTIN || number == SIGTTOU;
  /* Lazily: it reads or writes the terminal now, and gate's group holds it. */
  if (wants_terminal && terminal_is_ours(supervisor->terminal)) {
    continue_command(supervisor);
    return;
  }
  if (message->has_terminal) terminal_take(supervisor->terminal);
  /* Node and the rest of the pipeline stop as if the terminal had told them. */
  kill(0, number);
  if (stop_self(number)) return; /* SIGCONT waits in the signalfd */
  /* Nobody could continue an orphaned group, so the kernel did not stop us. A plain command would have gone on, or
   * have got an error from its terminal. */
  if (wants_terminal) tell_init(supervisor, OP_SIGNAL, SIGHUP);
  continue_command(supervisor);
}
