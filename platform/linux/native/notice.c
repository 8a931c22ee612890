#define _GNU_SOURCE
#include "notice.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

enum { CONTINUE = 1, TURNS = 1, ROOM = 512 };

/* Newer than some headers. */
struct given {
  uint64_t id;
  uint32_t flags, source, number, number_flags;
};
#define GIVE _IOW('!', 3, struct given)
#define SET_FLAGS _IOW('!', 4, uint64_t)

/* A later kernel may write or read more than these headers know. */
union question {
  struct seccomp_notif notif;
  char room[ROOM];
};
union answer {
  struct seccomp_notif_resp response;
  char room[ROOM];
};

/* Without anybody who could call, the kernel answers at once that there is nothing. */
static enum outcome nothing(int listener) {
  struct pollfd callers = {listener, POLLIN, 0};
  return poll(&callers, 1, 0) > 0 && (callers.revents & POLLHUP) ? NOTICE_OVER : NOTICE_NONE;
}

enum outcome notice_take(int listener, struct notice *notice) {
  union question question;
  memset(&question, 0, sizeof question);
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
    return errno == EINTR || errno == ENOENT || errno == EAGAIN ? nothing(listener) : NOTICE_OVER;
  *notice = (struct notice){
      .id = question.notif.id, .thread = (pid_t)question.notif.pid, .number = question.notif.data.nr};
  for (int i = 0; i < 6; i++) notice->arguments[i] = question.notif.data.args[i];
  return NOTICE_TAKEN;
}

bool notice_valid(int listener, const struct notice *notice) {
  uint64_t id = notice->id;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

/* A caller that died or was interrupted meanwhile needs no answer. */
static void send_answer(int listener, const union answer *answer) {
  while (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer) < 0 && errno == EINTR) continue;
}

void notice_answer(int listener, const struct notice *notice, int result) {
  union answer answer;
  memset(&answer, 0, sizeof answer);
  answer.response.id = notice->id;
  if (result < 0) answer.response.error = result;
  else answer.response.val = result;
  send_answer(listener, &answer);
}

void notice_continue(int listener, const struct notice *notice) {
  union answer answer;
  memset(&answer, 0, sizeof answer);
  answer.response.id = notice->id;
  answer.response.flags = CONTINUE;
  send_answer(listener, &answer);
}

int notice_give(int listener, const struct notice *notice, int fd, bool cloexec) {
  struct given given = {
      .id = notice->id, .source = (uint32_t)fd, .number_flags = cloexec ? (uint32_t)O_CLOEXEC : 0};
  return ioctl(listener, GIVE, &given);
}

void notice_prefer_turns(int listener) { (void)ioctl(listener, SET_FLAGS, TURNS); }
