#define _GNU_SOURCE
#include "init.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "kernelfs.h"
#include "message.h"
#include "refused.h"
#include "report.h"
#include "worker.h"

struct init {
  const struct init_setup *setup;
  int children; /* signalfd */
  pid_t worker; /* also its process group; 0 before launch */
  pid_t foreground; /* the jail's group that had the terminal when the command stopped */
  unsigned continues;
  struct refused refused;
};

static void tell(const struct init *init, enum operation operation, int value) {
  struct message message = {.operation = operation, .value = value, .continues = init->continues};
  message.has_terminal = init->foreground > 0;
  message_send(init->setup->helper, &message);
}

/* The whole jail, at once. As process 1 returns, the kernel kills whatever is left. */
static _Noreturn void end_all(void) {
  kill(-1, SIGKILL);
  _exit(EXIT_FAILED);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void give_terminal(const struct init *init) {
  pid_t group = init->foreground > 0 && kill(-init->foreground, 0) == 0 ? init->foreground : init->worker;
  /* SIGTTOU is blocked here. A terminal that went away is no reason to end. */
  if (init->setup->terminal >= 0) (void)tcsetpgrp(init->setup->terminal, group);
}

/* The user's terminal and pipes must not stay open through us: a reader would wait for the end of file. */
static void let_go_of_stdio(void) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return;
  for (int fd = 0; fd < 3; fd++) dup2(null, fd);
  close(null);
}

static void launch(struct init *init, bool terminal) {
  struct worker worker = worker_start(init->setup);
  init->worker = worker.pid;
  if (setpgid(worker.pid, worker.pid) < 0 && errno != EACCES) fail("launch", "setpgid");
  if (terminal) give_terminal(init);
  worker_release(&worker);
  let_go_of_stdio();
  close(FD_REPORT);
  close(init->setup->broker);
  caps_set(0);
  /* Changed credentials clear it. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) end_all();
  tell(init, OP_LAUNCHED, 0);
}

/* Everybody else dies first, so that what they did last is in the last report. */
static _Noreturn void finish(struct init *init, int status) {
  kill(-1, SIGKILL);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
  refused_finish(&init->refused);
  tell(init, OP_ENDED, status);
  _exit(0);
}

static void reap(struct init *init) {
  struct signalfd_siginfo ignored;
  while (read(init->children, &ignored, sizeof ignored) > 0) continue;
  int status = 0;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
    if (pid != init->worker) continue;
    if (!WIFSTOPPED(status)) finish(init, status);
    pid_t group = init->setup->terminal >= 0 ? tcgetpgrp(init->setup->terminal) : 0;
    init->foreground = group > 0 ? group : 0;
    tell(init, OP_STOPPED, WSTOPSIG(status));
  }
}

static void handle_message(struct init *init) {
  struct message message;
  if (!message_receive(init->setup->helper, &message)) end_all();
  switch (message.operation) {
    case OP_LAUNCH: launch(init, message.value); break;
    case OP_SIGNAL:
      if (init->worker > 0) kill(-init->worker, message.value);
      break;
    case OP_CONTINUE:
      init->continues++;
      if (message.value) give_terminal(init);
      if (init->worker > 0) kill(-init->worker, SIGCONT);
      break;
    case OP_DESTROY:
      /* It may have ended by itself just now. */
      reap(init);
      finish(init, SIGKILL);
    default: end_all();
  }
}

static _Noreturn void loop(struct init *init) {
  struct pollfd watched[] = {
      {init->children, POLLIN, 0},
      {init->setup->helper, POLLIN, 0},
      /* Nothing is ever written to it by Node: readable means that its other end is gone. */
      {FD_DEADMAN, POLLIN, 0},
      {init->setup->packets, POLLIN, 0},
  };
  for (;;) {
    int timeout = refused_flush(&init->refused, now_ms());
    if (poll(watched, 4, timeout) < 0 && errno != EINTR) end_all();
    if (watched[2].revents) end_all();
    if (watched[3].revents) refused_read(&init->refused);
    if (watched[1].revents) handle_message(init);
    if (watched[0].revents) reap(init);
  }
}

static int watch_children(void) {
  sigset_t all, child;
  sigfillset(&all);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) fail("init", "sigprocmask");
  int fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) fail("init", "signalfd");
  return fd;
}

static uint64_t kept_caps(const struct init_setup *setup) {
  if (!setup->whole) return 0;
  return setup->spec->nested ? ROOT_NESTING_CAPS : ROOT_CAPS;
}

_Noreturn void init_run(const struct init_setup *setup) {
  struct init init = {.setup = setup};
  init.refused.packets = setup->packets;
  init.refused.report = FD_DEADMAN;
  init.children = watch_children();
  /* Its own group: what stops or interrupts gate's group must not touch process 1. */
  if (setpgid(0, 0) < 0) fail("init", "setpgid");
  proc_fresh(geteuid() == 0);
  caps_lower(kept_caps(setup));
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) fail("init", "dumpable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("init", "parent-death signal");
  tell(&init, OP_STANDING, 0);
  loop(&init);
}
