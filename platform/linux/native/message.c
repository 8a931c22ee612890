#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <sys/socket.h>

bool message_send(int fd, const struct message *message) {
  ssize_t n;
  do n = send(fd, message, sizeof *message, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof *message;
}

bool message_receive(int fd, struct message *message) {
  ssize_t n;
  /* When the other end has left with something unread, the kernel tells that first, and then gives what it had sent. */
  do n = recv(fd, message, sizeof *message, 0);
  while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  return n == (ssize_t)sizeof *message;
}
