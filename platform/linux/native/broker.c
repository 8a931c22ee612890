#define _GNU_SOURCE
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "report.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
  CHANNEL = FD_IPC, /* the same number, once that one is closed */
  MOST = 512,  /* calls at once; beyond these a connect is told to try again */
  SPARE = 4,   /* threads kept for the next calls */
  STACK = 256 << 10,
  LOOK_MS = 50, /* how often somebody looks after callers that died or got a signal */
  TELL_TURNS = 4,
  PATIENCE_MS = 2000,
};

void server_waits(struct server *server, bool waits) {
  pthread_mutex_lock(&server->broker->lock);
  server->waiting_long = waits;
  pthread_mutex_unlock(&server->broker->lock);
}

static void *server_run(void *data);

/* With the lock held. */
static bool add_server(struct broker *broker) {
  if (broker->count == MOST) return false;
  struct server *server = calloc(1, sizeof *server);
  if (!server) return false;
  server->broker = broker;
  pthread_attr_t attributes;
  bool made = pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0 &&
              pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
              pthread_create(&server->thread, &attributes, server_run, server) == 0;
  if (!made) {
    free(server);
    return false;
  }
  server->next = broker->servers;
  broker->servers = server;
  broker->count++;
  broker->idle++;
  return true;
}

/* True where another one is there for the next call. */
static bool leave_idle(struct broker *broker) {
  pthread_mutex_lock(&broker->lock);
  bool others = --broker->idle > 0 || add_server(broker);
  pthread_mutex_unlock(&broker->lock);
  return others;
}

/* False where there are enough. */
static bool enter_idle(struct server *server) {
  struct broker *broker = server->broker;
  pthread_mutex_lock(&broker->lock);
  bool stay = broker->idle < SPARE;
  if (stay) broker->idle++;
  else broker->count--;
  for (struct server **at = &broker->servers; !stay && *at; at = &(*at)->next)
    if (*at == server) {
      *at = server->next;
      break;
    }
  pthread_mutex_unlock(&broker->lock);
  return stay;
}

static void *server_run(void *data) {
  struct server *server = data;
  struct broker *broker = server->broker;
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGUSR1);
  /* Root and working folder of its own. */
  if (unshare(CLONE_FS) < 0 || pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL) != 0) _exit(EXIT_FAILED);
  for (;;) {
    enum outcome outcome = notice_take(broker->listener, &server->notice);
    /* Nobody is left in the jail: the helper ends us. */
    if (outcome == NOTICE_OVER) pause();
    if (outcome != NOTICE_TAKEN) continue;
    broker_serve(server, leave_idle(broker));
    if (!enter_idle(server)) break;
  }
  free(server);
  return NULL;
}

static void interrupted(int number) { (void)number; }

/* Wakes those whose callers died or have a signal to handle. */
static void look_after(struct broker *broker) {
  pthread_mutex_lock(&broker->lock);
  for (struct server *server = broker->servers; server; server = server->next) {
    if (!server->waiting_long) continue;
    if (!notice_valid(broker->listener, &server->notice) ||
        caller_interrupted(&broker->lookout, server->notice.thread))
      pthread_kill(server->thread, SIGUSR1);
  }
  pthread_mutex_unlock(&broker->lock);
}

/* The listener, or -1 when the command was never started. */
static int receive_listener(int channel) {
  char byte, control[CMSG_SPACE(sizeof(int))];
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) <= 0) return -1;
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  if (!rights || rights->cmsg_type != SCM_RIGHTS) return -1;
  int listener;
  memcpy(&listener, CMSG_DATA(rights), sizeof listener);
  return listener;
}

static _Noreturn void run(struct broker *broker, int channel) {
  sigset_t finish;
  sigemptyset(&finish);
  sigaddset(&finish, SIGTERM);
  broker->listener = receive_listener(channel);
  if (broker->listener < 0) {
    while (sigwaitinfo(&finish, NULL) < 0) continue;
    _exit(0);
  }
  notice_prefer_turns(broker->listener);
  pthread_mutex_lock(&broker->lock);
  for (int i = 0; i < 2; i++)
    if (!add_server(broker)) fail("broker", "thread");
  pthread_mutex_unlock(&broker->lock);
  if (write_all(channel, "r", 1) < 0) _exit(EXIT_FAILED);
  const struct timespec pause_for = {0, LOOK_MS * 1000000L};
  for (unsigned turn = 1; sigtimedwait(&finish, NULL, &pause_for) < 0; turn++) {
    look_after(broker);
    if (turn % TELL_TURNS == 0) turned_tell(&broker->turned);
  }
  turned_tell(&broker->turned);
  _exit(0);
}

