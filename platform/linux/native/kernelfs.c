#define _GNU_SOURCE
#include "kernelfs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountapi.h"
#include "mountinfo.h"
#include "report.h"

static void sys_fresh(void) {
  /* Runtimes read their memory limit here; a fresh sysfs has only the empty folder. */
  int cgroups = tree_clone("/sys/fs/cgroup", true);
  if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0) {
    feature("sysfs");
    if (cgroups >= 0 && tree_attach(cgroups, "/sys/fs/cgroup") < 0 && errno != ENOENT)
      fail("sysfs", "/sys/fs/cgroup");
  } else if (errno != EPERM && errno != EBUSY) {
    fail("sysfs", "mount");
  }
  if (cgroups >= 0) close(cgroups);
  /* Ownership alone makes much of it writable: release_agent, power/state for root, cgroup.kill for users. */
  if (attributes_set("/sys", ATTR_RDONLY, 0, true) < 0) fail("sysfs", "read-only");
}

static bool of_kernel(const char *type) {
  static const char *const types[] = {"proc",      "sysfs",   "cgroup",      "cgroup2", "devtmpfs", "devpts",
                                      "mqueue",    "debugfs", "tracefs",     "bpf",     "configfs", "securityfs",
                                      "efivarfs",  "pstore",  "binfmt_misc", "resctrl", "rpc_pipefs", "hugetlbfs"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(type, types[i]) == 0) return true;
  return false;
}

static void cover_empty(const char *path) {
  struct stat about;
  if (lstat(path, &about) < 0) return;
  if (!S_ISDIR(about.st_mode)) {
    bind_path("/dev/null", path, false, "kernel-filesystems");
    return;
  }
  int tree = tmpfs_make(0555);
  if (tree_attributes(tree, ATTR_RDONLY) < 0) fail("kernel-filesystems", path);
  if (tree_attach(tree, path) < 0) fail("kernel-filesystems", path);
  close(tree);
}

static void cover_elsewhere(void) {
  struct list mounts = mounts_read();
  for (size_t i = 0; i < mounts.count; i++) {
    const struct mount_entry *entry = mounts.items[i];
    if (!of_kernel(entry->type)) continue;
    if (under(entry->point, "/proc") || under(entry->point, "/sys") || under(entry->point, "/dev")) continue;
    cover_empty(entry->point);
  }
}

void kernel_filesystems(void) {
  sys_fresh();
  cover_elsewhere();
}

void devices_off(void) {
  if (attributes_set("/", ATTR_NODEV, 0, true) < 0) fail("devices", "/");
  struct list mounts = mounts_read();
  for (size_t i = 0; i < mounts.count; i++) {
    const struct mount_entry *entry = mounts.items[i];
    bool chosen = under(entry->point, "/dev") && (strcmp(entry->type, "devtmpfs") == 0 ||
                                                  strcmp(entry->type, "devpts") == 0 || entry->point[4] == '/');
    /* Nodes bound into our own /dev. Older mounts of that name lie hidden below it and fail here. */
    if (chosen && attributes_set(entry->point, 0, ATTR_NODEV, false) < 0 && errno != EPERM && errno != ENOENT &&
        errno != EINVAL)
      fail("devices", entry->point);
  }
}

static void make_read_only(const char *path) {
  bind_path(path, path, true, "proc");
  if (attributes_set(path, ATTR_RDONLY, 0, true) < 0) fail("proc", path);
}

/* uid 0 may write what it owns there whatever its capabilities: core_pattern, sysrq-trigger, irq, mtrr … */
static void lock_root_files(void) {
  DIR *folder = opendir("/proc");
  if (!folder) fail("proc", "opendir");
  for (struct dirent *entry; (entry = readdir(folder));) {
    struct stat about;
    if (entry->d_name[0] == '.' || isdigit((unsigned char)entry->d_name[0])) continue;
    if (fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) < 0) continue;
    bool writable_file = S_ISREG(about.st_mode) && (about.st_mode & 0222);
    if (S_ISDIR(about.st_mode) || writable_file) make_read_only(join("/proc", entry->d_name));
  }
  closedir(folder);
}

void proc_fresh(bool root) {
  if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) fail("proc", "mount");
  if (root) lock_root_files();
}
