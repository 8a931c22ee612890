#define _GNU_SOURCE
#include "dev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "covers.h"
#include "mountapi.h"
#include "report.h"

/* Above this a terminal keeps working, but its name is not found under /dev/pts. */
enum { TERMINAL_LIMIT = 256 };

static void make_file(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("dev", path);
  close(fd);
}

static void show_node(const char *name) {
  char *from = join("/dev", name), *to = join(STAGING, name);
  if (access(from, F_OK) < 0) return;
  make_file(to);
  bind_path(from, to, false, "dev");
}

static void show_folder(const char *name) {
  char *from = join("/dev", name), *to = join(STAGING, name);
  if (mkdir(to, 0755) < 0) fail("dev", to);
  bind_path(from, to, true, "dev");
}

/* Graphics processors: they compute and reach no network. */
static void show_graphics(void) {
  DIR *folder = opendir("/dev");
  if (!folder) fail("dev", "/dev");
  for (struct dirent *entry; (entry = readdir(folder));) {
    bool wanted = strcmp(entry->d_name, "dri") == 0 || strcmp(entry->d_name, "kfd") == 0 ||
                  strncmp(entry->d_name, "nvidia", 6) == 0;
    struct stat about;
    if (!wanted || fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) continue;
    if (S_ISDIR(about.st_mode)) show_folder(entry->d_name);
    if (S_ISCHR(about.st_mode)) show_node(entry->d_name);
  }
  closedir(folder);
}

static void link_to(const char *target, const char *name) {
  if (symlink(target, join(STAGING, name)) < 0) fail("dev", name);
}

static void mount_below(const char *type, const char *name, mode_t mode, const char *options) {
  char *path = join(STAGING, name);
  if (mkdir(path, mode) < 0) fail("dev", path);
  if (mount(type, path, type, MS_NOSUID | MS_NOEXEC, options) < 0) fail("dev", name);
}

/* Our own terminal under its own name: its number is taken in the new instance by a master that stays open. */
static void show_terminal(unsigned number) {
  char *name = text_of(STAGING "/pts/%u", number);
  if (number >= TERMINAL_LIMIT) return;
  unsigned taken = 0;
  int masters[TERMINAL_LIMIT], count = 0;
  do {
    int fd = open(STAGING "/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TIOCGPTN, &taken) < 0) fail("dev", "pts");
    masters[count++] = fd;
  } while (taken < number && count < TERMINAL_LIMIT);
  for (int i = 0; i < count - 1; i++) close(masters[i]);
  if (taken == number) bind_path(text_of("/dev/pts/%u", number), name, false, "dev");
  else close(masters[count - 1]);
}

static void show_terminals(void) {
  struct list shown = {0};
  for (int fd = 0; fd < 3; fd++) {
    char target[PATH_MAX];
    ssize_t size = readlink(text_of("/proc/self/fd/%d", fd), target, sizeof target - 1);
    if (size < 0 || !isatty(fd)) continue;
    target[size] = 0;
    if (list_has(&shown, target)) continue;
    list_add(&shown, copy_text(target));
    unsigned number = 0;
    struct stat about, named;
    if (fstat(fd, &about) < 0 || stat(target, &named) < 0 || named.st_rdev != about.st_rdev) continue;
    if (sscanf(target, "/dev/pts/%u", &number) == 1) show_terminal(number);
    /* A console: directly in /dev. */
    else if (under(target, "/dev") && !strchr(target + 5, '/')) show_node(target + 5);
  }
}

void dev_private(void) {
  static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
  int tree = tmpfs_make(0755);
  if (tree_attach(tree, STAGING) < 0) fail("dev", STAGING);
  close(tree);
  for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) show_node(nodes[i]);
  if (geteuid() != 0) show_graphics();
  link_to("/proc/self/fd", "fd");
  link_to("/proc/self/fd/0", "stdin");
  link_to("/proc/self/fd/1", "stdout");
  link_to("/proc/self/fd/2", "stderr");
  link_to("pts/ptmx", "ptmx");
  mount_below("tmpfs", "shm", 0755, "mode=1777");
  mount_below("devpts", "pts", 0755, "newinstance,ptmxmode=0666,mode=620");
  show_terminals();
  if (mkdir(STAGING "/mqueue", 0755) < 0) fail("dev", "mqueue");
  /* Not every kernel has it; without it the folder is empty. */
  if (mount("mqueue", STAGING "/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 && errno != ENODEV)
    fail("dev", "mqueue");
  if (mount(STAGING, "/dev", NULL, MS_MOVE, NULL) < 0) fail("dev", "/dev");
}
