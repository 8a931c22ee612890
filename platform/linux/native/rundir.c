#define _GNU_SOURCE
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "covers.h"
#include "mountapi.h"
#include "report.h"
#include "sockets.h"

enum { DEPTH = 6 };

/* Folders of daemons: empty inside even when they hold no socket right now. */
static bool of_daemon(const char *name) {
  static const char *const names[] = {
      "docker", "containerd", "podman",  "crio",   "buildkit", "dbus",   "libvirt", "lxd",    "incus",  "snapd",
      "nscd",   "avahi-daemon", "cups",  "screen", "tmux",     "pcscd",  "user",    "netns",  "gdm3",   "sddm",
      "fail2ban", "k3s", "kubelet", "qemu-server", "virtlogd", "systemd-resolved", "tailscale", "uuidd", "acpid"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(name, names[i]) == 0) return true;
  return false;
}

static void take_owner(const char *path, const struct stat *about) {
  /* Owners that are not mapped here stay ours. */
  if (lchown(path, about->st_uid, about->st_gid) < 0 && errno != EINVAL && errno != EPERM) fail("run-folder", path);
  if (chmod(path, about->st_mode & 07777) < 0) fail("run-folder", path);
}

static void show(const char *from, const char *to) {
  int tree = tree_clone(from, true);
  /* What cannot be bound (namespace files) is left empty: less is never a hole. */
  if (tree < 0) return;
  if (tree_attach(tree, to) < 0) fail("run-folder", to);
  close(tree);
}

static void rebuild(const char *from, const char *to, int depth);

static void rebuild_folder(const char *from, const char *to, const char *name, const struct stat *about, int depth) {
  if (mkdir(to, 0700) < 0) fail("run-folder", to);
  take_owner(to, about);
  if (of_daemon(name)) return;
  if (depth > 0 && has_socket(from, depth)) rebuild(from, to, depth - 1);
  else show(from, to);
}

static void rebuild_entry(const char *from, const char *to, const char *name, int depth) {
  struct stat about;
  if (lstat(from, &about) < 0) return;
  if (S_ISDIR(about.st_mode)) {
    rebuild_folder(from, to, name, &about, depth);
  } else if (S_ISLNK(about.st_mode)) {
    char target[PATH_MAX];
    ssize_t size = readlink(from, target, sizeof target - 1);
    if (size < 0) return;
    target[size] = 0;
    if (symlink(target, to) < 0) fail("run-folder", to);
  } else if (S_ISREG(about.st_mode)) {
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) fail("run-folder", to);
    close(fd);
    show(from, to);
  }
}

static void rebuild(const char *from, const char *to, int depth) {
  DIR *folder = opendir(from);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    rebuild_entry(join(from, name), join(to, name), name, depth);
  }
  closedir(folder);
}

/* The person's own runtime folder: there, and empty. */
static void own_runtime_folder(const char *staged) {
  char *users = join(staged, "user");
  if (access(users, F_OK) < 0) return;
  char *own = text_of("%s/%u", users, geteuid());
  if (mkdir(own, 0700) < 0) fail("run-folder", own);
}

static void rebuild_whole(const char *path) {
  struct stat about;
  if (lstat(path, &about) < 0 || !S_ISDIR(about.st_mode)) return;
  int tree = tmpfs_make(about.st_mode & 07777);
  if (tree_attach(tree, STAGING) < 0) fail("run-folder", STAGING);
  close(tree);
  rebuild(path, STAGING, DEPTH);
  own_runtime_folder(STAGING);
  if (mount(STAGING, path, NULL, MS_MOVE, NULL) < 0) fail("run-folder", path);
}

void rebuild_run_folders(void) {
  rebuild_whole("/run");
  rebuild_whole("/var/run");
}

bool in_rebuilt(const char *real) { return under(real, "/run") || under(real, "/var/run"); }
