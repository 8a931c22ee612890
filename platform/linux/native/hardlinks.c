#define _GNU_SOURCE
#include "hardlinks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mountapi.h"
#include "mountinfo.h"
#include "report.h"

/* So deep does the search go; a name further down is missed, and then the run is refused. */
enum { DEPTH = 100 };

struct linked {
  dev_t device;
  ino_t inode;
  nlink_t names; /* not accounted for yet */
  bool hidden;
  const char *path;
  const struct mount_entry *mount;
};

struct search {
  struct list linked, mounts, protected;
  bool hidden;
};

static struct linked *find(const struct search *search, ino_t inode) {
  for (size_t i = 0; i < search->linked.count; i++) {
    struct linked *one = search->linked.items[i];
    if (one->inode == inode) return one;
  }
  return NULL;
}

static void account(struct search *search, const char *path, const struct stat *about) {
  struct linked *one = find(search, about->st_ino);
  if (!one || one->device != about->st_dev) {
    one = allocate(sizeof *one);
    *one = (struct linked){about->st_dev, about->st_ino, about->st_nlink, search->hidden, copy_text(path),
                           mount_of(&search->mounts, path)};
    list_add(&search->linked, one);
  }
  /* A covered folder inside a read-only one is met twice. */
  if (one->hidden == search->hidden && one->names > 0) one->names--;
}

/* Package managers link the files of their trees to a store by the thousand: those trees are left out. */
static bool skipped(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "node_modules") == 0;
}

/* A file that the command could not write by any name needs no search: node of the distribution, say. */
static bool concerns(const struct search *search, const char *path, const struct stat *about) {
  return search->hidden || about->st_uid == geteuid() || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static void collect(struct search *search, const char *path, int depth) {
  struct stat about;
  if (lstat(path, &about) < 0) return;
  if (S_ISREG(about.st_mode) && about.st_nlink > 1 && concerns(search, path, &about)) account(search, path, &about);
  DIR *folder = S_ISDIR(about.st_mode) && depth > 0 ? opendir(path) : NULL;
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));)
    if (!skipped(entry->d_name)) collect(search, join(path, entry->d_name), depth - 1);
  closedir(folder);
}

static void collect_below(struct search *search, const char *given, bool hidden) {
  char *path = realpath(given, NULL);
  if (!path) fail("hard-links", given);
  const char *name = strrchr(path, '/');
  search->hidden = hidden;
  if (!name || !skipped(name + 1)) collect(search, path, DEPTH);
  list_add(&search->protected, path);
}

static bool is_protected(const struct search *search, const char *path) {
  for (size_t i = 0; i < search->protected.count; i++)
    if (under(path, search->protected.items[i])) return true;
  return false;
}

static void shut(struct linked *one, const char *path) {
  struct stat about;
  if (lstat(path, &about) < 0 || about.st_dev != one->device || about.st_ino != one->inode) return;
  if (one->names > 0) one->names--;
  if (one->hidden) {
    bind_path("/dev/null", path, false, "hard-links");
    return;
  }
  bind_path(path, path, false, "hard-links");
  if (attributes_set(path, ATTR_RDONLY, 0, false) < 0) fail("hard-links", path);
}

/* Every name in one mount. Reading folders gives inode numbers, so hardly a file is touched. */
static void look(struct search *search, const char *path, int depth) {
  DIR *folder = is_protected(search, path) ? NULL : opendir(path);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct linked *one = entry->d_type == DT_DIR ? NULL : find(search, entry->d_ino);
    if (one) shut(one, join(path, entry->d_name));
    if (entry->d_type != DT_DIR || depth == 0) continue;
    char *below = join(path, entry->d_name);
    if (!is_mount_point(&search->mounts, below)) look(search, below, depth - 1);
    free(below);
  }
  closedir(folder);
}

static bool holds_linked(const struct search *search, const struct mount_entry *mount) {
  for (size_t i = 0; i < search->linked.count; i++) {
    const struct mount_entry *other = ((struct linked *)search->linked.items[i])->mount;
    if (other && other->major == mount->major && other->minor == mount->minor) return true;
  }
  return false;
}

void hard_links_apply(const struct spec *spec) {
  struct search search = {.mounts = mounts_read()};
  for (size_t i = 0; i < spec->covers.count; i++)
    collect_below(&search, ((struct place *)spec->covers.items[i])->path, true);
  for (size_t i = 0; i < spec->read_only.count; i++) collect_below(&search, spec->read_only.items[i], false);
  /* Almost always: nothing has a second name, and nothing is searched. */
  if (search.linked.count == 0) return;
  for (size_t i = 0; i < search.mounts.count; i++) {
    const struct mount_entry *mount = search.mounts.items[i];
    if (holds_linked(&search, mount)) look(&search, mount->point, DEPTH);
  }
  for (size_t i = 0; i < search.linked.count; i++) {
    const struct linked *one = search.linked.items[i];
    errno = EMLINK;
    if (one->names > 0) fail("hard-links", one->path);
  }
}
