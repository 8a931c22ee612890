#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker.h"
#include "execute.h"
#include "landlock.h"
#include "report.h"
#include "seccomp.h"

/* Newer than some C libraries. */
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4
#endif

static void default_signals(void) {
  for (int number = 1; number < 65; number++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    /* KILL, STOP and the C library's own: refused, and never changed. */
    (void)sigaction(number, &action, NULL);
  }
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) fail("launch", "sigprocmask");
}

/* A socket of another network namespace that could still choose whom it talks to: with each message, or by the name
 * that comes with the first one (TCP Fast Open), or by accepting whoever asks. 0, or why not. */
static int free_socket(int fd) {
  int type = socket_option(fd, SO_TYPE), family = socket_option(fd, SO_DOMAIN);
  int protocol = socket_option(fd, SO_PROTOCOL);
  struct sockaddr_storage peer;
  socklen_t room = sizeof peer;
  if (type != SOCK_STREAM && type != SOCK_SEQPACKET) return ESOCKTNOSUPPORT;
  bool internet = family == AF_INET || family == AF_INET6;
  if (internet && protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP) return ESOCKTNOSUPPORT;
  return getpeername(fd, (struct sockaddr *)&peer, &room) < 0 ? errno : 0;
}

/* What came in from outside must lead nowhere else. */
static void judge_stdio(void) {
  static const char *const names[] = {"input", "output", "error"};
  for (int fd = 0; fd < 3; fd++) {
    struct stat about;
    /* Closed ones are no danger. */
    if (fstat(fd, &about) < 0) continue;
    /* From an open folder paths go on as they were before anything was covered. */
    errno = S_ISDIR(about.st_mode) ? EISDIR : S_ISSOCK(about.st_mode) ? free_socket(fd) : 0;
    if (errno != 0) fail("stdio", names[fd]);
  }
}

static _Noreturn void become_command(const struct init_setup *setup, int go) {
  char byte = 0;
  if (read_all(go, &byte, 1) < 0) _exit(EXIT_FAILED);
  if (chdir(setup->spec->cwd) < 0) fail("cwd", setup->spec->cwd);
  umask(setup->mask);
  if (setup->landlock) landlock_scope();
  default_signals();
  judge_stdio();
  /* Nothing but stdin, stdout and stderr goes along. */
  if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0) fail("launch", "close_range");
  /* The broker looks into this process as into those that the command will start. */
  if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) fail("launch", "dumpable");
  broker_offer(setup->broker, seccomp_apply(setup->spec->nested, setup->files));
  execute(setup->spec);
}

struct worker worker_start(const struct init_setup *setup) {
  int go[2], status[2];
  if (pipe2(go, O_CLOEXEC) < 0 || pipe2(status, O_CLOEXEC) < 0) fail("launch", "pipe");
  pid_t pid = fork();
  if (pid < 0) fail("launch", "fork");
  if (pid == 0) {
    close(go[1]);
    close(status[0]);
    become_command(setup, go[0]);
  }
  close(go[0]);
  close(status[1]);
  return (struct worker){pid, go[1], status[0]};
}

void worker_release(const struct worker *worker) {
  char byte = 0;
  if (write_all(worker->go, "g", 1) < 0) fail("launch", "the worker is gone");
  close(worker->go);
  /* The worker holds the other end until exec, or its own end, closes it. */
  (void)read_all(worker->status, &byte, 1);
  close(worker->status);
}
