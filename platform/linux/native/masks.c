#define _GNU_SOURCE
#include "masks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allowed.h"
#include "mountapi.h"
#include "report.h"
#include "rundir.h"
#include "sockets.h"

/* Folders that hold nothing but sockets, or will once their program starts: fresh ones take their place, for a mask
 * over a single socket is gone when its daemon restarts. */
static struct list socket_folders(const struct spec *spec) {
  struct list folders = {0};
  const char *in_home[] = {".docker/run", ".docker/desktop", ".ssh/agent", ".ssh/sockets", ".ssh/cm", ".ssh/control",
                           ".colima/default", ".rd", ".orbstack/run", ".emacs.d/server", ".multipass"};
  for (size_t i = 0; i < sizeof in_home / sizeof *in_home; i++) list_add(&folders, join(spec->home, in_home[i]));
  const char *by_user[] = {"/tmp/tmux-",       "/tmp/emacs",           "/tmp/kitty-",      "/tmp/runtime-",
                           "/tmp/podman-run-", "/tmp/containers-user-", "/tmp/storage-run-"};
  for (size_t i = 0; i < sizeof by_user / sizeof *by_user; i++)
    list_add(&folders, text_of("%s%u", by_user[i], geteuid()));
  list_add(&folders, copy_text("/tmp/.X11-unix"));
  list_add(&folders, copy_text("/tmp/.ICE-unix"));
  const char *runtime = spec_env(spec, "XDG_RUNTIME_DIR");
  if (runtime) list_add(&folders, copy_text(runtime));
  return folders;
}

/* Whether something the command needs lies in here, so that the folder cannot be exchanged as a whole. */
static bool needed(const struct spec *spec, const char *folder) {
  if (under(spec->cwd, folder) || under(spec->home, folder)) return true;
  for (size_t i = 0; i < spec->read_only.count; i++)
    if (under(spec->read_only.items[i], folder)) return true;
  for (size_t i = 0; i < spec->covers.count; i++)
    if (under(((struct place *)spec->covers.items[i])->path, folder)) return true;
  return false;
}

/* What was found may be gone by now, for its daemon has ended; then nothing is to be masked. One that is made anew is a
 * socket made during the run, which the broker keeps out of reach. */
static void attach(int tree, const char *path) {
  if (tree_attach(tree, path) < 0 && errno != ENOENT) fail("masks", path);
  close(tree);
}

static void exchange(const char *folder) {
  struct stat about;
  if (stat(folder, &about) < 0) {
    if (errno == ENOENT) return;
    fail("masks", folder);
  }
  int tree = tmpfs_make(about.st_mode & 07777);
  /* Owners that are not mapped here stay ours. */
  if (fchownat(tree, "", about.st_uid, about.st_gid, AT_EMPTY_PATH) < 0 && errno != EINVAL && errno != EPERM)
    fail("masks", folder);
  attach(tree, folder);
}

static void exchange_known(const struct spec *spec) {
  /* tmux makes it when it starts, perhaps after us: then it must be ours already. */
  char *tmux = text_of("/tmp/tmux-%u", geteuid());
  if (mkdir(tmux, 0700) < 0 && errno != EEXIST && errno != EACCES && errno != EROFS && errno != ENOENT)
    fail("masks", tmux);
  struct list folders = socket_folders(spec);
  for (size_t i = 0; i < folders.count; i++) {
    struct stat about;
    char *real = realpath(folders.items[i], NULL);
    if (!real || strcmp(real, "/") == 0 || lstat(real, &about) < 0) continue;
    if (S_ISDIR(about.st_mode) && !needed(spec, real) && !in_rebuilt(real)) exchange(real);
  }
}

static bool harmless_beside(int folder, const char *name) {
  struct stat about;
  if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) < 0 || S_ISSOCK(about.st_mode)) return true;
  const char *end = strrchr(name, '.');
  if (!S_ISREG(about.st_mode)) return false;
  return about.st_size == 0 || (end && (strcmp(end, ".lock") == 0 || strcmp(end, ".pid") == 0));
}

/* Whether a folder holds sockets only, with their locks. */
static bool dedicated(const struct spec *spec, const char *path) {
  if (needed(spec, path) || strcmp(path, "/tmp") == 0 || strcmp(path, "/var/tmp") == 0) return false;
  DIR *folder = opendir(path);
  if (!folder) return false;
  bool only = true;
  int seen = 0;
  for (struct dirent *entry; only && (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    only = ++seen < 256 && harmless_beside(dirfd(folder), entry->d_name);
  }
  closedir(folder);
  return only;
}

static void mask(const struct spec *spec, const char *path) {
  struct stat about;
  char *real = realpath(path, NULL);
  if (!real || lstat(real, &about) < 0 || !S_ISSOCK(about.st_mode) || in_rebuilt(real)) return;
  if (is_allowed(real)) return;
  char *folder = parent_of(real);
  if (dedicated(spec, folder)) {
    exchange(folder);
    return;
  }
  int nothing = tree_clone("/dev/null", false);
  if (nothing < 0) fail("masks", "/dev/null");
  attach(nothing, real);
}

void masks_apply(const struct spec *spec, const char *unix_table) {
  struct list found = sockets_find(spec, unix_table);
  allowed_open(&spec->allowed);
  rebuild_run_folders();
  exchange_known(spec);
  for (size_t i = 0; i < found.count; i++) mask(spec, found.items[i]);
  allowed_restore();
}
