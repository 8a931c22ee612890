/* Exchanges what a connect was given while it is judged: `race address|descriptor OUTSIDE-PATH OWN-PATH`. Ends with 0
 * when the socket outside was reached, with 1 when in two seconds it never was, and with 2 when it could not try. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SLOT = 100, SECONDS = 2 };

static struct sockaddr_un outside = {.sun_family = AF_UNIX}, own = {.sun_family = AF_UNIX};
static struct sockaddr_in loopback = {.sin_family = AF_INET};
static union {
  struct sockaddr_un name;
  struct sockaddr_in loopback;
  char bytes[sizeof(struct sockaddr_un)];
} given;
static atomic_bool over;
static int internet, local;

/* Long enough that it is mostly whole. */
static void give(const void *address, size_t size) {
  memcpy(given.bytes, address, size);
  for (int i = 0; i < 300; i++) __asm__ volatile("" ::: "memory");
}

static void *exchange_address(void *unused) {
  while (!over) {
    give(&own, sizeof own);
    give(&outside, sizeof outside);
  }
  return unused;
}

static void *exchange_descriptor(void *unused) {
  while (!over) {
    give(&loopback, sizeof loopback);
    dup2(internet, SLOT);
    give(&outside, sizeof outside);
    dup2(local, SLOT);
  }
  return unused;
}

static _Noreturn void *serve(void *listener) {
  for (;;) close(accept((int)(long)listener, NULL, NULL));
}

static int listening(int family, struct sockaddr *name, socklen_t size) {
  pthread_t thread;
  int fd = socket(family, SOCK_STREAM, 0);
  if (fd < 0 || bind(fd, name, size) < 0 || listen(fd, 64) < 0) exit(2);
  if (getsockname(fd, name, &size) < 0 || pthread_create(&thread, NULL, serve, (void *)(long)fd)) exit(2);
  return fd;
}

static int fresh(int *slot, int family) {
  if (*slot > 0) close(*slot);
  return *slot = socket(family, SOCK_STREAM, 0);
}

static int reached(int fd) {
  struct sockaddr_un peer = {0};
  socklen_t room = sizeof peer;
  if (getpeername(fd, (struct sockaddr *)&peer, &room) < 0 || peer.sun_family != AF_UNIX) return 0;
  return strncmp(peer.sun_path, outside.sun_path, sizeof peer.sun_path) == 0;
}

int main(int count, char **words) {
  if (count != 4) return 2;
  int by_address = strcmp(words[1], "address") == 0;
  strncpy(outside.sun_path, words[2], sizeof outside.sun_path - 1);
  strncpy(own.sun_path, words[3], sizeof own.sun_path - 1);
  listening(AF_UNIX, (struct sockaddr *)&own, sizeof own);
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listening(AF_INET, (struct sockaddr *)&loopback, sizeof loopback);
  fresh(&internet, AF_INET);
  fresh(&local, AF_UNIX);
  pthread_t thread;
  if (pthread_create(&thread, NULL, by_address ? exchange_address : exchange_descriptor, NULL)) return 2;
  long tries = 0, connected = 0;
  for (time_t end = time(NULL) + SECONDS; time(NULL) < end; tries++) {
    int fd = by_address ? socket(AF_UNIX, SOCK_STREAM, 0) : SLOT;
    connected += connect(fd, (struct sockaddr *)&given, sizeof given.name) == 0;
    if (reached(fd) || reached(local)) return 0;
    if (by_address) close(fd);
    else if (fresh(&internet, AF_INET) < 0 || fresh(&local, AF_UNIX) < 0) return 2;
  }
  over = 1;
  printf("%ld tries, %ld connected\n", tries, connected);
  /* A race that never met its own side was none. */
  return connected > 0 && tries > connected ? 1 : 2;
}
