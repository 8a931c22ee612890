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

/* A call as the filter sees it. */
struct call {
  const char *name;
  uint32_t arch;
  long number;
  uint64_t args[3];
};

/* What it is called with says nothing of these. */
#define BARE(name) {#name, OWN, SYS_##name, {0}}
/* The same numbers on every architecture, which the headers may not know. */
#define NUMBER(name, number) {#name, OWN, number, {0}}

static const struct call CALLS[] = {
    {"foreign", OTHER, SYS_read, {0}},
    BARE(read), BARE(openat), BARE(execve), BARE(connect), BARE(listen), BARE(bind), BARE(sendmsg),
    {"socket", OWN, SYS_socket, {AF_INET, SOCK_STREAM}},
    {"raw", OWN, SYS_socket, {AF_INET, SOCK_RAW}},
    {"vsock", OWN, SYS_socket, {1ULL << 32 | 40, SOCK_STREAM}},
    {"datagram", OWN, SYS_socket, {AF_UNIX, SOCK_DGRAM}},
    {"pair", OWN, SYS_socketpair, {AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC}},
    {"audit", OWN, SYS_socket, {AF_NETLINK, SOCK_RAW, 9}},
    {"TIOCSTI", OWN, SYS_ioctl, {0, 1ULL << 32 | 0x5412}},
    {"snapshot", OWN, SYS_ioctl, {0, 0x50009417}},
    {"TCGETS", OWN, SYS_ioctl, {0, 0x5401}},
    {"user namespace", OWN, SYS_unshare, {CLONE_NEWUSER}},
    {"user namespace by clone", OWN, SYS_clone, {CLONE_NEWUSER | 17}},
    {"cgroup namespace", OWN, SYS_unshare, {CLONE_NEWCGROUP}},
    {"cgroup namespace by clone", OWN, SYS_clone, {CLONE_NEWUSER | CLONE_NEWCGROUP | 17}},
    {"thread", OWN, SYS_clone, {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}},
    {"listener", OWN, SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}},
    {"filter", OWN, SYS_seccomp, {SECCOMP_SET_MODE_FILTER}},
    BARE(renameat2), BARE(unlinkat),
    {"rmdir", OWN, SYS_unlinkat, {0, 0, AT_REMOVEDIR}},
    BARE(mount), BARE(setns), BARE(ptrace), BARE(process_vm_readv), BARE(process_vm_writev), BARE(keyctl),
    BARE(open_by_handle_at), BARE(bpf), BARE(perf_event_open), BARE(userfaultfd),
    NUMBER(io_uring_setup, 425), NUMBER(open_tree, 428), NUMBER(clone3, 435), NUMBER(pidfd_open, 434),
    NUMBER(pidfd_getfd, 438), NUMBER(mount_setattr, 442), NUMBER(later, 470),
};

static void tell(const struct call *call) {
  struct seccomp_data data = {.nr = (int)call->number, .arch = call->arch};
  memcpy(data.args, call->args, sizeof call->args);
  uint32_t verdict = judge(&data), action = verdict & SECCOMP_RET_ACTION_FULL;
  if (action == SECCOMP_RET_ERRNO) printf("%s %s\n", call->name, strerror((int)(verdict & SECCOMP_RET_DATA)));
  else if (action == SECCOMP_RET_ALLOW) printf("%s allow\n", call->name);
  else if (action == SECCOMP_RET_USER_NOTIF) printf("%s notify\n", call->name);
  else printf("%s kill\n", call->name);
}

int main(int count, char **words) {
  if (count != 3) return 2;
  seccomp_apply(strcmp(words[1], "nested") == 0, strcmp(words[2], "files") == 0);
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) tell(&CALLS[i]);
  return 0;
}
