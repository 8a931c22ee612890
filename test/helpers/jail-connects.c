/* Connects, in the ways that programs do: `flood PROCESSES THREADS EACH` or `meanings`. Prints what happened, the same
 * inside the jail as outside. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

union name {
  struct sockaddr any;
  struct sockaddr_in inet;
  struct sockaddr_un local;
};

static union name inet_name(int port) {
  union name name = {.inet = {AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}}};
  return name;
}

static union name local_name(const char *path) {
  union name name = {.local = {.sun_family = AF_UNIX}};
  strncpy(name.local.sun_path, path, sizeof name.local.sun_path - 1);
  return name;
}

static int connect_to(int fd, union name name) {
  return connect(fd, &name.any, name.any.sa_family == AF_UNIX ? sizeof name.local : sizeof name.inet);
}

static int listening(union name *name, int type, int backlog) {
  int fd = socket(name->any.sa_family, type | SOCK_CLOEXEC, 0);
  socklen_t size = name->any.sa_family == AF_UNIX ? sizeof name->local : sizeof name->inet;
  if (fd < 0 || bind(fd, &name->any, size) < 0 || listen(fd, backlog) < 0) exit(2);
  if (name->any.sa_family == AF_INET && getsockname(fd, &name->any, &size) < 0) exit(2);
  return fd;
}

static void *accept_all(void *listener) {
  for (;;) {
    int fd = accept((int)(long)listener, NULL, NULL);
    if (fd < 0 && errno != EINTR && errno != ECONNABORTED) exit(3);
    if (fd >= 0) close(fd);
  }
}

static void serve(int listener) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, accept_all, (void *)(long)listener)) exit(2);
}

/* ---- flood ---- */

static union name servers[2];
static int each;

static int one_call(int number) {
  union name nobody = local_name("nobody"), closed = inet_name(1);
  int local = number % 2, sync = number % 3 != 0, wrong = number % 10 == 9;
  int fd = socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | (sync ? 0 : SOCK_NONBLOCK), 0);
  if (fd < 0) return 0;
  int result, error = 0;
  socklen_t room = sizeof error;
  while ((result = connect_to(fd, wrong ? (local ? nobody : closed) : servers[local])) < 0 && errno == EAGAIN) usleep(500);
  if (result < 0 && errno == EINPROGRESS) {
    struct pollfd ready = {fd, POLLOUT, 0};
    result = poll(&ready, 1, 20000) == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &room) == 0 && !error ? 0 : -1;
    errno = error;
  }
  int right = wrong ? result < 0 && errno == (local ? ENOENT : ECONNREFUSED) : result == 0;
  if (!right) fprintf(stderr, "call %d: %d %s\n", number, result, strerror(errno));
  close(fd);
  return right;
}

static void *call_all(void *good) {
  for (int i = 0; i < each; i++) *(long *)good += one_call(i);
  return NULL;
}

static void flood(int processes, int threads) {
  servers[0] = inet_name(0);
  servers[1] = local_name("flood");
  for (int i = 0; i < 2; i++) serve(listening(&servers[i], SOCK_STREAM, 4096));
  long *good = mmap(NULL, sizeof(long) * (size_t)(processes * threads), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int p = 0; p < processes; p++) {
    if (fork() != 0) continue;
    pthread_t all[threads];
    for (int t = 0; t < threads; t++)
      if (pthread_create(&all[t], NULL, call_all, &good[p * threads + t])) _exit(2);
    for (int t = 0; t < threads; t++) pthread_join(all[t], NULL);
    _exit(0);
  }
  int failed = 0;
  for (int status; wait(&status) > 0;) failed += status != 0;
  long sum = 0;
  for (int i = 0; i < processes * threads; i++) sum += good[i];
  printf("%ld of %d, %d failed\n", sum, processes * threads * each, failed);
}

/* ---- meanings ---- */

static void say(const char *what, int result) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "ok");
}

static void on_signal(int number) { (void)number; }

static void handle(int number, int flags) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
  sigaction(number, &action, NULL);
}

static void alarm_in(int ms) {
  struct itimerval timer = {.it_value = {0, ms * 1000}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int fresh(int family, int type) { return socket(family, type | SOCK_CLOEXEC, 0); }

static void errors(void) {
  union name closed = inet_name(1), server = inet_name(0), local = local_name("errors");
  int listener = listening(&server, SOCK_STREAM, 8), own = listening(&local, SOCK_STREAM, 8), fd = fresh(AF_INET, SOCK_STREAM);
  say("closed port", connect_to(fresh(AF_INET, SOCK_STREAM), closed));
  say("connected", connect_to(fd, server));
  say("connected twice", connect_to(fd, server));
  say("on a listener", connect_to(listener, server));
  say("no descriptor", connect_to(999, server));
  say("no socket", connect_to(open("/dev/null", O_RDWR), server));
  say("only a path", connect_to(open(".", O_PATH), server));
  say("bad address", connect(fresh(AF_INET, SOCK_STREAM), (void *)8, sizeof server.inet));
  say("short address", connect(fresh(AF_INET, SOCK_STREAM), &server.any, 4));
  say("long address", connect(fresh(AF_INET, SOCK_STREAM), &server.any, 4096));
  say("negative length", connect(fresh(AF_INET, SOCK_STREAM), &server.any, (socklen_t)-1));
  say("local name on inet", connect_to(fresh(AF_INET, SOCK_STREAM), local));
  say("inet name on local", connect_to(fresh(AF_UNIX, SOCK_STREAM), server));
  say("other type", connect_to(fresh(AF_UNIX, SOCK_SEQPACKET), local));
  say("local", connect_to(fresh(AF_UNIX, SOCK_STREAM), local));
  say("no file", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("missing")));
  say("no folder", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("missing/x")));
  say("below a file", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("errors/x")));
  say("a folder", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name(".")));
  symlink("loop", "loop");
  say("a loop", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("loop")));
  chmod("errors", 0);
  if (geteuid() != 0) say("no permission", connect_to(fresh(AF_UNIX, SOCK_STREAM), local));
  close(own);
  chmod("errors", 0600);
  say("nobody listens any more", connect_to(fresh(AF_UNIX, SOCK_STREAM), local));
  say("no abstract name", connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("")));
  say("empty name", connect(fresh(AF_UNIX, SOCK_STREAM), &local.any, 2));
}

