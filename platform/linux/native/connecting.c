/* The calls on sockets that wait for the broker: connect, listen, and socketpair of datagram sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "broker.h"

#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif
#ifndef SIOCUNIXFILE
#define SIOCUNIXFILE (SIOCPROTOPRIVATE + 0)
#endif

/* Of the kernel's own: the call is made anew once the signal was handled. */
enum { RESTART = 512 };

struct address {
  struct sockaddr_storage name;
  socklen_t size;
};

/* A socket that came in from outside (as standard input) leads out, whatever it is aimed at. The kernel tells of a
 * socket's namespace only those who have power there, and that ends at the jail. */
static bool of_jail(int fd) {
  int space = ioctl(fd, SIOCGSKNS);
  if (space < 0) return false;
  close(space);
  return true;
}

static int connect_to(struct server *server, int fd, const struct address *address) {
  const struct broker *broker = server->broker;
  int result;
  server_waits(server, true);
  for (;;) {
    result = connect(fd, (const struct sockaddr *)&address->name, address->size) < 0 ? -errno : 0;
    if (result != -EINTR) break;
    if (!notice_valid(broker->listener, &server->notice)) break;
    if (!caller_interrupted(&broker->lookout, server->notice.thread)) continue;
    result = -RESTART;
    break;
  }
  server_waits(server, false);
  return result;
}

/* To exactly the file that was held since it was known: through our own descriptor, so that no name is looked up a
 * second time. */
static int connect_held(struct server *server, int fd, int place) {
  if (fchdir(server->broker->lookout.fds) < 0) return -EIO;
  struct address address = {.size = 0};
  struct sockaddr_un *name = (struct sockaddr_un *)&address.name;
  name->sun_family = AF_UNIX;
  int length = snprintf(name->sun_path, sizeof name->sun_path, "%d", place);
  address.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)length + 1);
  return connect_to(server, fd, &address);
}

/* Only what is a socket is worth a record. */
static void turn_away(struct broker *broker, int place) {
  char name[16], path[TURNED_PATH];
  struct stat about;
  snprintf(name, sizeof name, "%d", place);
  ssize_t size = readlinkat(broker->lookout.fds, name, path, sizeof path - 1);
  if (size < 0 || fstat(place, &about) < 0 || !S_ISSOCK(about.st_mode)) return;
  path[size] = 0;
  turned_note(&broker->turned, path);
}

static int connect_name(struct server *server, int fd, const struct address *address) {
  struct broker *broker = server->broker;
  const struct sockaddr_un *given = (const struct sockaddr_un *)&address->name;
  /* The kernel takes a name without its NUL as well. */
  char path[sizeof given->sun_path + 1] = {0};
  memcpy(path, given->sun_path, address->size - offsetof(struct sockaddr_un, sun_path));
  int place = caller_open(&broker->lookout, server->notice.thread, -1, path);
  if (place < 0) return -errno;
  int result = -ECONNREFUSED, known = names_find(&broker->names, place);
  if (known >= 0) result = connect_held(server, fd, known);
  else turn_away(broker, place);
  if (known >= 0) close(known);
  close(place);
  return result;
}

static int connect_unix(struct server *server, int fd, const struct address *address) {
  const struct sockaddr_un *name = (const struct sockaddr_un *)&address->name;
  int type = socket_option(fd, SO_TYPE);
  /* No other is made in the jail. */
  if (type != SOCK_STREAM && type != SOCK_SEQPACKET) return -EPROTOTYPE;
  if (address->size <= offsetof(struct sockaddr_un, sun_path) || address->size > sizeof *name) return -EINVAL;
  if (name->sun_family != AF_UNIX) return -EINVAL;
  /* Abstract names are the network namespace's own. */
  return name->sun_path[0] == 0 ? connect_to(server, fd, address) : connect_name(server, fd, address);
}

static int connect_as_caller(struct server *server, int fd, const struct address *address) {
  struct broker *broker = server->broker;
  if (!notice_valid(broker->listener, &server->notice)) return -EINTR;
  int family = socket_option(fd, SO_DOMAIN);
  if (family < 0) return -errno;
  if (!of_jail(fd)) return -EPERM;
  if (!caller_become(&broker->lookout, server->notice.thread)) return -EPERM;
  int result =
      family == AF_UNIX ? connect_unix(server, fd, address) : connect_to(server, fd, address);
  caller_leave(&broker->lookout);
  return result;
}

static int serve_connect(struct server *server, bool patient) {
  const struct notice *notice = &server->notice;
  const struct lookout *lookout = &server->broker->lookout;
  int fd = caller_descriptor(lookout, notice->thread, (int)notice->arguments[0]);
  if (fd < 0) return -errno;
  struct address address = {.size = (socklen_t)notice->arguments[2]};
  int result = 0;
  if (address.size > sizeof address.name) result = -EINVAL;
  else if (address.size > 0 && !caller_read(notice->thread, notice->arguments[1], &address.name, address.size))
    result = -EFAULT;
  /* Too many wait already; what does not wait is still served. */
  else if (!patient && !(fcntl(fd, F_GETFL) & O_NONBLOCK)) result = -EAGAIN;
  else result = connect_as_caller(server, fd, &address);
  close(fd);
  return result;
}

/* A server begins: its file, if it has one, is the jail's. The kernel tells of the files of the jail's sockets only. The
 * call itself then runs as it is: on another descriptor by now it would listen without being known, and be refused. */
static void serve_listen(struct server *server) {
  struct broker *broker = server->broker;
  const struct notice *notice = &server->notice;
  int fd = caller_descriptor(&broker->lookout, notice->thread, (int)notice->arguments[0]);
  if (fd >= 0 && socket_option(fd, SO_DOMAIN) == AF_UNIX && notice_valid(broker->listener, notice)) {
    int place = ioctl(fd, SIOCUNIXFILE);
    if (place >= 0) names_add(&broker->names, place);
  }
  if (fd >= 0) close(fd);
  notice_continue(broker->listener, notice);
}

/* Datagram sockets could be aimed at any path with each message. Pairs of packet sockets do the same for two ends that
 * only talk to each other. */
static int serve_pair(struct server *server) {
  const struct notice *notice = &server->notice;
  int type = (int)notice->arguments[1], ends[2], numbers[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (type & SOCK_NONBLOCK), (int)notice->arguments[2], ends) < 0)
    return -errno;
  int result = 0;
  for (int i = 0; i < 2 && result == 0; i++) {
    numbers[i] = notice_give(server->broker->listener, notice, ends[i], type & SOCK_CLOEXEC);
    if (numbers[i] < 0) result = -errno;
  }
  close(ends[0]);
  close(ends[1]);
  if (result == 0 && !caller_write(notice->thread, notice->arguments[3], numbers, sizeof numbers)) result = -EFAULT;
  return result;
}

void broker_serve(struct server *server, bool patient) {
  int listener = server->broker->listener;
  switch (server->notice.number) {
    case SYS_connect: notice_answer(listener, &server->notice, serve_connect(server, patient)); return;
    case SYS_listen: serve_listen(server); return;
    case SYS_socketpair: notice_answer(listener, &server->notice, serve_pair(server)); return;
    default: serve_rename(server);
  }
}
