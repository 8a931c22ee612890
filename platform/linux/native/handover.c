/* Node's own child-process channel carries descriptors, so no addon is needed. The protocol is internal to Node
 * (lib/internal/child_process.js): a JSON line with SCM_RIGHTS, answered by an acknowledgement. */
#define _GNU_SOURCE
#include "handover.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

enum { PATIENCE_MS = 20000 };

static ssize_t send_with(const char *line, int fd, int flags) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec data = {(void *)line, strlen(line)};
  struct msghdr message = {
      .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  ssize_t sent = sendmsg(FD_IPC, &message, MSG_NOSIGNAL | flags);
  if (sent < 0 || (size_t)sent == strlen(line)) return sent;
  errno = EMSGSIZE;
  return -1;
}

/* Bursts without waiting make Node lose handles. */
static void await_acknowledgement(void) {
  char answer[1024];
  size_t size = 0;
  for (;;) {
    struct pollfd wait = {FD_IPC, POLLIN, 0};
    int ready = poll(&wait, 1, PATIENCE_MS);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) errno = ETIMEDOUT;
    if (ready <= 0) fail("handover", "no acknowledgement");
    ssize_t n = read(FD_IPC, answer + size, sizeof answer - 1 - size);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n == 0) errno = EPIPE;
    if (n <= 0) fail("handover", "no acknowledgement");
    size += (size_t)n;
    answer[size] = 0;
    if (!strchr(answer, '\n')) continue;
    if (strstr(answer, "\"NODE_HANDLE_ACK\"")) return;
    errno = EPROTO;
    fail("handover", "an answer that is no acknowledgement");
  }
}

void hand_over(const char *line, int fd) {
  if (send_with(line, fd, 0) < 0) fail("handover", "sendmsg");
  await_acknowledgement();
}

bool hand_over_now(const char *line, int fd) {
  char answers[1024];
  /* Acknowledgements of earlier ones. */
  while (recv(FD_IPC, answers, sizeof answers, MSG_DONTWAIT) > 0) continue;
  return send_with(line, fd, MSG_DONTWAIT) >= 0;
}
