#define _GNU_SOURCE
#include "seccomp.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "refusals.h"
#include "report.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "gate-jail knows the system calls of x86-64 and aarch64 only"
#endif

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef TIOCLINUX
#define TIOCLINUX 0x541C
#endif

/* Of headers that are not everywhere. */
#define BTRFS_SNAP_CREATE 0x50009401
#define BTRFS_SNAP_DESTROY 0x5000940f
#define BTRFS_SNAP_CREATE_V2 0x50009417
#define BTRFS_SNAP_DESTROY_V2 0x5000943f
#define BCACHEFS_SUBVOLUME_CREATE 0x4020bc10
#define BCACHEFS_SUBVOLUME_DESTROY 0x4020bc11

enum {
  X32_BIT = 0x40000000,
  /* Calls that came after the newest one judged here (file_setattr) do not exist in the jail. */
  LAST_JUDGED = 469,
  TYPE_MASK = 0xf,
  SET_MODE_FILTER = 1,
  NEW_LISTENER = 8,
  WAIT_KILLABLE = 32,
};

static void foreign_calls(struct filter *filter) {
  filter_add(filter, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
  filter_add(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
  filter_return(filter, SECCOMP_RET_KILL_PROCESS);
  filter_load_number(filter);
#if defined(__x86_64__)
  filter_add(filter, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
  filter_return(filter, SECCOMP_RET_KILL_PROCESS);
#endif
  filter_add(filter, BPF_JMP | BPF_JGT | BPF_K, LAST_JUDGED, 0, 1);
  filter_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
}

/* Local sockets that send to whom they are connected, and to nobody else: the name that comes with a message lies in
 * memory, where no filter can look. */
static void local_sockets(struct filter *filter, bool pair) {
  static const uint32_t types[] = {SOCK_STREAM, SOCK_SEQPACKET};
  filter_argument(filter, 1, TYPE_MASK);
  /* For the kernel the two are one. */
  if (pair) {
    size_t datagrams = filter_only_if(filter, SOCK_DGRAM, SOCK_RAW);
    filter_return(filter, SECCOMP_RET_USER_NOTIF);
    filter_skip_end(filter, datagrams);
  }
  filter_deny_unless(filter, types, 2, ESOCKTNOSUPPORT);
  filter_return(filter, SECCOMP_RET_ALLOW);
}

/* Families, types and protocols; the same for socket and socketpair. */
static void sockets(struct filter *filter, long number) {
  static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
  static const uint32_t types[] = {SOCK_STREAM, SOCK_DGRAM};
  static const uint32_t protocols[] = {0, IPPROTO_TCP, IPPROTO_UDP};
  static const uint32_t netlink[] = {NETLINK_ROUTE};
  size_t block = filter_begin(filter, number);
  filter_argument(filter, 0, UINT32_MAX);
  filter_deny_unless(filter, families, 4, EAFNOSUPPORT);
  size_t local = filter_only_if(filter, AF_UNIX, AF_UNIX);
  local_sockets(filter, number == SYS_socketpair);
  filter_skip_end(filter, local);
  size_t internet = filter_only_if(filter, AF_INET, AF_INET6);
  filter_argument(filter, 1, TYPE_MASK);
  filter_deny_unless(filter, types, 2, EPERM);
  filter_argument(filter, 2, UINT32_MAX);
  filter_deny_unless(filter, protocols, 3, EPROTONOSUPPORT);
  filter_return(filter, SECCOMP_RET_ALLOW);
  filter_skip_end(filter, internet);
  size_t kernel = filter_only_if(filter, AF_NETLINK, AF_NETLINK);
  filter_argument(filter, 2, UINT32_MAX);
  filter_deny_unless(filter, netlink, 1, EPROTONOSUPPORT);
  filter_skip_end(filter, kernel);
  filter_end(filter, block);
}

static void requests(struct filter *filter) {
  static const uint32_t requests[] = {
      /* Typing into the terminal, changing its line discipline, taking the console's output. */
      TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS,
      /* A snapshot has the files as they are below all mounts, and removing a subvolume takes the mounts on it along. */
      BTRFS_SNAP_CREATE, BTRFS_SNAP_CREATE_V2, BTRFS_SNAP_DESTROY, BTRFS_SNAP_DESTROY_V2, BCACHEFS_SUBVOLUME_CREATE,
      BCACHEFS_SUBVOLUME_DESTROY};
  size_t block = filter_begin(filter, SYS_ioctl);
  filter_argument(filter, 1, UINT32_MAX);
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) filter_deny_equal(filter, requests[i], EPERM);
  filter_end(filter, block);
}

static void namespaces(struct filter *filter, bool nested) {
  /* Who has a cgroup namespace can mount the group that gate itself runs in, and freeze or kill all of it. */
  uint32_t never = CLONE_NEWCGROUP | (nested ? 0 : CLONE_NEWUSER);
  size_t block = filter_begin(filter, SYS_unshare);
  filter_argument(filter, 0, UINT32_MAX);
  /* For clone this bit is part of the exit signal's byte. */
  filter_deny_bits(filter, CLONE_NEWTIME | never, EPERM);
  filter_end(filter, block);
  block = filter_begin(filter, SYS_clone);
  filter_argument(filter, 0, UINT32_MAX);
  filter_deny_bits(filter, never, EPERM);
  filter_end(filter, block);
}

static void notify(struct filter *filter, long number) {
  size_t block = filter_begin(filter, number);
  filter_return(filter, SECCOMP_RET_USER_NOTIF);
  filter_end(filter, block);
}

/* What broker.h does instead of the kernel, or before it. */
static void brokered(struct filter *filter) {
  notify(filter, SYS_connect);
  notify(filter, SYS_listen);
}

/* What renames.c judges where the command can have mounts of its own: whatever takes the name away from a folder on the
 * way to gate's files, or with `files` from a file or symlink. */
static void renames(struct filter *filter, bool files) {
#ifdef SYS_rename
  notify(filter, SYS_rename);
  notify(filter, SYS_rmdir);
  if (files) notify(filter, SYS_unlink);
#endif
#ifdef SYS_renameat
  notify(filter, SYS_renameat);
#endif
  notify(filter, SYS_renameat2);
  size_t block = filter_begin(filter, SYS_unlinkat);
  filter_argument(filter, 2, UINT32_MAX);
  if (!files) filter_add(filter, BPF_JMP | BPF_JSET | BPF_K, AT_REMOVEDIR, 0, 1);
  filter_return(filter, SECCOMP_RET_USER_NOTIF);
  filter_end(filter, block);
}

/* Another listener would answer in the broker's place, and let calls through that it refuses. */
static void listeners(struct filter *filter) {
  size_t block = filter_begin(filter, SYS_seccomp);
  filter_argument(filter, 0, UINT32_MAX);
  size_t mode = filter_only_if(filter, SET_MODE_FILTER, SET_MODE_FILTER);
  filter_argument(filter, 1, UINT32_MAX);
  filter_deny_bits(filter, NEW_LISTENER, EBUSY);
  filter_skip_end(filter, mode);
  filter_end(filter, block);
}

/* The descriptor by which the calls that wait are answered. */
static int install(const struct filter *filter) {
  struct sock_fprog program = {(unsigned short)filter->size, (struct sock_filter *)(uintptr_t)filter->code};
  /* Signals wait for the answer, so that no call is made twice; before Linux 5.19 it is then begun anew. */
  int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, NEW_LISTENER | WAIT_KILLABLE, &program);
  if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, NEW_LISTENER, &program);
  return fd;
}

int seccomp_apply(bool nested, bool files) {
  struct filter filter = {.size = 0};
  foreign_calls(&filter);
  refusals_add(&filter, nested);
  sockets(&filter, SYS_socket);
  sockets(&filter, SYS_socketpair);
  requests(&filter);
  namespaces(&filter, nested);
  listeners(&filter);
  brokered(&filter);
  if (nested) renames(&filter, files);
  filter_return(&filter, SECCOMP_RET_ALLOW);
  int listener = install(&filter);
  if (listener < 0) fail("seccomp", "installing");
  return listener;
}
