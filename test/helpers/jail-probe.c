/* One system call a word, for tests of the jail: prints "WORD ok" or "WORD ERRNO". Low and high halves of arguments can
 * be set apart, which no library function lets one do. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long high(long low) { return (long)(0xdead00000000UL | (unsigned long)(unsigned)low); }

/* socket:FAMILY:TYPE:PROTOCOL[:high] and socketpair likewise. */
static long socket_probe(char *arguments, int pair) {
  long numbers[3] = {0};
  for (int i = 0; i < 3; i++) {
    char *word = strsep(&arguments, ":");
    numbers[i] = strtol(word ? word : "0", NULL, 0);
  }
  int ends[2];
  if (arguments)
    for (int i = 0; i < 3; i++) numbers[i] = high(numbers[i]);
  if (pair) return syscall(SYS_socketpair, numbers[0], numbers[1], numbers[2], ends);
  return syscall(SYS_socket, numbers[0], numbers[1], numbers[2]);
}

/* Whether the call would be let through: judged in a child, for it may kill or change the process. */
static long in_child(long (*call)(const char *), const char *argument) {
  pid_t child = fork();
  if (child == 0) {
    errno = 0;
    long result = call(argument);
    _exit(result < 0 ? errno : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  return errno ? -1 : 0;
}

static long unshare_call(const char *flags) { return syscall(SYS_unshare, strtol(flags, NULL, 0)); }
static long unshare_high(const char *flags) { return syscall(SYS_unshare, high(strtol(flags, NULL, 0))); }

static long tiocsti(const char *bits) {
  char letter = 'x';
  long request = TIOCSTI;
  int terminal = open("/dev/tty", O_RDWR);
  return syscall(SYS_ioctl, terminal < 0 ? 0 : terminal, *bits ? high(request) : request, &letter);
}

static long vm_read(const char *unused) {
  (void)unused;
  char from[8] = "secret", to[8];
  struct iovec local = {to, 8}, remote = {from, 8};
  return syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0);
}

static long io_uring(const char *unused) {
  (void)unused;
  char parameters[120] = {0};
  return syscall(425, 4, parameters);
}

static long keyring(const char *unused) {
  (void)unused;
  return syscall(SYS_add_key, "user", "gate-probe", "x", 1, -1 /* thread keyring */);
}

static long pidfd_getfd(const char *unused) {
  (void)unused;
  return syscall(438, syscall(434, getpid(), 0), 0, 0);
}

static long handle(const char *path) {
  struct {
    struct file_handle head;
    unsigned char bytes[128];
  } room = {.head.handle_bytes = 128};
  int mount_id, root = open("/", O_RDONLY);
  if (name_to_handle_at(AT_FDCWD, path, &room.head, &mount_id, 0) < 0) return -1;
  return open_by_handle_at(root, &room.head, O_RDONLY);
}

static long clone3(const char *unused) {
  (void)unused;
  unsigned long arguments[11] = {[4] = SIGCHLD};
  long pid = syscall(435, arguments, sizeof arguments);
  if (pid == 0) _exit(0);
  return pid;
}

#ifdef __x86_64__
static long int80(const char *unused) {
  (void)unused;
  long result = 20; /* getpid of 32-bit programs */
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result;
}
static long x32(const char *unused) {
  (void)unused;
  return syscall(0x40000000 + SYS_getpid);
}
#endif

/* Whether this kernel's Landlock can keep signals and abstract sockets in: version 6 of its interface. */
static long landlock_scopes(const char *unused) {
  (void)unused;
  if (syscall(444, NULL, 0, 1) >= 6) return 0;
  errno = ENOSYS;
  return -1;
}

static long trace_parent(const char *pid) { return ptrace(PTRACE_ATTACH, atoi(pid), 0, 0); }
static long signal_pid(const char *pid) { return kill(atoi(pid), 0); }
static long open_write(const char *path) { return open(path, O_WRONLY); }
static long open_read(const char *path) { return open(path, O_RDONLY); }
static long set_time_ns(const char *unused) {
  (void)unused;
  return syscall(SYS_unshare, CLONE_NEWUSER | 0x80);
}

struct probe {
  const char *name;
  long (*call)(const char *);
};

static const struct probe probes[] = {
    {"unshare", unshare_call}, {"unshare-high", unshare_high}, {"tiocsti", tiocsti},   {"vm-read", vm_read},
    {"io-uring", io_uring},    {"keyring", keyring},           {"getfd", pidfd_getfd}, {"handle", handle},
    {"clone3", clone3},        {"ptrace", trace_parent},       {"signal", signal_pid}, {"write", open_write},
    {"read", open_read},       {"time-namespace", set_time_ns},
    {"landlock-scopes", landlock_scopes},
#ifdef __x86_64__
    {"int80", int80},          {"x32", x32},
#endif
};

static long run(char *word) {
  char *rest = word, *name = strsep(&rest, ":");
  errno = 0;
  if (strcmp(name, "socket") == 0) return socket_probe(rest, 0);
  if (strcmp(name, "socketpair") == 0) return socket_probe(rest, 1);
  for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
    if (strcmp(name, probes[i].name) == 0) return in_child(probes[i].call, rest ? rest : "");
  errno = EINVAL;
  return -1;
}

int main(int count, char **words) {
  for (int i = 1; i < count; i++) {
    char *copy = strdup(words[i]);
    long result = run(copy);
    if (result >= 0) printf("%s ok\n", words[i]);
    else if (errno > 1000) printf("%s killed %d\n", words[i], errno - 1000);
    else printf("%s %s\n", words[i], strerrorname_np(errno));
  }
  return 0;
}
