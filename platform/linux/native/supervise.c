#define _GNU_SOURCE
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listeners.h"
#include "message.h"
#include "report.h"
#include "stopping.h"
#include "terminal.h"

static void tell_init(const struct supervisor *supervisor, enum operation operation, int value) {
  struct message message = {.operation = operation, .value = value};
  /* A dead init shows as the end of its process. */
  (void)message_send(supervisor->messages, &message);
}

static void let_go_of_stdio(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) fail("launch", "/dev/null");
  for (int fd = 0; fd < 3; fd++)
    if (dup2(null, fd) < 0) fail("launch", "/dev/null");
  close(null);
}

static void command(struct supervisor *supervisor, const char *line) {
  int number = 0, family = 0;
  if (strcmp(line, "launch") == 0) {
    supervisor->modes_known = terminal_modes(supervisor->terminal, &supervisor->modes);
    tell_init(supervisor, OP_LAUNCH, terminal_at_start(supervisor->terminal));
    let_go_of_stdio();
  } else if (sscanf(line, "signal %d", &number) == 1) {
    tell_init(supervisor, OP_SIGNAL, number);
  } else if (sscanf(line, "socket %d %d", &number, &family) == 2) {
    hand_over_socket((unsigned)number, family);
  } else if (strcmp(line, "continue") == 0) {
    continue_command(supervisor);
  } else if (strcmp(line, "destroy") == 0) {
    tell_init(supervisor, OP_DESTROY, 0);
  }
}

/* Lines from Node. False when Node is gone. */
static bool read_commands(struct supervisor *supervisor) {
  char lines[512];
  ssize_t size = recv(FD_CONTROL, lines, sizeof lines - 1, MSG_PEEK);
  if (size < 0) return errno == EINTR || errno == EAGAIN;
  if (size == 0) return false;
  lines[size] = 0;
  char *end = strrchr(lines, '\n');
  /* Half a line: leave it until the rest is there. */
  if (!end) return size < (ssize_t)sizeof lines - 1;
  *end = 0;
  if (recv(FD_CONTROL, (char[sizeof lines]){0}, (size_t)(end - lines) + 1, 0) < 0) return false;
  char *rest = lines;
  for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) command(supervisor, line);
  return true;
}

/* Ctrl-C at the terminal ends a script as well as its command: the rest of gate's group hears of it too. */
static void share_interrupt(const struct supervisor *supervisor, bool had_terminal, int status) {
  if (!had_terminal || supervisor->terminal < 0) return;
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) kill(0, SIGINT);
}

static _Noreturn void ended(const struct supervisor *supervisor, bool clean, int status) {
  while (waitpid(supervisor->init, NULL, 0) < 0 && errno == EINTR) continue;
  /* All of the jail is gone with its process 1. */
  broker_finish(&supervisor->broker);
  bool had_terminal = supervisor->terminal >= 0 && !terminal_is_ours(supervisor->terminal);
  terminal_reclaim(supervisor->terminal);
  had_terminal = had_terminal && terminal_is_ours(supervisor->terminal);
  if (had_terminal && supervisor->modes_known && (!clean || WIFSIGNALED(status)))
    terminal_restore(supervisor->terminal, &supervisor->modes);
  if (!clean) say("lost");
  else if (WIFSIGNALED(status)) say("end signal %d", WTERMSIG(status));
  else say("end exit %d", WEXITSTATUS(status));
  if (clean) share_interrupt(supervisor, had_terminal, status);
  _exit(0);
}

/* Without it no call that it answers can succeed; the command would only see odd errors. */
static _Noreturn void broker_lost(const struct supervisor *supervisor) {
  say("broken");
  kill(supervisor->init, SIGKILL);
  ended(supervisor, false, 0);
}

static void handle_message(struct supervisor *supervisor) {
  struct message message;
  if (!message_receive(supervisor->messages, &message)) ended(supervisor, false, 0);
  switch (message.operation) {
    case OP_LAUNCHED: say("launched"); break;
    case OP_STOPPED:
      if (message.continues == supervisor->continues) command_stopped(supervisor, &message);
      break;
    case OP_ENDED: ended(supervisor, true, message.value);
    default: break;
  }
}

static void handle_signals(struct supervisor *supervisor, int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    /* Node first: a signal that waited for it while it was stopped reaches the command before the command goes on. */
    if (number == SIGCONT) say("continued");
    /* Sent to gate's group (`kill -TSTP %1`, or ^Z while the command has no terminal): stop the command, and with it,
     * when it did, gate. */
    if (number == SIGTSTP) tell_init(supervisor, OP_SIGNAL, SIGTSTP);
  }
}

static sigset_t handled(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCONT);
  sigaddset(&set, SIGTSTP);
  return set;
}

void supervise_block_signals(void) {
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) fail("helper", "sigprocmask");
}

_Noreturn void supervise(struct supervisor *supervisor) {
  sigset_t set = handled();
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) fail("helper", "signalfd");
  struct pollfd watched[] = {{FD_CONTROL, POLLIN, 0},
                             {supervisor->messages, POLLIN, 0},
                             {signals, POLLIN, 0},
                             {supervisor->broker.process, POLLIN, 0}};
  for (;;) {
    if (poll(watched, 4, -1) < 0 && errno != EINTR) fail("helper", "poll");
    if (watched[2].revents) handle_signals(supervisor, signals);
    if (watched[1].revents) handle_message(supervisor);
    if (watched[0].revents && !read_commands(supervisor)) {
      kill(supervisor->init, SIGKILL);
      ended(supervisor, false, 0);
    }
    if (watched[3].revents) broker_lost(supervisor);
  }
}
