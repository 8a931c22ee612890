/*
 * gate-jail: builds a jail around a command for gate's Node process, its parent. See platform/linux/launcher.ts for the
 * other side, and docs/ for what the jail promises. Everything that needs a namespace's capabilities comes first; each
 * process then gives them up, and the command's own process installs its filter last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "autofs.h"
#include "broker.h"
#include "caps.h"
#include "covers.h"
#include "dev.h"
#include "init.h"
#include "kernelfs.h"
#include "landlock.h"
#include "listeners.h"
#include "masks.h"
#include "message.h"
#include "net.h"
#include "ns.h"
#include "refused.h"
#include "report.h"
#include "supervise.h"
#include "terminal.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void prepare_descriptors(void) {
  /* Whatever else this process was given must not reach the jail. */
  if (syscall(SYS_close_range, (unsigned)FD_REPORT + 1, ~0U, 0) < 0) fail("kernel", "close_range");
  for (int fd = FD_IPC; fd <= FD_REPORT; fd++)
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) fail("descriptors", "not started by gate");
}

static void die_with_parent(pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("helper", "parent-death signal");
  if (getppid() != parent) _exit(EXIT_FAILED);
}

/* Whether files or symlinks are kept by name. */
static bool build_files(const struct spec *spec, const char *unix_table) {
  autofs_hide();
  masks_apply(spec, unix_table);
  bool files = places_apply(spec);
  dev_private();
  kernel_filesystems();
  devices_off();
  /* An open folder from before would still show what is covered now. */
  if (chdir(spec->cwd) < 0) fail("cwd", spec->cwd);
  return files;
}

static pid_t start_init(const struct init_setup *setup, int helper_end) {
  pid_t pid = fork();
  if (pid < 0) fail("init", "fork");
  if (pid == 0) {
    close(helper_end);
    /* What is handed over while the jail runs is made out here, where nothing in the jail can ask for it. */
    close(FD_IPC);
    close(FD_CONTROL);
    init_run(setup);
  }
  return pid;
}

static void tell_features(const struct init_setup *setup, bool ipv6) {
  static const char *const always[] = {"userns", "netns", "mountns", "pidns", "ipcns", "private-dev", "seccomp", "broker"};
  for (size_t i = 0; i < sizeof always / sizeof *always; i++) feature(always[i]);
  if (ipv6) feature("ipv6");
  if (setup->landlock) feature("landlock-scope");
  if (setup->whole) feature("all-ids");
  if (setup->spec->nested) feature("nested-namespaces");
}

static void run(const struct spec *spec, pid_t parent) {
  char *unix_table = read_file("/proc/net/unix");
  if (!unix_table) fail("masks", "/proc/net/unix");
  int terminal = terminal_open();
  /* Files made here get the modes that the code names; the command gets its own mask back. */
  struct init_setup setup = {.spec = spec, .terminal = terminal, .mask = umask(0)};
  setup.whole = enter_namespaces();
  struct broker_handle broker = broker_start(spec, setup.whole, getpid());
  enter_processes();
  setup.broker = broker.channel;
  setup.landlock = landlock_scopes_present();
  bool ipv6 = network_up();
  setup.packets = refused_open();
  unsigned listeners = hand_over_listeners(spec, ipv6);
  setup.files = build_files(spec, unix_table);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) fail("init", "socketpair");
  setup.helper = ends[1];
  supervise_block_signals();
  struct supervisor supervisor = {.messages = ends[0], .terminal = terminal, .broker = broker};
  supervisor.init = start_init(&setup, ends[0]);
  close(ends[1]);
  close(setup.packets);
  close(broker.channel);
  close(FD_DEADMAN);
  caps_lower(0);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) fail("helper", "dumpable");
  die_with_parent(parent);
  struct message message;
  /* Init has told Node why when it ended instead. */
  if (!message_receive(ends[0], &message) || message.operation != OP_STANDING) _exit(EXIT_FAILED);
  tell_features(&setup, ipv6);
  say("standing %u", listeners);
  supervise(&supervisor);
}

int main(void) {
  pid_t parent = getppid();
  prepare_descriptors();
  struct spec spec = {0};
  spec_read(FD_CONTROL, &spec);
  run(&spec, parent);
  return EXIT_FAILED;
}