static int later(int fd, int wanted) {
  struct pollfd ready = {fd, POLLOUT, 0};
  int error = 0;
  socklen_t room = sizeof error;
  if (poll(&ready, 1, 10000) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &room) < 0) return -1;
  errno = error;
  return error == wanted ? 0 : -1;
}

static void without_waiting(void) {
  union name server = inet_name(0), closed = inet_name(1), full = local_name("full");
  listening(&server, SOCK_STREAM, 8);
  int fd = fresh(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  say("non-blocking", connect_to(fd, server));
  say("then", later(fd, 0));
  say("again", connect_to(fd, server));
  fd = fresh(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  say("non-blocking to nobody", connect_to(fd, closed));
  say("then refused", later(fd, ECONNREFUSED));
  listening(&full, SOCK_STREAM, 0);
  say("into the queue", connect_to(fresh(AF_UNIX, SOCK_STREAM), full));
  say("full", connect_to(fresh(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK), full));
}

static void datagrams(void) {
  union name closed = inet_name(1), nobody = {.any = {.sa_family = AF_UNSPEC}};
  int fd = fresh(AF_INET, SOCK_DGRAM);
  struct sockaddr_in peer;
  socklen_t room = sizeof peer;
  say("UDP", connect_to(fd, closed));
  say("send", (int)send(fd, "x", 1, 0));
  struct pollfd answer = {fd, POLLIN, 0};
  poll(&answer, 1, 5000);
  say("send again", (int)send(fd, "x", 1, 0));
  say("peer", getpeername(fd, (struct sockaddr *)&peer, &room));
  say("let go", connect(fd, &nobody.any, sizeof nobody.inet));
  say("no peer", getpeername(fd, (struct sockaddr *)&peer, &room));
}

static void first_message(void) {
  union name server = inet_name(0);
  int on = 1, fd = fresh(AF_INET, SOCK_STREAM);
  serve(listening(&server, SOCK_STREAM, 8));
  say("fast open", (int)sendto(fd, "x", 1, MSG_FASTOPEN, &server.any, sizeof server.inet));
  fd = fresh(AF_INET, SOCK_STREAM);
  say("fast open option", setsockopt(fd, IPPROTO_TCP, 30, &on, sizeof on));
  say("connect", connect_to(fd, server));
  say("send", (int)send(fd, "x", 1, MSG_NOSIGNAL));
}

static int full_queue(const char *path) {
  union name name = local_name(path);
  int listener = listening(&name, SOCK_STREAM, 0);
  if (connect_to(fresh(AF_UNIX, SOCK_STREAM), name) < 0) exit(2);
  return listener;
}

static void *accept_later(void *listener) {
  usleep(400000);
  return (void *)(long)accept((int)(long)listener, NULL, NULL);
}

static void waiting(void) {
  int listener = full_queue("waiting"), fd = fresh(AF_UNIX, SOCK_STREAM);
  union name name = local_name("waiting");
  struct timeval patience = {0, 200000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  say("until the time is over", connect_to(fd, name));
  handle(SIGALRM, 0);
  alarm_in(200);
  say("until a signal", connect_to(fresh(AF_UNIX, SOCK_STREAM), name));
  pthread_t thread;
  handle(SIGALRM, SA_RESTART);
  alarm_in(100);
  pthread_create(&thread, NULL, accept_later, (void *)(long)listener);
  say("on after a signal", connect_to(fresh(AF_UNIX, SOCK_STREAM), name));
  pthread_join(thread, NULL);
}

/* Signals that nobody handles do not interrupt; one that kills does, at once. */
static void ending(void) {
  full_queue("ending");
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    if (fork() == 0) _exit(0);
    alarm_in(300);
    signal(SIGALRM, SIG_DFL);
    connect_to(fresh(AF_UNIX, SOCK_STREAM), local_name("ending"));
    _exit(1);
  }
  waitpid(child, &status, 0);
  printf("ended by: %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
}

int main(int count, char **words) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  if (count == 5 && strcmp(words[1], "flood") == 0) {
    each = atoi(words[4]);
    flood(atoi(words[2]), atoi(words[3]));
    return 0;
  }
  errors();
  without_waiting();
  datagrams();
  first_message();
  waiting();
  ending();
  return 0;
}