/* Nothing of gate's but the way to tell it of a failure: what is open here could be handed to a caller by mistake. */
static void keep_only(int channel) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; fd++)
    if (null < 0 || dup2(null, fd) < 0) fail("broker", "/dev/null");
  if (dup2(channel, CHANNEL) < 0) fail("broker", "channel");
  close(FD_CONTROL);
  close(FD_DEADMAN);
  if (syscall(SYS_close_range, (unsigned)FD_REPORT + 1, ~0U, 0) < 0) fail("broker", "close_range");
}

/* Not below a namespace as `unshare -r` makes one: all in the jail keep the groups that we have, too. */
static bool groups_change(void) {
  const char *setgroups = read_file("/proc/self/setgroups");
  if (!setgroups) fail("broker", "setgroups");
  return strncmp(setgroups, "allow", 5) == 0;
}

static _Noreturn void become_broker(const struct spec *spec, bool whole, pid_t helper, int channel) {
  static struct broker broker;
  (void)prctl(PR_SET_NAME, "gate-broker", 0, 0, 0);
  /* The terminal's signals and the job's are not for us. */
  if (setsid() < 0) fail("broker", "setsid");
  keep_only(channel);
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) < 0) fail("broker", "limits");
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) < 0) fail("broker", "limits");
  sigset_t all;
  sigfillset(&all);
  struct sigaction action = {.sa_handler = interrupted};
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0) fail("broker", "signals");
  lookout_open(&broker.lookout);
  broker.lookout.users = whole;
  broker.lookout.groups = whole && groups_change();
  names_open(&broker.names, &spec->allowed);
  /* From here on /proc and all others may be covered. */
  if (write_all(CHANNEL, "o", 1) < 0) _exit(EXIT_FAILED);
  if (pthread_mutex_init(&broker.lock, NULL) != 0 || pthread_mutex_init(&broker.turned.lock, NULL) != 0)
    fail("broker", "lock");
  caps_lower(whole ? BROKER_ROOT_CAPS : BROKER_CAPS);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) fail("broker", "dumpable");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("broker", "parent-death signal");
  if (getppid() != helper) _exit(EXIT_FAILED);
  run(&broker, CHANNEL);
}

struct broker_handle broker_start(const struct spec *spec, bool whole, pid_t helper) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) fail("broker", "socketpair");
  pid_t pid = fork();
  if (pid < 0) fail("broker", "fork");
  if (pid == 0) {
    close(ends[0]);
    become_broker(spec, whole, helper, ends[1]);
  }
  close(ends[1]);
  char byte = 0;
  /* It has told Node why, if it could not. */
  if (read_all(ends[0], &byte, 1) < 0) _exit(EXIT_FAILED);
  int process = (int)syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) fail("broker", "pidfd");
  return (struct broker_handle){pid, process, ends[0]};
}

void broker_finish(const struct broker_handle *broker) {
  struct pollfd end = {broker->process, POLLIN, 0};
  kill(broker->pid, SIGTERM);
  /* Node reads slowly, or is gone: it dies with us then. */
  while (poll(&end, 1, PATIENCE_MS) < 0 && errno == EINTR) continue;
}

static void send_listener(int channel, int listener) {
  char byte = 'l', control[CMSG_SPACE(sizeof listener)] = {0};
  struct iovec data = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof listener);
  memcpy(CMSG_DATA(rights), &listener, sizeof listener);
  if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) fail("broker", "handing over");
}

void broker_offer(int channel, int listener) {
  char byte = 0;
  send_listener(channel, listener);
  /* The only one left is the broker's: should it die, calls fail. */
  close(listener);
  if (read_all(channel, &byte, 1) < 0) fail("broker", "taking over");
  close(channel);
  /* Its way to look into processes is that of a debugger, which a security module may forbid: tried here, on a file
   * that is no socket. */
  struct sockaddr_un nowhere = {.sun_family = AF_UNIX, .sun_path = "/dev/null"};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("broker", "socket");
  if (connect(fd, (struct sockaddr *)&nowhere, sizeof nowhere) == 0) errno = EPROTO;
  if (errno != ECONNREFUSED) fail("broker", "trying a connection");
  close(fd);
}
