/* What the jail's filter answers, without installing it: `jail-filter nested|alone files|folders` prints a line for each
 * call, `NAME allow|notify|kill|ERRNO`. Linked with `--wrap=syscall`, so that the program is caught on its way. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "../../platform/linux/native/seccomp.h"

#if defined(__x86_64__)
#define OWN AUDIT_ARCH_X86_64
#define OTHER AUDIT_ARCH_I386
#else
#define OWN AUDIT_ARCH_AARCH64
#define OTHER AUDIT_ARCH_ARM
#endif

static struct sock_filter code[BPF_MAXINSNS];

long __wrap_syscall(long number, unsigned long mode, unsigned long flags, const struct sock_fprog *program);
long __wrap_syscall(long number, unsigned long mode, unsigned long flags, const struct sock_fprog *program) {
  if (number != SYS_seccomp || mode != SECCOMP_SET_MODE_FILTER || flags == 0) exit(2);
  memcpy(code, program->filter, program->len * sizeof *code);
  return 3;
}

/* In place of the helper's: there is no Node to tell. */
void say(const char *format, ...);
void say(const char *format, ...) { (void)format; }
_Noreturn void fail(const char *step, const char *detail);
_Noreturn void fail(const char *step, const char *detail) {
  fprintf(stderr, "%s: %s\n", step, detail);
  exit(2);
}

static uint32_t judge(const struct seccomp_data *data) {
  uint32_t value = 0;
  for (const struct sock_filter *at = code;; at++) {
    switch (at->code) {
      case BPF_LD | BPF_W | BPF_ABS: memcpy(&value, (const char *)data + at->k, sizeof value); break;
      case BPF_ALU | BPF_AND | BPF_K: value &= at->k; break;
      case BPF_JMP | BPF_JEQ | BPF_K: at += value == at->k ? at->jt : at->jf; break;
      case BPF_JMP | BPF_JGT | BPF_K: at += value > at->k ? at->jt : at->jf; break;
      case BPF_JMP | BPF_JGE | BPF_K: at += value >= at->k ? at->jt : at->jf; break;
      case BPF_JMP | BPF_JSET | BPF_K: at += value & at->k ? at->jt : at->jf; break;
      case BPF_RET | BPF_K: return at->k;
      default: exit(3);
    }
  }
}

static void tell(const char *name, uint32_t arch, long number, uint64_t a, uint64_t b, uint64_t c) {
  struct seccomp_data data = {.nr = (int)number, .arch = arch, .args = {a, b, c}};
  uint32_t verdict = judge(&data), action = verdict & SECCOMP_RET_ACTION_FULL;
  if (action == SECCOMP_RET_ERRNO) printf("%s %s\n", name, strerror((int)(verdict & SECCOMP_RET_DATA)));
  else if (action == SECCOMP_RET_ALLOW) printf("%s allow\n", name);
  else if (action == SECCOMP_RET_USER_NOTIF) printf("%s notify\n", name);
  else printf("%s kill\n", name);
}

#define CALL(name, ...) tell(#name, OWN, SYS_##name, __VA_ARGS__)
#define NUMBER(name, number) tell(#name, OWN, number, 0, 0, 0)

int main(int count, char **words) {
  if (count != 3) return 2;
  seccomp_apply(strcmp(words[1], "nested") == 0, strcmp(words[2], "files") == 0);
  tell("foreign", OTHER, SYS_read, 0, 0, 0);
  CALL(read, 0, 0, 0);
  CALL(openat, 0, 0, 0);
  CALL(execve, 0, 0, 0);
  CALL(connect, 3, 0, 0);
  CALL(listen, 3, 0, 0);
  CALL(bind, 3, 0, 0);
  CALL(sendmsg, 3, 0, 0);
  CALL(socket, AF_INET, SOCK_STREAM, 0);
  tell("raw", OWN, SYS_socket, AF_INET, SOCK_RAW, 0);
  tell("vsock", OWN, SYS_socket, 1ULL << 32 | 40, SOCK_STREAM, 0);
  tell("datagram", OWN, SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
  tell("pair", OWN, SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  tell("audit", OWN, SYS_socket, AF_NETLINK, SOCK_RAW, 9);
  tell("TIOCSTI", OWN, SYS_ioctl, 0, 1ULL << 32 | 0x5412, 0);
  tell("snapshot", OWN, SYS_ioctl, 0, 0x50009417, 0);
  tell("TCGETS", OWN, SYS_ioctl, 0, 0x5401, 0);
  tell("user namespace", OWN, SYS_unshare, CLONE_NEWUSER, 0, 0);
  tell("user namespace by clone", OWN, SYS_clone, CLONE_NEWUSER | 17, 0, 0);
  tell("cgroup namespace", OWN, SYS_unshare, CLONE_NEWCGROUP, 0, 0);
  tell("cgroup namespace by clone", OWN, SYS_clone, CLONE_NEWUSER | CLONE_NEWCGROUP | 17, 0, 0);
  tell("thread", OWN, SYS_clone, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0, 0);
  tell("listener", OWN, SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0);
  tell("filter", OWN, SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0);
  CALL(renameat2, 0, 0, 0);
  CALL(unlinkat, 0, 0, 0);
  tell("rmdir", OWN, SYS_unlinkat, 0, 0, AT_REMOVEDIR);
  CALL(mount, 0, 0, 0);
  CALL(setns, 0, 0, 0);
  CALL(ptrace, 0, 0, 0);
  CALL(process_vm_readv, 0, 0, 0);
  CALL(process_vm_writev, 0, 0, 0);
  CALL(keyctl, 0, 0, 0);
  CALL(open_by_handle_at, 0, 0, 0);
  CALL(bpf, 0, 0, 0);
  CALL(perf_event_open, 0, 0, 0);
  CALL(userfaultfd, 0, 0, 0);
  /* The same numbers on every architecture. */
  NUMBER(io_uring_setup, 425);
  NUMBER(open_tree, 428);
  NUMBER(clone3, 435);
  NUMBER(pidfd_open, 434);
  NUMBER(pidfd_getfd, 438);
  NUMBER(mount_setattr, 442);
  NUMBER(later, 470);
  return 0;
}
